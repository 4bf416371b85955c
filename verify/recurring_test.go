package verify

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

// A signer that is met again verifies and refuses as at first, and no more than so many are
// kept.
func TestRecurring(t *testing.T) {
	k, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	defer k.Destroy()
	message := []byte("tamthe")
	digest := sha256.Sum256(message)
	sig, err := k.Sign(nil, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	alg := cert.Algorithm{Scheme: cert.ECDSA, Hash: 5} // SHA-256
	c := &cert.Certificate{Raw: []byte("one"), PublicKey: cert.PublicKey{EC: k.Point()}}
	var r Recurring
	first := r.of(c)
	for i := range 40 { // past the use from which there is a table
		v := r.of(c)
		if v != first {
			t.Fatal("a known signer is worked out anew")
		}
		if err := v.Verify(alg, message, sig); err != nil {
			t.Fatalf("use %d: %v", i, err)
		}
		if err := v.Verify(alg, bytes.ToUpper(message), sig); !errors.Is(err, cert.ErrSignature) {
			t.Fatalf("use %d of a signature of something else: %v", i, err)
		}
	}
	for i := range 3 * maxRecurring {
		r.of(&cert.Certificate{Raw: []byte{byte(i), byte(i >> 8)}, PublicKey: c.PublicKey})
	}
	if len(r.known) != maxRecurring {
		t.Errorf("%d signers are kept", len(r.known))
	}
	if r.of(&cert.Certificate{Raw: []byte("none")}) != nil || (*Recurring)(nil).of(c) != nil {
		t.Error("there is a verifier of no key")
	}
}
