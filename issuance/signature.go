package issuance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/eddsa"
)

// Signatures of operators as a leaf has them. An ECDSA signature has a twin, r and n − s,
// that anybody can make of it: only the one with the smaller s is taken, and only in one
// encoding, for a leaf's hash covers its signatures.

// signWith has the key sign a message and returns the form that a leaf takes.
func signWith(key crypto.Signer, pub crypto.PublicKey, msg []byte) ([]byte, error) {
	ec, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		sig, err := key.Sign(rand.Reader, msg, crypto.Hash(0))
		if err == nil && !verifySignature(pub, msg, sig) {
			err = ErrSignature
		}
		return sig, err
	}
	h := hashFor(ec)
	der, err := key.Sign(rand.Reader, digestOf(h, msg), h)
	if err != nil {
		return nil, err
	}
	sig, ok := fixed(ec, der)
	if !ok || !verifySignature(pub, msg, sig) {
		return nil, ErrSignature
	}
	return sig, nil
}

// verifySignature reports whether sig is the one form of a signature of msg. A nil key
// verifies nothing.
func verifySignature(pub crypto.PublicKey, msg, sig []byte) bool {
	switch key := pub.(type) {
	case ed25519.PublicKey:
		return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, msg, sig)
	case *ecdsa.PublicKey:
		order := key.Params().N
		size := (order.BitLen() + 7) / 8
		if len(sig) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])
		return !upperHalf(s, order) && ecdsa.Verify(key, digestOf(hashFor(key), msg), r, s)
	}
	return false
}

// signed is a message with its signature.
type signed struct {
	pub      crypto.PublicKey
	msg, sig []byte
}

// verify says of each what verifySignature says, sooner if there are many of one key.
func (r *keyring) verify(list []signed) []bool {
	good := make([]bool, len(list))
	of := make([]int, 0, len(list))
	ed := make([]eddsa.Signed, 0, len(list))
	for i, s := range list {
		if key, ok := s.pub.(ed25519.PublicKey); ok && len(key) == ed25519.PublicKeySize {
			of, ed = append(of, i), append(ed, eddsa.Signed{Key: [ed25519.PublicKeySize]byte(key), Message: s.msg, Signature: s.sig})
		} else {
			good[i] = verifySignature(s.pub, s.msg, s.sig)
		}
	}
	for n, ok := range r.often.Verify(ed) {
		good[of[n]] = ok
	}
	return good
}

// hashFor is the SHA-2 as long as the curve's order.
func hashFor(key *ecdsa.PublicKey) crypto.Hash {
	if key.Params().BitSize > 256 {
		return crypto.SHA384
	}
	return crypto.SHA256
}

func digestOf(h crypto.Hash, msg []byte) []byte {
	d := h.New()
	d.Write(msg)
	return d.Sum(nil)
}

// fixed turns SEQUENCE { r, s } into r‖s with the smaller of s and n − s.
func fixed(key *ecdsa.PublicKey, der []byte) ([]byte, bool) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	var r, s big.Int
	order := key.Params().N
	if !in.ReadASN1(&seq, tags.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&r) || !seq.ReadASN1Integer(&s) ||
		!seq.Empty() || r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(order) >= 0 || s.Cmp(order) >= 0 {
		return nil, false
	}
	if upperHalf(&s, order) {
		s.Sub(order, &s)
	}
	size := (order.BitLen() + 7) / 8
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out, true
}

func upperHalf(s, order *big.Int) bool { return new(big.Int).Lsh(s, 1).Cmp(order) > 0 }
