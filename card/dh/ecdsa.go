package dh

import (
	"crypto"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"io"
)

// Sign returns an ECDSA signature of a digest, SEQUENCE { r, s } in DER. If opts names a
// hash function, the digest must be as long as its output. The nonce is drawn from
// fresh randomness mixed with key and digest, so that neither a weak generator nor a
// repeated digest gives the key away; the reader is not used.
func (k *PrivateKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != 0 && opts.HashFunc().Size() != len(digest) {
		return nil, ErrDigest
	}
	rs, err := k.SignPlain(digest)
	if err != nil {
		return nil, err
	}
	n := len(rs) / 2
	return encodeDER(rs[:n], rs[n:]), nil
}

// SignPlain returns an ECDSA signature of a digest as r‖s, each of OrderSize octets.
func (k *PrivateKey) SignPlain(digest []byte) ([]byte, error) {
	switch {
	case k.scalar == nil:
		return nil, ErrDestroyed
	case len(digest) == 0:
		return nil, ErrDigest
	case !k.base.Equal(k.base.curve.g):
		return nil, ErrBase
	}
	var seed [64]byte
	rand.Read(seed[:])
	for i := 0; ; i++ {
		nonce, err := k.nonce(seed[:], digest, byte(i))
		if err != nil {
			return nil, err
		}
		rs, ok := k.signWith(nonce, digest)
		clear(nonce)
		if ok {
			clear(seed[:])
			return rs, nil
		}
	}
}

// nonce derives a candidate from randomness, key and digest.
func (k *PrivateKey) nonce(seed, digest []byte, try byte) ([]byte, error) {
	c := k.point.curve
	secret := append(append([]byte{}, k.scalar...), seed...)
	defer clear(secret)
	b, err := hkdf.Key(sha512.New, secret, digest, "tamthe ecdsa nonce "+string(rune('A'+try)), c.OrderSize())
	if err != nil {
		return nil, err
	}
	c.cut(b)
	return b, nil
}

// signWith computes r and s for a nonce; false if the nonce, r or s is out of range.
func (k *PrivateKey) signWith(nonce, digest []byte) ([]byte, bool) {
	c := k.point.curve
	if !c.validScalar(nonce) {
		return nil, false
	}
	p := c.multiply(nonce, c.lift(c.g))
	point, err := c.affine(&p)
	if err != nil {
		return nil, false
	}
	f := c.order
	var r, s, kInv, d, e element
	f.setWide(&r, point.X())
	f.setBytes(&kInv, nonce)
	f.toMontgomery(&kInv)
	f.invert(&kInv, &kInv)
	f.setBytes(&d, k.scalar)
	f.toMontgomery(&d)
	f.setWide(&e, c.leftmost(digest))
	f.mul(&s, &d, &r) // d·R·r/R = d·r, in plain form
	f.add(&s, &s, &e)
	f.mul(&s, &s, &kInv)
	clear(d[:])
	clear(kInv[:])
	if r.isZero()|s.isZero() == 1 {
		return nil, false
	}
	return append(f.bytes(&r), f.bytes(&s)...), true
}

// leftmost returns the leftmost bits of a digest, as many as the order has
// (FIPS 186-4 §6.4).
func (c *Curve) leftmost(digest []byte) []byte {
	n := c.order.octets
	if len(digest) < n {
		return digest
	}
	b := append([]byte{}, digest[:n]...)
	shift := 8*n - c.p.N.BitLen()
	if shift > 0 && len(digest) >= n {
		for i := n - 1; i > 0; i-- {
			b[i] = b[i]>>shift | b[i-1]<<(8-shift)
		}
		b[0] >>= shift
	}
	return b
}

// VerifyDER reports whether sig is an ECDSA signature, SEQUENCE { r, s } in strict DER,
// of the digest. It takes variable time: all its input is public.
func VerifyDER(pub *Point, digest, sig []byte) bool {
	if pub == nil {
		return false
	}
	r, s, ok := parseDER(sig, pub.curve.OrderSize())
	return ok && verify(pub, digest, r, s)
}

// VerifyPlain reports whether rs is an ECDSA signature r‖s, each of OrderSize octets. It
// takes variable time: all its input is public.
func VerifyPlain(pub *Point, digest, rs []byte) bool {
	if pub == nil {
		return false
	}
	n := pub.curve.OrderSize()
	return len(rs) == 2*n && verify(pub, digest, rs[:n], rs[n:])
}

func verify(pub *Point, digest, r, s []byte) bool {
	c := pub.curve
	f := c.order
	if len(digest) == 0 || !c.validScalar(r) || !c.validScalar(s) {
		return false
	}
	var re, w, u, v, e element
	f.setBytes(&re, r)
	f.setBytes(&w, s)
	f.toMontgomery(&w)
	f.invert(&w, &w)
	f.setWide(&e, c.leftmost(digest))
	f.mul(&u, &e, &w)
	f.mul(&v, &re, &w)
	p := c.combine(f.bytes(&u), f.bytes(&v), c.lift(pub))
	point, err := c.affine(&p)
	if err != nil {
		return false
	}
	var x element
	f.setWide(&x, point.X())
	return x.equal(&re) == 1
}
