package dh

import (
	"crypto"
	"crypto/rand"
	"log/slog"
)

// A PrivateKey is a scalar with its base point. It must not be copied. It is never
// printed, logged or marshalled; its owner calls Destroy. It is a crypto.Signer.
type PrivateKey struct {
	_      noCopy
	scalar []byte // OrderSize octets; nil once destroyed
	base   *Point
	point  *Point
}

// noCopy makes go vet complain about copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Generate makes a key on the generator of the curve.
func (c *Curve) Generate() (*PrivateKey, error) { return GenerateOn(c.g) }

// NewPrivateKey makes a key on the generator from a scalar of OrderSize octets in
// [1, n-1]; others are ErrScalar.
func (c *Curve) NewPrivateKey(scalar []byte) (*PrivateKey, error) {
	return NewPrivateKeyOn(c.g, scalar)
}

// GenerateOn makes a key on a base point, as PACE does on the mapped generator.
func GenerateOn(base *Point) (*PrivateKey, error) {
	return newKey(base, base.curve.randomScalar())
}

// NewPrivateKeyOn makes a key on a base point from a scalar; see NewPrivateKey.
func NewPrivateKeyOn(base *Point, scalar []byte) (*PrivateKey, error) {
	if !base.curve.validScalar(scalar) {
		return nil, ErrScalar
	}
	return newKey(base, append([]byte{}, scalar...))
}

func newKey(base *Point, scalar []byte) (*PrivateKey, error) {
	c := base.curve
	r := c.multiply(scalar, c.lift(base))
	point, err := c.affine(&r)
	if err != nil {
		return nil, err
	}
	return &PrivateKey{scalar: scalar, base: base, point: point}, nil
}

// validScalar reports whether b is a scalar in [1, n-1] of OrderSize octets.
func (c *Curve) validScalar(b []byte) bool {
	var e element
	return len(b) == c.OrderSize() && c.order.setBytes(&e, b) && e.isZero() == 0
}

// randomScalar draws until the number is in range. What is thrown away says nothing
// about what is kept.
func (c *Curve) randomScalar() []byte {
	b := make([]byte, c.OrderSize())
	for {
		rand.Read(b)
		c.cut(b)
		if c.validScalar(b) {
			return b
		}
	}
}

// cut clears the bits of b above the order's length.
func (c *Curve) cut(b []byte) {
	b[0] &= byte(0xFF >> (8*c.order.octets - c.p.N.BitLen()))
}

// Point returns the public key.
func (k *PrivateKey) Point() *Point { return k.point }

// Public returns the public key, a *Point.
func (k *PrivateKey) Public() crypto.PublicKey { return k.point }

// Bytes returns the scalar in OrderSize octets, for a keystore, which wipes them; nil
// after Destroy.
func (k *PrivateKey) Bytes() []byte {
	if k.scalar == nil {
		return nil
	}
	return append([]byte{}, k.scalar...)
}

// Destroy forgets the scalar. It may be called more than once.
func (k *PrivateKey) Destroy() {
	clear(k.scalar)
	k.scalar = nil
}

// Multiply returns scalar · peer.
func (k *PrivateKey) Multiply(peer *Point) (*Point, error) {
	if k.scalar == nil {
		return nil, ErrDestroyed
	}
	c := k.point.curve
	if peer == nil || peer.curve != c {
		return nil, ErrCurve
	}
	r := c.multiply(k.scalar, c.lift(peer))
	return c.affine(&r)
}

// ECDH returns the x coordinate of scalar · peer in Size octets (TR-03111 §4.3.1).
func (k *PrivateKey) ECDH(peer *Point) ([]byte, error) {
	p, err := k.Multiply(peer)
	if err != nil {
		return nil, err
	}
	return p.X(), nil
}

// Map returns s·G + H, the generic mapping of PACE (Doc 9303-11 §4.4.3.3.1). The nonce s
// has any length and is taken modulo the order; it is a secret.
func Map(c *Curve, nonce []byte, h *Point) (*Point, error) {
	if h == nil || h.curve != c {
		return nil, ErrCurve
	}
	var s element
	c.order.setWide(&s, nonce)
	scalar := c.order.bytes(&s)
	r := c.multiply(scalar, c.lift(c.g))
	clear(scalar)
	clear(s[:])
	q := c.lift(h)
	c.add(&r, &r, &q)
	return c.affine(&r)
}

const redacted = "dh.PrivateKey(redacted)"

// String hides the scalar.
func (k *PrivateKey) String() string { return redacted }

// GoString hides the scalar.
func (k *PrivateKey) GoString() string { return redacted }

// LogValue hides the scalar.
func (k *PrivateKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the scalar.
func (k *PrivateKey) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
