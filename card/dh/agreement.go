package dh

import (
	"crypto"
	"fmt"
)

// Group is a set of domain parameters that keys are agreed over: a *Curve or a *MODP.
// Two groups are the same if they compare by ==.
type Group interface {
	// Name is the group's name as its standard writes it.
	Name() string
	// ID returns the standardised domain parameter id of TR-03110-3 table 4, if there
	// is one.
	ID() (int, bool)
	// Bits is the length of the field's prime.
	Bits() int
	// Size returns the octets of a shared secret: of a coordinate, or of the prime.
	Size() int
	// Base returns the generator.
	Base() Element
	// ParseElement reads a public key in the encoding of TR-03110-3 §D.3 without its
	// tag: an uncompressed point, or an unsigned integer. What is no key that an
	// honest end can have is ErrPoint.
	ParseElement(b []byte) (Element, error)
	// MapGeneric returns the mapped generator of PACE's generic mapping: the nonce and
	// the secret h of the mapping's agreement (Doc 9303-11 §4.4.3.3.1).
	MapGeneric(nonce []byte, h Element) (Element, error)
	// MapIntegrated returns the mapped generator of PACE's integrated mapping from the
	// output of the pseudo-random number mapping R_p(s, t) (Doc 9303-11 §4.4.3.3.2),
	// before its reduction.
	MapIntegrated(random []byte) (Element, error)
}

// Element is a public key, or a generator: a *Point of a Curve or a *Value of a MODP.
type Element interface {
	Group() Group
	// Bytes returns what ParseElement reads.
	Bytes() []byte
	// Equal reports in constant time whether other is the same element.
	Equal(other crypto.PublicKey) bool
}

// Secret is a private key with its base element. Its owner calls Destroy.
type Secret interface {
	// Element returns the public key.
	Element() Element
	// Combine returns the peer's element to the power of the secret. An element that no
	// honest peer can cause is ErrInfinity, one of another group ErrCurve.
	Combine(peer Element) (Element, error)
	// Agree returns the shared secret in Size octets: the coordinate X, or the integer.
	Agree(peer Element) ([]byte, error)
	Destroy()
}

// GroupByID returns the group with a standardised domain parameter id of TR-03110-3
// table 4 (Doc 9303-11 table 6). Any other id is ErrUnknownCurve.
func GroupByID(id int) (Group, error) {
	if id >= 0 && id < len(modps) {
		return modps[id](), nil
	}
	c, err := ByID(id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// GenerateSecret makes a key on a base element.
func GenerateSecret(base Element) (Secret, error) {
	switch b := base.(type) {
	case *Point:
		return GenerateOn(b)
	case *Value:
		return generateExponent(b)
	}
	return nil, fmt.Errorf("%T: %w", base, ErrUnknownCurve)
}

// NewSecret makes a key on a base element from a scalar; see NewPrivateKeyOn.
func NewSecret(base Element, scalar []byte) (Secret, error) {
	switch b := base.(type) {
	case *Point:
		return NewPrivateKeyOn(b, scalar)
	case *Value:
		return newExponent(b, scalar)
	}
	return nil, fmt.Errorf("%T: %w", base, ErrUnknownCurve)
}

// Bits is the length of the field's prime.
func (c *Curve) Bits() int { return c.Parameters().P.BitLen() }

// Base returns Generator.
func (c *Curve) Base() Element { return c.generator }

// ParseElement is ParsePoint.
func (c *Curve) ParseElement(b []byte) (Element, error) {
	p, err := c.ParsePoint(b)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// MapGeneric is Map.
func (c *Curve) MapGeneric(nonce []byte, h Element) (Element, error) {
	p, ok := h.(*Point)
	if !ok {
		return nil, ErrCurve
	}
	m, err := Map(c, nonce, p)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Group returns Curve.
func (p *Point) Group() Group { return p.curve }

// Element returns Point.
func (k *PrivateKey) Element() Element { return k.point }

// Combine is Multiply.
func (k *PrivateKey) Combine(peer Element) (Element, error) {
	p, ok := peer.(*Point)
	if !ok {
		return nil, ErrCurve
	}
	r, err := k.Multiply(p)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Agree is ECDH.
func (k *PrivateKey) Agree(peer Element) ([]byte, error) {
	p, ok := peer.(*Point)
	if !ok {
		return nil, ErrCurve
	}
	return k.ECDH(p)
}
