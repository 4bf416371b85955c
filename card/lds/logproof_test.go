package lds

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/card/cms"
)

func sodWith(list ...cms.Attribute) SOD {
	return SOD{Signed: &cms.SignedData{Signers: []*cms.SignerInfo{{Attributes: list}}}}
}

// TestLogProof reads back what was written, octet for octet as X.690 has it, and tells a
// proof that is spoiled from none.
func TestLogProof(t *testing.T) {
	want := LogProof{Leaf: []byte("leaf"), Proof: []byte("proof")}
	a, err := want.Attribute()
	if err != nil || !a.Type.Equal(OIDLogProof) || len(a.Values) != 1 || hex.EncodeToString(a.Values[0]) != "300d04046c656166040570726f6f66" {
		t.Fatalf("%v %x, %v", a.Type, a.Values, err)
	}
	s := sodWith(a)
	if got, present, ok := s.LogProof(); !present || !ok || string(got.Leaf) != "leaf" || string(got.Proof) != "proof" {
		t.Errorf("%q, %v, %v", got, present, ok)
	}
	spoiled := func(value string) cms.Attribute {
		return cms.Attribute{Type: OIDLogProof, Values: [][]byte{unhexed(t, value)}}
	}
	for name, s := range map[string]SOD{
		"twice":         sodWith(a, a),
		"without value": sodWith(cms.Attribute{Type: OIDLogProof}),
		"an index":      sodWith(spoiled("02012a")),
		"no proof":      sodWith(spoiled("300604046c656166")),
		"empty proof":   sodWith(spoiled("300804046c6561660400")),
		"more behind":   sodWith(spoiled("300d04046c656166040570726f6f6600")),
		"more inside":   sodWith(spoiled("300f04046c656166040570726f6f660500")),
	} {
		if p, present, ok := s.LogProof(); !present || ok {
			t.Errorf("%s: %q, %v, %v", name, p, present, ok)
		}
	}
	none := sodWith()
	if _, present, ok := none.LogProof(); present || ok {
		t.Error("a proof out of nothing")
	}
	for _, p := range []LogProof{{}, {Leaf: []byte{1}}, {Proof: []byte{1}}, {make([]byte, MaxLogLeaf+1), []byte{1}}, {[]byte{1}, make([]byte, MaxLogProof+1)}} {
		if _, err := p.Attribute(); !errors.Is(err, ErrSecurityObject) {
			t.Errorf("%d and %d octets: %v", len(p.Leaf), len(p.Proof), err)
		}
	}
	for _, arc := range OIDLogProof {
		if arc > 1<<24-1 {
			t.Errorf("arc %d is beyond what small readers read", arc)
		}
	}
}

func FuzzLogProof(f *testing.F) {
	a, err := LogProof{[]byte("leaf"), []byte("proof")}.Attribute()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(a.Values[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parseLogProof(b)
		if !ok {
			if p.Leaf != nil || p.Proof != nil {
				t.Error("a partial result")
			}
			return
		}
		if again, err := p.Attribute(); err != nil || !bytes.Equal(again.Values[0], b) {
			t.Errorf("%x comes back as %x, %v", b, again.Values, err)
		}
	})
}
