package dh

import (
	"crypto"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"io"
)

// Sign returns an ECDSA signature of a digest, SEQUENCE { r, s } in DER (TR-03111 §4.2.1,
// §5.2.2). Of a digest longer than the order the left bits count. If opts names a hash,
// the digest has its length. The reader is not used: nonces come from fresh randomness
// mixed with the key and the digest, so that neither a weak generator nor a repeated
// state gives the key away. Errors: ErrDigest, ErrBase, ErrDestroyed.
func (k *PrivateKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != 0 && opts.HashFunc().Size() != len(digest) {
		return nil, ErrDigest
	}
	r, s, err := k.sign(digest)
	if err != nil {
		return nil, err
	}
	return encodeSignature(r, s), nil
}

// SignPlain returns an ECDSA signature of a digest as r‖s, each of OrderSize octets
// (TR-03111 §5.2.1), the form of Active Authentication. Errors are those of Sign.
func (k *PrivateKey) SignPlain(digest []byte) ([]byte, error) {
	r, s, err := k.sign(digest)
	if err != nil {
		return nil, err
	}
	return append(r, s...), nil
}

// sign returns r and s in OrderSize octets each.
func (k *PrivateKey) sign(digest []byte) (r, s []byte, err error) {
	switch {
	case k.scalar == nil:
		return nil, nil, ErrDestroyed
	case len(digest) == 0:
		return nil, nil, ErrDigest
	case !k.base.Equal(k.base.curve.generator):
		return nil, nil, ErrBase
	}
	for {
		var nonce element
		if err := k.nonce(&nonce, digest); err != nil {
			return nil, nil, err
		}
		if r, s, ok := k.signWith(&nonce, digest); ok {
			return r, s, nil
		}
	}
}

// nonce sets n to a number mod the order, derived from the key, 64 fresh octets and the
// digest, with 128 bits to spare against bias.
func (k *PrivateKey) nonce(n *element, digest []byte) error {
	order := k.base.curve.group.order
	secret := make([]byte, order.size+64)
	defer clear(secret)
	order.fill(secret[:order.size], k.scalar)
	rand.Read(secret[order.size:]) // never fails
	wide, err := hkdf.Key(sha512.New, secret, nil, "tamthe ECDSA nonce "+string(digest), order.size+16)
	if err != nil {
		return err
	}
	defer clear(wide)
	order.reduce(n, wide)
	return nil
}

// signWith returns ok false if the nonce, r or s is zero.
func (k *PrivateKey) signWith(nonce *element, digest []byte) (r, s []byte, ok bool) {
	c := k.base.curve
	order := c.group.order
	var p projective
	c.multiplyGenerator(&p, nonce)
	point, err := c.newPoint(&p)
	if err != nil {
		return nil, nil, false
	}
	// s = (e + r·d) / nonce
	var rv, sv, e, d, inv element
	order.reduce(&rv, point.X())
	order.enter(&d, k.scalar)
	order.mul(&sv, &rv, &d)
	order.reduce(&e, leftBits(digest, order.bits))
	order.add(&sv, &sv, &e)
	order.enter(&inv, nonce)
	order.invert(&inv, &inv)
	order.mul(&sv, &sv, &inv)
	if isZero(&rv)|isZero(&sv) == 1 {
		return nil, nil, false
	}
	return order.bytes(&rv), order.bytes(&sv), true
}

// leftBits returns the number that the n leftmost bits of a digest make.
func leftBits(digest []byte, n int) []byte {
	if len(digest)*8 <= n {
		return digest
	}
	b := digest[:(n+7)/8]
	spare := len(b)*8 - n
	if spare == 0 {
		return b
	}
	shifted := make([]byte, len(b))
	var above byte
	for i, v := range b {
		shifted[i] = above<<(8-spare) | v>>spare
		above = v
	}
	return shifted
}
