package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
)

// TestChallenge: the value was made with printf and sha256sum as Context says.
func TestChallenge(t *testing.T) {
	c := Context{Case: "VA-17/2026", Purpose: "kiểm tra", Time: time.Date(2026, 7, 1, 19, 0, 0, 0, time.FixedZone("", 7*3600))}
	copy(c.Device[:], bytes.Repeat([]byte{0xAA}, 32))
	copy(c.Nonce[:], bytes.Repeat([]byte{0xBB}, 32))
	if got := hex.EncodeToString(c.Challenge()); got != "231381a9ab3fdd1d" {
		t.Error(got)
	}
	c.Case = ""
	if c.Challenge() != nil {
		t.Error("a challenge of no case")
	}
	d := newDevice(t)
	for _, s := range []string{"two\nlines", strings.Repeat("x", 201), "\x1b[2J", "\u202e", "\xff"} {
		if _, err := NewContext(s, "", d, judged); !errors.Is(err, ErrContext) {
			t.Errorf("case %q: %v", s, err)
		}
		if _, err := NewContext("", s, d, judged); !errors.Is(err, ErrContext) {
			t.Errorf("purpose %q: %v", s, err)
		}
	}
}

// TestRoundTrip: what was sealed is read, and is written as it was.
func TestRoundTrip(t *testing.T) {
	i := newIssuer(t)
	for name, d := range map[string]*Device{"P-256": newDevice(t), "Ed25519": newEd25519(t)} {
		for _, signs := range []bool{true, false} {
			b := i.inspect(t, i.newCard(t, signs), d, "<VA & 17>\\ \"", nil)
			line := sealed(t, b, d)
			if bytes.Count(line, []byte("\n")) != 1 || !Is(line) || Encrypted(line) {
				t.Errorf("%s: not one line of a bundle", name)
			}
			again := parsed(t, line)
			if s, err := withSeal(must[[]byte](t)(again.body()), again.Seal); err != nil || !bytes.Equal(s, line) {
				t.Errorf("%s: written differently: %v", name, err)
			}
			if again.Verdict != verify.Accept || again.Context != b.Context || again.Card != b.Card || len(again.Certificates) != 2 || len(again.Lists) != 1 {
				t.Errorf("%s: %v, %v, %v", name, again.Verdict, again.Context, again.Checks)
			}
			if _, err := again.Sealed(newDevice(t)); !errors.Is(err, ErrContext) {
				t.Errorf("%s: another device sealed it: %v", name, err)
			}
		}
	}
}

