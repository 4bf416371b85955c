package dh

import "crypto"

// A Point lies on its curve and is never the point at infinity. It doesn't change and is
// safe for concurrent use. As a public key it is a crypto.PublicKey. Its coordinates are
// not printed, for it may be a shared secret.
type Point struct {
	curve *Curve
}

// ParsePoint reads an uncompressed point 04‖X‖Y of exact length (TR-03111 §3.2.1). What
// is no such point of the curve is ErrPoint.
func (c *Curve) ParsePoint(b []byte) (*Point, error) { panic("todo") }

// Curve returns the curve of the point.
func (p *Point) Curve() *Curve { return p.curve }

// Bytes returns 04‖X‖Y, 1 + 2·Size octets.
func (p *Point) Bytes() []byte { panic("todo") }

// X returns the x coordinate in Size octets.
func (p *Point) X() []byte { panic("todo") }

// Equal reports whether other is a *Point of the same curve with the same coordinates.
func (p *Point) Equal(other crypto.PublicKey) bool { panic("todo") }
