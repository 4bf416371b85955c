// Package eddsa verifies many Ed25519 signatures (RFC 8032 §5.1.7) of few keys.
//
// A key that verifies often gets a table of its multiples, as the base point has one. The
// equation is the one of crypto/ed25519, [S]B − [k]A = R compared as octets, computed for
// each signature by itself: there is no random combination of a batch, in which points of
// small order may cancel, so that one signature and a thousand are judged alike. Time
// depends on the input, which must be public.
package eddsa

import (
	"crypto/ed25519"
	"crypto/sha512"
	"sync"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// Signed is a message with a signature to verify.
type Signed struct {
	Key                [ed25519.PublicKeySize]byte
	Message, Signature []byte
}

// Verifier remembers which keys verify often. The zero value knows none; it must not be
// copied, and several goroutines may use it at once. It holds at most 32 tables of half a
// megabyte.
type Verifier struct{ known keys }

// Verify says which signatures are good, in the order of the list. It says of each what
// [ed25519.Verify] says.
func (v *Verifier) Verify(list []Signed) []bool {
	good := make([]bool, len(list))
	at := make([]int, 0, len(list))
	points := make([]point, 0, len(list))
	for i := range list {
		s := &list[i]
		t := v.known.use(&s.Key)
		if t == nil {
			good[i] = ed25519.Verify(s.Key[:], s.Message, s.Signature)
			continue
		}
		if p, ok := s.commitment(t); ok {
			at, points = append(at, i), append(points, p)
		}
	}
	for n, encoded := range encode(points) {
		good[at[n]] = string(encoded[:]) == string(list[at[n]].Signature[:32])
	}
	return good
}

var base = sync.OnceValue(func() *table { return newTable(edwards25519.NewGeneratorPoint()) })

// commitment is the R that the signature must begin with: [S]B + [k](−A).
func (s *Signed) commitment(minusA *table) (p point, ok bool) {
	if len(s.Signature) != ed25519.SignatureSize {
		return p, false
	}
	if _, err := edwards25519.NewScalar().SetCanonicalBytes(s.Signature[32:]); err != nil {
		return p, false
	}
	h := sha512.New()
	h.Write(s.Signature[:32])
	h.Write(s.Key[:])
	h.Write(s.Message)
	k, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
	if err != nil {
		return p, false
	}
	p.y.One()
	p.z.One()
	base().accumulate(&p, [32]byte(s.Signature[32:]))
	minusA.accumulate(&p, [32]byte(k.Bytes()))
	return p, true
}

// encode gives the octets of points (RFC 8032 §5.1.2) with one inversion for all.
func encode(points []point) [][32]byte {
	zs := make([]field.Element, len(points))
	for i := range points {
		zs[i] = points[i].z
	}
	invert(zs)
	out := make([][32]byte, len(points))
	for i := range points {
		var x, y field.Element
		x.Multiply(&points[i].x, &zs[i])
		y.Multiply(&points[i].y, &zs[i])
		out[i] = [32]byte(y.Bytes())
		out[i][31] |= byte(x.IsNegative() << 7)
	}
	return out
}
