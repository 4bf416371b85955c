package ca

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// preparing is a leaf that prepares the card of the name.
func preparing(t testing.TB, card [32]byte) []byte {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := issuance.KeyIDOf(pub)
	if err != nil {
		t.Fatal(err)
	}
	e := issuance.Entry{
		Origin: "ca.test/log", Rules: issuance.RuleBook, Stream: issuance.Card("C-1"), Seq: 4, Prev: [32]byte{1},
		ID: issuance.NewID(), Act: issuance.Prepare, Time: start.UTC(), Operator: id,
		Fields: map[string]string{"cardid": hex.EncodeToString(card[:]), "ds": "ds-001"},
	}
	if err := e.Sign(key); err != nil {
		t.Fatal(err)
	}
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// TestSODWithLogProof: the object is named before its proof exists, and stays the same
// with it; a proof of another object is not signed.
func TestSODWithLogProof(t *testing.T) {
	a := newAuthority(t, dh.BrainpoolP256r1())
	r := sodRequest()
	plain, err := a.signer.PrepareSOD(r)
	if err != nil {
		t.Fatal(err)
	}
	r.LogProof = &lds.LogProof{Leaf: preparing(t, plain.CardID), Proof: bytes.Repeat([]byte("proof"), 200)}
	d, err := a.signer.PrepareSOD(r)
	if err != nil || d.CardID != plain.CardID || d.Digest() == plain.Digest() {
		t.Fatalf("card %x with the proof, %x without, %v", d.CardID, plain.CardID, err)
	}
	raw, err := d.Issue(a.signerKey)
	if err != nil {
		t.Fatal(err)
	}
	s, err := lds.ParseSOD(raw)
	if err != nil || s.Verify(a.signer.Certificate.PublicKey) != nil {
		t.Fatal(err)
	}
	if p, _, ok := s.LogProof(); !ok || !bytes.Equal(p.Leaf, r.LogProof.Leaf) || !bytes.Equal(p.Proof, r.LogProof.Proof) {
		t.Errorf("the proof comes back as %x", p)
	}
	if ref, ok := s.StatusReference(); !ok || ref != *r.Status {
		t.Errorf("status %+v, %v", ref, ok)
	}

	for name, leaf := range map[string][]byte{"another card's": preparing(t, [32]byte{1}), "none": []byte("no leaf")} {
		r.LogProof = &lds.LogProof{Leaf: leaf, Proof: []byte("proof")}
		_, err := a.signer.PrepareSOD(r)
		var lint *LintError
		if !errors.As(err, &lint) || !strings.Contains(lint.Error(), "log-proof-of-another") {
			t.Errorf("leaf of %s: %v", name, err)
		}
	}
	r.LogProof = &lds.LogProof{}
	if _, err := a.signer.PrepareSOD(r); !errors.Is(err, lds.ErrSecurityObject) {
		t.Errorf("an empty proof: %v", err)
	}
}