// TestOpenSSLVerifiesSeal: what the package doc says to auditors works.
func TestOpenSSLVerifiesSeal(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	i := newIssuer(t)
	for name, d := range map[string]*Device{"P-256": newDevice(t), "Ed25519": newEd25519(t)} {
		t.Run(name, func(t *testing.T) {
			line := sealed(t, i.inspect(t, i.newCard(t, true), d, "Đ-1 <&>", nil), d)
			var doc struct{ Seal Seal }
			if err := json.Unmarshal(line, &doc); err != nil {
				t.Fatal(err)
			}
			at := bytes.LastIndex(line, []byte(`,"seal":`))
			dir := t.TempDir()
			for file, b := range map[string][]byte{"body": append(slices.Clone(line[:at]), '}'), "signature": doc.Seal.Signature, "key": doc.Seal.Key} {
				if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{"dgst", "-sha256", "-verify", "key", "-keyform", "DER", "-signature", "signature", "body"}
			if name == "Ed25519" {
				args = []string{"pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key", "-keyform", "DER", "-sigfile", "signature", "-in", "body"}
			}
			cmd := exec.Command(openssl, args...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			jq, err := exec.LookPath("jq")
			if err != nil {
				return // what it would print is known: compact, in order, UTF-8 as it is
			}
			cmd = exec.Command(jq, "-cj", "del(.seal)")
			cmd.Stdin = bytes.NewReader(line)
			if out, err := cmd.Output(); err != nil || !bytes.Equal(out, append(slices.Clone(line[:at]), '}')) {
				t.Errorf("jq prints another body: %v", err)
			}
		})
	}
}

// TestKept: fingers, irises and what the policy does not ask for stay out.
func TestKept(t *testing.T) {
	r := &verify.Report{Policy: verify.Policy{Groups: []int{1}}, Files: verify.Files{}}
	for _, f := range lds.Files() {
		r.Files[f] = []byte(f.Name())
	}
	b := New(r, Context{}, "")
	var got []string
	for _, f := range lds.Files() {
		if b.Files[f] != nil {
			got = append(got, f.Name())
		}
	}
	if want := "DG1 DG14 DG15 EF.COM EF.SOD EF.CardAccess EF.CardSecurity"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	r.Policy.Groups = []int{1, 2, 3, 4, 13}
	r.Checks = []verify.Check{{ID: "lds.dg3", Outcome: verify.Failed}, {ID: "lds.dg11", Outcome: verify.Failed}, {ID: "lds.dg12", Outcome: verify.Passed}}
	b = New(r, Context{}, "")
	for f, want := range map[lds.File]bool{lds.DG2: true, lds.DG3: false, lds.DG4: false, lds.DG13: true, lds.Group(11): true, lds.Group(12): false} {
		if (b.Files[f] != nil) != want {
			t.Errorf("%s: kept %v, want %v", f.Name(), !want, want)
		}
	}
}

// TestParseRefuses: there is one form of a bundle.
func TestParseRefuses(t *testing.T) {
	i, d := newIssuer(t), newDevice(t)
	line := string(sealed(t, i.inspect(t, i.newCard(t, true), d, "VA-1", nil), d))
	replace := func(old, by string) string {
		if !strings.Contains(line, old) {
			t.Fatalf("there is no %s", old)
		}
		return strings.Replace(line, old, by, 1)
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":              {"", ErrFormat},
		"another document":     {`{"schema":"tamthe/verify/1"}`, ErrFormat},
		"a later version":      {replace(schema, "tamthe/evidence/2"), ErrNewer},
		"no version":           {replace(schema, "tamthe/evidence/x"), ErrFormat},
		"a member more":        {replace(`"case"`, `"cause":"","case"`), ErrFormat},
		"a member twice":       {replace(`"case"`, `"case":"","case"`), ErrFormat},
		"another spelling":     {replace(`"case"`, `"Case"`), ErrFormat},
		"another order":        {replace(`"purpose":"test",`, ``), ErrFormat},
		"a blank":              {replace(`,"case"`, `, "case"`), ErrFormat},
		"no seal":              {line[:strings.LastIndex(line, `,"seal"`)] + "}", ErrFormat},
		"two documents":        {strings.TrimSuffix(line, "\n") + line, ErrFormat},
		"two line ends":        {line + "\n", ErrFormat},
		"too large":            {replace(`"tool":"`, `"tool":"`+strings.Repeat("x", MaxSize)), ErrTooLarge},
		"a case of two lines":  {replace(`VA-1`, `VA\n1`), ErrFormat},
		"no outcome":           {replace(`"outcome":"passed"`, `"outcome":"perhaps"`), ErrFormat},
		"no file of a card":    {replace(`"EF.SOD.bin"`, `"EF.SAD.bin"`), ErrFormat},
		"the same check twice": {replace(`"id":"transport.access"`, `"id":"transport.protection"`), ErrFormat},
		"its own seal":         {replace(`"id":"transport.access"`, `"id":"evidence.seal"`), ErrFormat},
		"a short nonce":        {replace(`"nonce":"`, `"nonce":"0`), ErrFormat},
		"a promise":            {replace(provesCase, "everything"), ErrFormat},
	} {
		if b, err := Parse([]byte(c.text)); !errors.Is(err, c.want) || b != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	i, d := newIssuer(f), newDevice(f)
	for _, signs := range []bool{true, false} {
		f.Add(sealed(f, i.inspect(f, i.newCard(f, signs), d, "VA-1", nil), d))
	}
	f.Add([]byte(schemaPrefix + `1"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		b, err := Parse(line)
		if err != nil {
			if b != nil {
				t.Error("a bundle with an error")
			}
			return
		}
		again, err := withSeal(must[[]byte](t)(b.body()), b.Seal)
		if err != nil || !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), bytes.TrimSuffix(line, []byte("\n"))) {
			t.Error("read, and written differently")
		}
		if j := judge(t, b, Options{Verify: verify.Options{At: judged, Trust: i.store(i.crl)}, Devices: [][32]byte{d.ID()}}); j.Known && b.Seal.Device() != d.ID() {
			t.Error("a stranger's bundle taken for the device's")
		}
	})
}
