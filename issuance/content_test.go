package issuance

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
)

// TestCommitParts builds the octets that the doc comment describes by hand.
func TestCommitParts(t *testing.T) {
	salt := sha256.Sum256([]byte("salt"))
	a, b := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("second"))
	octets := "tamthe commitment v1\x00" + string(salt[:]) + "tamthe content v2\x00" + "\x03dg1" + string(a[:]) + "\x05print" + string(b[:])
	want := sha256.Sum256([]byte(octets))
	for _, parts := range [][]Part{{{"dg1", a}, {"print", b}}, {{"print", b}, {"dg1", a}}} {
		if got, err := CommitParts(salt, parts...); err != nil || got != want {
			t.Errorf("%x, %v, want %x", got, err, want)
		}
	}
	for name, parts := range map[string][]Part{
		"none": {}, "twice": {{"dg1", a}, {"dg1", b}}, "capital": {{"DG1", a}}, "unnamed": {{"", a}}, "many": make([]Part, MaxParts+1),
	} {
		if got, err := CommitParts(salt, parts...); !errors.Is(err, ErrEntry) || got != ([32]byte{}) {
			t.Errorf("%s: %s, %v", name, hex.EncodeToString(got[:]), err)
		}
	}
	seen := map[[32]byte]string{}
	for name, parts := range map[string][]Part{
		"as it is": {{"dg1", a}, {"print", b}}, "swapped": {{"dg1", b}, {"print", a}}, "renamed": {{"dg2", a}, {"print", b}},
		"one less": {{"dg1", a}}, "one more": {{"dg1", a}, {"dg2", a}, {"print", b}},
	} {
		got, err := CommitParts(salt, parts...)
		if err != nil || seen[got] != "" {
			t.Errorf("%s is %s, %v", name, seen[got], err)
		}
		seen[got] = name
	}
}
