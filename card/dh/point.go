package dh

import (
	"crypto"
	"fmt"
)

// A Point lies on its curve and is never the point at infinity. It doesn't change and is
// safe for concurrent use. As a public key it is a crypto.PublicKey. Printing shows its
// curve only, for the coordinates may be a shared secret.
type Point struct {
	curve *Curve
	x, y  element // in Montgomery form
}

// ParsePoint reads an uncompressed point 04‖X‖Y of exact length (TR-03111 §3.2.1). What
// is no such point of the curve is ErrPoint.
func (c *Curve) ParsePoint(b []byte) (*Point, error) {
	size := c.Size()
	if len(b) != 1+2*size || b[0] != 4 {
		return nil, ErrPoint
	}
	f := c.group.field
	p := &Point{curve: c}
	ok := f.setBytes(&p.x, b[1:1+size])
	ok &= f.setBytes(&p.y, b[1+size:])
	f.enter(&p.x, &p.x)
	f.enter(&p.y, &p.y)
	ok &= c.group.contains(&p.x, &p.y)
	if ok != 1 {
		return nil, ErrPoint
	}
	return p, nil
}

// newPoint returns p in affine coordinates, or ErrInfinity.
func (c *Curve) newPoint(p *projective) (*Point, error) {
	r := &Point{curve: c}
	if c.group.affine(&r.x, &r.y, p) == 0 {
		return nil, ErrInfinity
	}
	return r, nil
}

func (p *Point) projective() *projective {
	return &projective{x: p.x, y: p.y, z: p.curve.group.field.one}
}

// Curve returns the curve of the point.
func (p *Point) Curve() *Curve { return p.curve }

// Bytes returns 04‖X‖Y, 1 + 2·Size octets.
func (p *Point) Bytes() []byte {
	b := make([]byte, 1, 1+2*p.curve.Size())
	b[0] = 4
	b = append(b, p.X()...)
	return append(b, p.coordinate(&p.y)...)
}

// X returns the x coordinate in Size octets.
func (p *Point) X() []byte { return p.coordinate(&p.x) }

func (p *Point) coordinate(v *element) []byte {
	f := p.curve.group.field
	var plain element
	f.leave(&plain, v)
	return f.bytes(&plain)
}

// Equal reports whether other is a *Point of the same curve with the same coordinates.
// Time does not depend on the coordinates.
func (p *Point) Equal(other crypto.PublicKey) bool {
	q, ok := other.(*Point)
	return ok && q != nil && p.curve == q.curve && equal(&p.x, &q.x)&equal(&p.y, &q.y) == 1
}

// Format writes the name of the curve, whatever the verb.
func (p *Point) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "point on %s", p.curve.name)
}
