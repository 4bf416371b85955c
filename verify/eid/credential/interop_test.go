package credential

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tamthe/tamthe/verify"
)

// foreignEnd runs the other implementation: @sd-jwt/sd-jwt-vc under node, from the folder that
// TAMTHE_SDJWT names (npm install @sd-jwt/sd-jwt-vc@0.14.1 there).
func foreignEnd(t *testing.T, in map[string]any) map[string]any {
	t.Helper()
	if os.Getenv("TAMTHE_SDJWT") == "" {
		t.Skip("TAMTHE_SDJWT names no folder with @sd-jwt/sd-jwt-vc")
	}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/interop.mjs")
	cmd.Stdin = bytes.NewReader(b)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func publicOf(t *testing.T, k *ecdsa.PrivateKey) jose.JSONWebKey {
	t.Helper()
	return jose.JSONWebKey{Key: &k.PublicKey}
}

// Ours, verified by the other: what is disclosed, who holds it, and how the card stands.
func TestForeignVerifier(t *testing.T) {
	w := newWorld(t)
	ask := func(change func(map[string]any)) map[string]any {
		token, err := w.issuer.StatusToken(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]any{
			"presentation": w.present(t, "n", "name", "age_over_18"), "issuer": publicOf(t, w.key), "uri": issuerURL + "/credential/status/0", "status": token,
			"fields": []string{"name"}, "nonce": "n", "now": w.now.Unix(),
		}
		change(in)
		return foreignEnd(t, in)
	}
	got := ask(func(map[string]any) {})
	payload, _ := got["payload"].(map[string]any)
	binding, _ := got["binding"].(map[string]any)
	if got["error"] != nil || payload["name"] != told["name"] || payload["age_over_18"] != true || payload["birth"] != nil || binding["aud"] != audience {
		t.Fatalf("%v", got)
	}
	for label, change := range map[string]func(map[string]any){
		"a field that is not there": func(in map[string]any) { in["fields"] = []string{"birth"} },
		"another nonce":             func(in map[string]any) { in["nonce"] = "m" },
		"another issuer":            func(in map[string]any) { in["issuer"] = publicOf(t, newKey(t)) },
		"after its end":             func(in map[string]any) { in["now"] = w.now.Add(40 * 24 * time.Hour).Unix() },
		"a disclosure less": func(in map[string]any) {
			parts := strings.Split(in["presentation"].(string), "~")
			in["presentation"] = strings.Join(append(parts[:1:1], parts[2:]...), "~")
		},
	} {
		if got := ask(change); got["error"] == nil {
			t.Errorf("%s: the other accepts it: %v", label, got)
		}
	}
	for _, state := range []verify.State{verify.StateRevoked, verify.StateSuspended} {
		w.card.state = state
		w.now = w.now.Add(2 * listFresh)
		if got := ask(func(map[string]any) {}); got["error"] == nil {
			t.Errorf("%v: the other accepts it", state)
		}
	}
}

// Ours, presented by the other and verified by us.
func TestForeignHolder(t *testing.T) {
	w := newWorld(t)
	got := foreignEnd(t, map[string]any{
		"held": w.text, "issuer": publicOf(t, w.key), "holder": jose.JSONWebKey{Key: w.holder}, "disclose": []string{"birth"}, "audience": audience, "nonce": "n", "now": w.now.Unix(),
	})
	p, err := w.verifier.Verify(t.Context(), got["shown"].(string), "n", "birth")
	if err != nil || len(p.Fields) != 1 || p.Fields["birth"] != told["birth"] {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := w.verifier.Verify(t.Context(), got["shown"].(string), "m"); CodeOf(err) != CodeNonce {
		t.Error(err)
	}
}

// foreignCredential is one that the other issued, with status lists of its own.
type foreignCredential struct {
	Theirs string            `json:"theirs"`
	Key    json.RawMessage   `json:"key"`
	Lists  map[string]string `json:"lists"`
	Now    int64             `json:"now"`
}

// checkForeign verifies one by us.
func checkForeign(t *testing.T, f foreignCredential) {
	t.Helper()
	at := time.Unix(f.Now, 0)
	v := &Verifier{Audience: audience, Issuers: map[string][]byte{issuerURL: []byte(`{"keys":[` + string(f.Key) + `]}`)}, Now: func() time.Time { return at }}
	for list, want := range map[string]Code{"valid": "", "revoked": CodeRevoked, "suspended": CodeSuspended} {
		v.Status = func(context.Context, string) (string, error) { return f.Lists[list], nil }
		p, err := v.Verify(t.Context(), f.Theirs, "n", "name", "age_over_18")
		if CodeOf(err) != want {
			t.Errorf("%s: %v", list, err)
		}
		if err == nil && (len(p.Fields) != 2 || p.Fields["name"] != "Lê Thị Thử" || p.Fields["age_over_18"] != true) {
			t.Errorf("%+v", p)
		}
	}
	if _, err := v.Verify(t.Context(), f.Theirs, "m"); CodeOf(err) != CodeNonce {
		t.Error(err)
	}
	at = at.Add(25 * time.Hour)
	if _, err := v.Verify(t.Context(), f.Theirs, "n"); CodeOf(err) != CodeExpired {
		t.Error(err)
	}
}

// Theirs, verified by us: fresh ones, and one that was kept.
func TestForeignIssuer(t *testing.T) {
	t.Run("kept", func(t *testing.T) {
		b, err := os.ReadFile("testdata/foreign.json")
		if err != nil {
			t.Fatal(err)
		}
		var f foreignCredential
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		checkForeign(t, f)
	})
	t.Run("fresh", func(t *testing.T) {
		got := foreignEnd(t, map[string]any{"issue": issuerURL, "type": Type, "audience": audience, "nonce": "n", "now": now.Unix()})
		got["now"] = now.Unix()
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if path := os.Getenv("TAMTHE_SDJWT_KEEP"); path != "" {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var f foreignCredential
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		checkForeign(t, f)
	})
}

// The digest of RFC 9901 §4.2.3's example.
func TestPublishedDigest(t *testing.T) {
	d, err := parseDisclosure("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0")
	if err != nil || d.name != "family_name" || d.value != "Möbius" || digest(d.text) != "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0" {
		t.Errorf("%+v, %v, %s", d, err, digest(d.text))
	}
}
