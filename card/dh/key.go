package dh

import (
	"crypto"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
)

// A PrivateKey is a scalar with its base point. It must not be copied. It is never
// printed, logged or marshalled; its owner calls Destroy, after which it only gives its
// public key. Until then it is safe for concurrent use. It is a crypto.Signer.
type PrivateKey struct {
	_      noCopy
	base   *Point
	point  *Point
	scalar *element // in plain form; nil when destroyed
}

// noCopy makes go vet report copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Generate makes a key on the generator of the curve.
func (c *Curve) Generate() (*PrivateKey, error) { return GenerateOn(c.generator) }

// NewPrivateKey makes a key on the generator from a scalar of exactly OrderSize octets in
// [1, n-1]; others are ErrScalar. It keeps a copy.
func (c *Curve) NewPrivateKey(scalar []byte) (*PrivateKey, error) {
	return NewPrivateKeyOn(c.generator, scalar)
}

// GenerateOn makes a key on a base point, as PACE does on the mapped generator.
func GenerateOn(base *Point) (*PrivateKey, error) {
	order := base.curve.group.order
	// 128 bits more than the order leave no bias (FIPS 186-5 §A.2.1).
	random := make([]byte, order.size+16)
	defer clear(random)
	rand.Read(random) // never fails
	var scalar element
	order.reduce(&scalar, random)
	return newPrivateKey(base, &scalar)
}

// NewPrivateKeyOn makes a key on a base point from a scalar; see NewPrivateKey.
func NewPrivateKeyOn(base *Point, scalar []byte) (*PrivateKey, error) {
	var s element
	if base.curve.group.order.setBytes(&s, scalar) != 1 {
		return nil, ErrScalar
	}
	return newPrivateKey(base, &s)
}

func newPrivateKey(base *Point, scalar *element) (*PrivateKey, error) {
	if isZero(scalar) == 1 {
		return nil, ErrScalar
	}
	k := &PrivateKey{base: base, scalar: scalar}
	var err error
	if k.point, err = k.Multiply(base); err != nil {
		return nil, err
	}
	return k, nil
}

// Point returns the public key.
func (k *PrivateKey) Point() *Point { return k.point }

// Public returns the public key, a *Point.
func (k *PrivateKey) Public() crypto.PublicKey { return k.point }

// Base returns the point that the public key is a multiple of.
func (k *PrivateKey) Base() *Point { return k.base }

// Bytes returns the scalar in OrderSize octets, for a keystore, which wipes them. It is
// nil after Destroy.
func (k *PrivateKey) Bytes() []byte {
	if k.scalar == nil {
		return nil
	}
	return k.base.curve.group.order.bytes(k.scalar)
}

// Destroy forgets the scalar. It may be repeated, but not while the key is in use.
func (k *PrivateKey) Destroy() {
	if k.scalar != nil {
		*k.scalar = element{}
		k.scalar = nil
	}
}

// Multiply returns scalar · peer. Errors: ErrCurve, ErrDestroyed.
func (k *PrivateKey) Multiply(peer *Point) (*Point, error) {
	c := k.base.curve
	switch {
	case k.scalar == nil:
		return nil, ErrDestroyed
	case peer == nil || peer.curve != c:
		return nil, ErrCurve
	}
	var r projective
	if peer == c.generator {
		c.multiplyGenerator(&r, k.scalar)
	} else {
		c.group.multiply(&r, peer.projective(), k.scalar)
	}
	return c.newPoint(&r)
}

// ECDH returns the x coordinate of scalar · peer in Size octets (TR-03111 §4.3.1). Errors
// are those of Multiply.
func (k *PrivateKey) ECDH(peer *Point) ([]byte, error) {
	p, err := k.Multiply(peer)
	if err != nil {
		return nil, err
	}
	return p.X(), nil
}

// Over returns k / divisor mod the order of the curve, in OrderSize octets: the Chip
// Authentication Data of PACE with Chip Authentication Mapping, where k is the mapping
// key and divisor the static one (Doc 9303-11 §4.4.3.5). Errors: ErrCurve, ErrDestroyed.
func (k *PrivateKey) Over(divisor *PrivateKey) ([]byte, error) {
	order := k.base.curve.group.order
	switch {
	case k.scalar == nil || divisor.scalar == nil:
		return nil, ErrDestroyed
	case k.base.curve != divisor.base.curve:
		return nil, ErrCurve
	}
	var x, y element
	order.enter(&x, k.scalar)
	order.enter(&y, divisor.scalar)
	order.invert(&y, &y)
	order.mul(&x, &x, &y)
	order.leave(&x, &x)
	return order.bytes(&x), nil
}

// Map returns s·G + H, the mapped generator of PACE (Doc 9303-11 §4.4.3.3.1): s is the
// nonce mod the order of the curve, H the shared point of the mapping's key agreement.
// Errors: ErrCurve, and ErrInfinity if H was chosen against the nonce.
func Map(c *Curve, nonce []byte, h *Point) (*Point, error) {
	if h == nil || h.curve != c {
		return nil, ErrCurve
	}
	g := &c.group
	var s element
	g.order.reduce(&s, nonce)
	var r projective
	c.multiplyGenerator(&r, &s)
	g.add(&r, &r, h.projective())
	return c.newPoint(&r)
}

func (k *PrivateKey) redacted() string {
	return fmt.Sprintf("private key on %s (redacted)", k.base.curve.name)
}

// String names the curve only.
func (k *PrivateKey) String() string { return k.redacted() }

// GoString names the curve only.
func (k *PrivateKey) GoString() string { return k.redacted() }

// Format names the curve only, whatever the verb.
func (k *PrivateKey) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, k.redacted()) }

// LogValue names the curve only.
func (k *PrivateKey) LogValue() slog.Value { return slog.StringValue(k.redacted()) }

// MarshalJSON names the curve only.
func (k *PrivateKey) MarshalJSON() ([]byte, error) { return json.Marshal(k.redacted()) }
