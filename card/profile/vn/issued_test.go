package vn

import (
	"bytes"
	"testing"
)

// The quick reader takes our own DG13, and what it takes of changed ones the parser takes,
// with the same date.
func TestIssued(t *testing.T) {
	raw := encode(t, person(t), issue(Expiry{}))
	if text, ok := Issued(raw); !ok || len(text) != len("02/01/2006") {
		t.Fatalf("%q, %v", text, ok)
	}
	taken := 0
	for i := range raw {
		for v := range 256 {
			b := bytes.Clone(raw)
			b[i] = byte(v)
			text, ok := Issued(b)
			if !ok {
				continue
			}
			taken++
			if d, err := ParseDG13(b); err != nil || d.Value(FieldIssued) != string(text) {
				t.Fatalf("octet %d is %02X: issued %q, %+v, %v", i, v, text, d, err)
			}
		}
	}
	if taken == 0 {
		t.Error("nothing is taken")
	}
}
