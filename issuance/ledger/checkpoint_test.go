package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const origin = "ledger.test/one"

func logKey(t testing.TB, name string) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func TestCheckpoint(t *testing.T) {
	s, v := logKey(t, origin)
	root := tlog.RecordHash([]byte("x"))
	c, err := SignCheckpoint(origin, 42, root, s)
	if err != nil {
		t.Fatal(err)
	}
	// C2SP tlog-checkpoint: origin, size in decimal, root in base64, then signatures
	want := fmt.Sprintf("%s\n42\n%s\n\n— %s ", origin, base64.StdEncoding.EncodeToString(root[:]), origin)
	if !strings.HasPrefix(string(c.Note), want) {
		t.Errorf("%q", c.Note)
	}
	got, err := ParseCheckpoint(c.Note, v)
	if err != nil || got.Origin != origin || got.Size != 42 || got.Root != root {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := SignCheckpoint("other", 1, root, s); err == nil {
		t.Error("a log under another key's name")
	}
	_, other := logKey(t, origin)
	if _, err := ParseCheckpoint(c.Note, other); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("another key: %v", err)
	}
	witness, _ := logKey(t, "witness.test")
	n, err := note.Open(c.Note, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(n, witness)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseCheckpoint(cosigned, v); err != nil || got.Size != 42 {
		t.Errorf("cosigned: %v", err)
	}
}

func TestParseCheckpointRefuses(t *testing.T) {
	s, v := logKey(t, origin)
	root := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, text := range map[string]string{
		"no root":            origin + "\n42\n",
		"another origin":     "other\n42\n" + root + "\n",
		"negative size":      origin + "\n-1\n" + root + "\n",
		"size with a zero":   origin + "\n042\n" + root + "\n",
		"size with a plus":   origin + "\n+42\n" + root + "\n",
		"size in words":      origin + "\nmany\n" + root + "\n",
		"size out of bounds": origin + "\n9223372036854775808\n" + root + "\n",
		"short root":         origin + "\n42\nAAAA\n",
		"root not base64":    origin + "\n42\n" + strings.Repeat("*", 44) + "\n",
		"loose base64":       origin + "\n42\n" + root[:42] + "B=\n",
		"an empty line":      origin + "\n42\n" + root + "\n\nx\n",
	} {
		signed, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := ParseCheckpoint(signed, v); !errors.Is(err, ErrCheckpoint) || c != nil {
			t.Errorf("%s: %v %v", name, c, err)
		}
	}
	signed, err := note.Sign(&note.Note{Text: origin + "\n42\n" + root + "\nan extension\n"}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCheckpoint(signed, v); err != nil {
		t.Errorf("an extension line: %v", err)
	}
}
