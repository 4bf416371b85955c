package receipt_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/receipt"
)

// extended is a checkpoint with more lines behind its root, as the log signs it.
func (r *rig) extended(t testing.TB, lines string) []byte {
	t.Helper()
	root, err := tlog.TreeHash(int64(len(r.leaves)), r)
	if err != nil {
		t.Fatal(err)
	}
	text := (&receipt.Checkpoint{Origin: origin, Size: int64(len(r.leaves)), Root: root}).Text() + lines
	signed, err := note.Sign(&note.Note{Text: text}, r.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestCheckpointForm: what the log itself signed is refused in any form but the one, and
// beyond the bounds.
func TestCheckpointForm(t *testing.T) {
	r := newRig(t, 5, 0)
	policy := r.policy(t, 0)
	good := r.extended(t, "an extension\n")
	line := good[bytes.Index(good, []byte("— ")):]
	var strangers []byte
	for i := range receipt.MaxSignatures {
		c, err := receipt.NewCosigner(fmt.Sprintf("w%d.example", i), key(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		more, err := c.Cosign(&receipt.Checkpoint{Note: good}, at)
		if err != nil {
			t.Fatal(err)
		}
		strangers = append(strangers, more...)
	}
	if _, _, err := policy.Open(good); err != nil {
		t.Fatal(err)
	}
	for name, signed := range map[string][]byte{
		"a signature twice":  slices.Concat(good, line),
		"many signatures":    slices.Concat(good, strangers),
		"an empty line":      r.extended(t, "\nan extension\n"),
		"a large extension":  r.extended(t, strings.Repeat("x", receipt.MaxCheckpoint)+"\n"),
		"a return in a line": bytes.Replace(good, line, slices.Concat(line[:40], []byte("\r"), line[40:]), 1),
	} {
		if _, _, err := policy.Open(signed); !errors.Is(err, receipt.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProofForm: of all texts that would say the same, one is read.
func TestProofForm(t *testing.T) {
	r := newRig(t, 5, 0)
	p := r.prove(t, 5, 2)
	p.Extra = []byte("leaf 2")
	good, err := p.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	large := *p
	large.Extra, large.Checkpoint = make([]byte, receipt.MaxExtra), r.extended(t, strings.Repeat("x", receipt.MaxCheckpoint-500)+"\n")
	over, err := large.MarshalText()
	if err != nil || len(over) <= receipt.MaxProof {
		t.Fatalf("%d octets, %v", len(over), err)
	}
	change := func(from, to string) []byte { return bytes.Replace(good, []byte(from), []byte(to), 1) }
	for name, text := range map[string][]byte{
		"a return in the extra data": change("extra bG", "extra b\rG"),
		"a return behind it":         change("\nindex", "\r\nindex"),
		"no extra data after all":    change("extra bGVhZiAy", "extra "),
		"a sign":                     change("index 2", "index +2"),
		"a zero in front":            change("index 2", "index 02"),
		"a number below":             change("index 2", "index -2"),
		"too large a number":         change("index 2", "index 9223372036854775808"),
		"too long":                   over,
		"64 hashes":                  change("index 2\n", "index 2\n"+strings.Repeat(tlog.Hash{}.String()+"\n", 64)),
		"hashes without an end":      good[:bytes.Index(good, []byte("\n\n"))+1],
	} {
		if bytes.Equal(text, good) {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := receipt.Parse(text); !errors.Is(err, receipt.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", tlog.Hash{}.String() + "\n", strings.Repeat(tlog.Hash{}.String()+"\n", 64) + "\n"} {
		if list, _, err := receipt.ReadHashes(text); list != nil || !errors.Is(err, receipt.ErrFormat) {
			t.Errorf("%d octets of hashes: %d, %v", len(text), len(list), err)
		}
	}
}

// TestParseSize: a number has one form, and none is below zero.
func TestParseSize(t *testing.T) {
	if n, err := receipt.ParseSize("9223372036854775807"); n != 1<<63-1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, s := range []string{"", "-1", "-0", "+1", "01", " 1", "1_0", "0x1", "9223372036854775808"} {
		if n, err := receipt.ParseSize(s); n != 0 || !errors.Is(err, receipt.ErrFormat) {
			t.Errorf("%q: %d, %v", s, n, err)
		}
	}
}

// TestKeyNames: a name that would end a line or a field of a note is no key's.
func TestKeyNames(t *testing.T) {
	for _, name := range []string{"", "two words", "a+b", "a\nb", "é.example", strings.Repeat("x", 256)} {
		if _, err := receipt.NewCosigner(name, key("w")); !errors.Is(err, receipt.ErrFormat) {
			t.Errorf("witness %q: %v", name, err)
		}
		if _, _, err := receipt.NewLogSigner(name, key("l")); !errors.Is(err, receipt.ErrFormat) {
			t.Errorf("log %q: %v", name, err)
		}
	}
}
