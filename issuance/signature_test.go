package issuance_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"testing"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// TestOperatorKeys: people act with the keys that PIV cards have, too.
func TestOperatorKeys(t *testing.T) {
	o, m := newOffice(t)
	for _, c := range []struct {
		curve elliptic.Curve
		size  int
	}{{elliptic.P256(), 64}, {elliptic.P384(), 96}} {
		key, err := ecdsa.GenerateKey(c.curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id, err := issuance.KeyIDOf(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		name := c.curve.Params().Name
		clerk := ledgertest.Officer{Name: "piv-" + name[2:], Person: "p-" + name[2:], Roles: []issuance.Role{issuance.Registrar}, Key: key, ID: id}
		o.Must(t, o.Hire(clerk))
		for range 8 { // half of all s lie in the upper half and must be turned
			person := rand.Text()
			o.Know(t, person)
			s := o.Enrol("A-"+rand.Text(), person, "")
			s.By = clerk
			at, entries, err := o.Build(t.Context(), false, s)
			if err != nil {
				t.Fatal(err)
			}
			e := entries[0]
			if len(e.Signature) != c.size {
				t.Errorf("%s: %d octets", name, len(e.Signature))
			}
			for what, forged := range map[string][]byte{
				"its twin": twin(c.curve, e.Signature), "DER": der(t, e.Signature), "one octet more": append(e.Signature[:c.size:c.size], 0),
				"r and s changed places": append(append([]byte(nil), e.Signature[c.size/2:]...), e.Signature[:c.size/2]...),
				"zeros":                  make([]byte, c.size),
			} {
				bad := e
				bad.Signature = forged
				if err := m.Append(t.Context(), at, bad); !errors.Is(err, issuance.ErrSignature) {
					t.Errorf("%s: %s: %v", name, what, err)
				}
			}
			if err := m.Append(t.Context(), at, e); err != nil {
				t.Fatal(name, err)
			}
		}
	}
}

func twin(c elliptic.Curve, sig []byte) []byte {
	size := len(sig) / 2
	s := new(big.Int).SetBytes(sig[size:])
	out := append([]byte(nil), sig...)
	s.Sub(c.Params().N, s).FillBytes(out[size:])
	return out
}

func der(t *testing.T, sig []byte) []byte {
	t.Helper()
	size := len(sig) / 2
	b, err := asn1.Marshal([]*big.Int{new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOnlyTheseKeys: nobody acts with a key of another kind.
func TestOnlyTheseKeys(t *testing.T) {
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	brainpool, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []crypto.Signer{p521, rsaKey, brainpool} {
		if _, err := issuance.KeyIDOf(k.Public()); !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("%T: %v", k, err)
		}
	}
	if _, err := issuance.KeyField(nil); !errors.Is(err, issuance.ErrEntry) {
		t.Error(err)
	}
	own, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	same, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), own.Point().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := issuance.KeyIDOf(own.Public())
	two, err2 := issuance.KeyIDOf(same)
	if err1 != nil || err2 != nil || one != two {
		t.Errorf("one key, two names: %s, %s, %v, %v", one, two, err1, err2)
	}
}

// lying answers with what it was told to, whatever is to be signed.
type lying struct {
	crypto.Signer
	answer []byte
}

func (l lying) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return l.answer, nil }

// TestWrongSignature: what a token answers is not believed.
func TestWrongSignature(t *testing.T) {
	o, _ := newOffice(t)
	_, entries, err := o.Build(t.Context(), false, o.Enrol("A-1", "ann", ""))
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	for _, answer := range [][]byte{nil, make([]byte, 64), append(e.Signature[:63:63], e.Signature[63]^1)} {
		if err := e.Sign(lying{o.Registrar.Key, answer}); !errors.Is(err, issuance.ErrSignature) {
			t.Errorf("%x: %v", answer, err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if e.Operator, err = issuance.KeyIDOf(key.Public()); err != nil {
		t.Fatal(err)
	}
	for _, answer := range [][]byte{nil, {0x30, 0}, {0x30, 6, 2, 1, 1, 2, 1, 1}, {0x30, 6, 2, 1, 0, 2, 1, 1}, {0x30, 6, 2, 1, 0xFF, 2, 1, 1}} {
		if err := e.Sign(lying{key, answer}); !errors.Is(err, issuance.ErrSignature) {
			t.Errorf("%x: %v", answer, err)
		}
	}
}
