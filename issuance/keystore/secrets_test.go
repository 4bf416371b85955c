package keystore

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func TestOperator(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operator-an")
	made, err := GenerateOperator(path, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := OpenOperator(path, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := opened.Sign(nil, []byte("act"), crypto.Hash(0))
	if err != nil || !ed25519.Verify(made.Public().(ed25519.PublicKey), []byte("act"), sig) {
		t.Error(err)
	}
	if public, err := OperatorPublic(path); err != nil || !made.Public().(ed25519.PublicKey).Equal(public) {
		t.Errorf("%x, %v", public, err)
	}
	for _, wrong := range []string{"", "correct horsf", "correct horse "} {
		if o, err := OpenOperator(path, []byte(wrong)); !errors.Is(err, ErrPassphrase) || o != nil {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := GenerateOperator(path, []byte("x")); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if _, err := GenerateOperator(path+"2", nil); !errors.Is(err, ErrNoPassphrase) {
		t.Error(err)
	}
	opened.Destroy()
	opened.Destroy()
	if _, err := opened.Sign(nil, []byte("act"), crypto.Hash(0)); err == nil {
		t.Error("a destroyed key signs")
	}
	seed := hex.EncodeToString(made.private.Seed())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if out := fmt.Sprintf(verb, made); strings.Contains(strings.ToLower(out), seed[:16]) || !strings.Contains(out, "operator key") {
			t.Errorf("%s prints %s", verb, out)
		}
	}
}

// TestOperatorFileIsBound changes each line: nothing opens, nothing runs away.
func TestOperatorFileIsBound(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if _, err := GenerateOperator(path, []byte("p")); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "b")
	if _, err := GenerateOperator(other, []byte("p")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := OperatorPublic(other)
	own, _ := OperatorPublic(path)
	for name, c := range map[string]struct {
		want     error
		old, new string
	}{
		"fewer rounds":     {ErrPassphrase, "t=3", "t=1"},
		"another key":      {ErrPassphrase, hex.EncodeToString(own.(ed25519.PublicKey)), hex.EncodeToString(public.(ed25519.PublicKey))},
		"endless rounds":   {ErrFormat, "t=3", "t=4294967295"},
		"all the memory":   {ErrFormat, "m=65536", "m=4294967295"},
		"no memory":        {ErrFormat, "m=65536", "m=0"},
		"another function": {ErrFormat, "argon2id", "argon2d"},
		"no salt":          {ErrFormat, "Salt: ", "Sal: "},
	} {
		changed := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if !bytes.Contains(text, []byte(c.old)) {
			t.Fatalf("%q is not in\n%s", c.old, text)
		}
		if err := os.WriteFile(changed, bytes.Replace(text, []byte(c.old), []byte(c.new), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenOperator(changed, []byte("p")); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault")
	made, err := GenerateSecret(path, UseVault)
	if err != nil || len(made.Bytes()) != SecretSize {
		t.Fatal(err)
	}
	opened, err := OpenSecret(path, UseVault)
	if err != nil || !bytes.Equal(opened.Bytes(), made.Bytes()) {
		t.Fatal(err)
	}
	if _, err := OpenSecret(path, UseCardMaster); !errors.Is(err, ErrFormat) {
		t.Errorf("the vault's key opens as a card's: %v", err)
	}
	if _, err := OpenSecret(path+"2", UseVault); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", made, "value", *made)
	js, err := json.Marshal(map[string]any{"key": made, "value": *made})
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%v %+v %#v %s %x %d %v", made, made, made, made, made, made, *made) + log.String() + string(js)
	for _, shown := range []string{hex.EncodeToString(made.Bytes()[:4]), fmt.Sprint(made.Bytes()[:4])} {
		if strings.Contains(out, strings.Trim(shown, "[]")) {
			t.Errorf("the key is shown: %s", out)
		}
	}
	made.Destroy()
	made.Destroy()
	if made.Bytes() != nil {
		t.Error("still there")
	}
}

func TestLogKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	made, err := GenerateLog(path, "example.org/tamthe")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := OpenLog(path)
	if err != nil || opened.Verifier != made.Verifier || opened.Name() != "example.org/tamthe" {
		t.Fatalf("%+v, %v", opened, err)
	}
	signed, err := note.Sign(&note.Note{Text: "checkpoint\n"}, opened)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(made.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		t.Error(err)
	}
	if _, err := GenerateLog(path+"2", "two words"); err == nil {
		t.Error("a name with a space")
	}
	other, err := GenerateLog(path+"3", "example.org/tamthe")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		"another verifier": strings.Replace(string(text), made.Verifier, other.Verifier, 1),
		"one line":         strings.SplitAfter(string(text), "\n")[0],
		"nothing":          "",
	} {
		file := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLog(file); !errors.Is(err, ErrFormat) || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLogKeyOfOneHash: a verifier whose hash is that of the log's key, and whose key is another.
func TestLogKeyOfOneHash(t *testing.T) {
	const name = "example.org/tamthe"
	seed := func(n uint32) []byte { return append(binary.BigEndian.AppendUint32(nil, n), make([]byte, 28)...) }
	verifier := func(n uint32) string {
		v, err := note.NewEd25519VerifierKey(name, ed25519.NewKeyFromSeed(seed(n)).Public().(ed25519.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	one, other := verifier(17847), verifier(109065) // found by trying
	hash, rest, _ := strings.Cut(strings.TrimPrefix(one, name+"+"), "+")
	if !strings.HasPrefix(other, name+"+"+hash+"+") || strings.HasSuffix(other, rest) {
		t.Fatalf("%s and %s are not of one hash", one, other)
	}
	private := "PRIVATE+KEY+" + name + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed(17847)...))
	file := filepath.Join(t.TempDir(), "log")
	for v, want := range map[string]error{one: nil, other: ErrFormat} {
		if err := os.WriteFile(file, []byte(private+"\n"+v+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLog(file); !errors.Is(err, want) {
			t.Errorf("%s: %v", v, err)
		}
	}
}
