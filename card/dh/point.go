package dh

import "crypto"

// A Point lies on its curve and is never the point at infinity. It doesn't change and is
// safe for concurrent use. As a public key it is a crypto.PublicKey. Its coordinates are
// not printed, for it may be a shared secret.
type Point struct {
	curve *Curve
	x, y  element // in Montgomery form
}

// uncompressed is the first octet of the encoding.
const uncompressed = 4

// ParsePoint reads an uncompressed point 04‖X‖Y of exact length (TR-03111 §3.2.1). What
// is no such point of the curve is ErrPoint.
func (c *Curve) ParsePoint(b []byte) (*Point, error) {
	n := c.Size()
	if len(b) != 1+2*n || b[0] != uncompressed {
		return nil, ErrPoint
	}
	p := &Point{curve: c}
	f := c.field
	if !f.setBytes(&p.x, b[1:1+n]) || !f.setBytes(&p.y, b[1+n:]) {
		return nil, ErrPoint
	}
	f.toMontgomery(&p.x)
	f.toMontgomery(&p.y)
	if !c.contains(p) {
		return nil, ErrPoint
	}
	return p, nil
}

// contains reports whether y² = x³ + ax + b.
func (c *Curve) contains(p *Point) bool {
	f := c.field
	var left, right element
	f.mul(&left, &p.y, &p.y)
	f.mul(&right, &p.x, &p.x)
	f.add(&right, &right, &c.a)
	f.mul(&right, &right, &p.x)
	f.add(&right, &right, &c.b)
	return left.equal(&right) == 1
}

// Curve returns the curve of the point.
func (p *Point) Curve() *Curve { return p.curve }

// Bytes returns 04‖X‖Y, 1 + 2·Size octets.
func (p *Point) Bytes() []byte {
	b := append(make([]byte, 0, 1+2*p.curve.Size()), uncompressed)
	return append(append(b, p.coordinate(p.x)...), p.coordinate(p.y)...)
}

// X returns the x coordinate in Size octets.
func (p *Point) X() []byte { return p.coordinate(p.x) }

func (p *Point) coordinate(v element) []byte {
	p.curve.field.fromMontgomery(&v)
	return p.curve.field.bytes(&v)
}

// Equal reports whether other is a *Point of the same curve with the same coordinates.
func (p *Point) Equal(other crypto.PublicKey) bool {
	q, ok := other.(*Point)
	return ok && q != nil && p.curve == q.curve && p.x.equal(&q.x)&p.y.equal(&q.y) == 1
}

// String says the curve and hides the coordinates.
func (p *Point) String() string { return "point on " + p.curve.name }

// GoString is String.
func (p *Point) GoString() string { return p.String() }
