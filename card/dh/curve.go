package dh

import (
	"encoding/asn1"
	"math/big"
)

// Parameters are the domain parameters of a curve y² = x³ + Ax + B over the field of P:
// base point (Gx, Gy) of order N with cofactor H.
type Parameters struct {
	P, A, B, Gx, Gy, N *big.Int
	H                  int
}

// A Curve is one set of domain parameters. There is one value for each, so that curves
// compare by ==. A Curve is safe for concurrent use.
type Curve struct {
	name string
}

func P192() *Curve            { panic("todo") }
func P224() *Curve            { panic("todo") }
func P256() *Curve            { panic("todo") }
func P384() *Curve            { panic("todo") }
func P521() *Curve            { panic("todo") }
func BrainpoolP192r1() *Curve { panic("todo") }
func BrainpoolP224r1() *Curve { panic("todo") }
func BrainpoolP256r1() *Curve { panic("todo") }
func BrainpoolP320r1() *Curve { panic("todo") }
func BrainpoolP384r1() *Curve { panic("todo") }
func BrainpoolP512r1() *Curve { panic("todo") }

// ByID returns the curve with a standardised domain parameter id, 8 to 18, of
// TR-03110-3 table 4 (Doc 9303-11 table 6). Any other id is ErrUnknownCurve.
func ByID(id int) (*Curve, error) { panic("todo") }

// ByOID returns the curve that an object identifier names, else ErrUnknownCurve.
func ByOID(oid asn1.ObjectIdentifier) (*Curve, error) { panic("todo") }

// ByParameters returns the curve whose every parameter, the base point and the cofactor
// included, equals p's, else ErrUnknownCurve.
func ByParameters(p Parameters) (*Curve, error) { panic("todo") }

// Name returns "P-256" or "brainpoolP256r1".
func (c *Curve) Name() string { return c.name }

// ID returns the standardised domain parameter id, if there is one.
func (c *Curve) ID() (int, bool) { panic("todo") }

// OID returns the object identifier of the named curve.
func (c *Curve) OID() asn1.ObjectIdentifier { panic("todo") }

// Parameters returns the domain parameters in values of the caller's own.
func (c *Curve) Parameters() Parameters { panic("todo") }

// Size returns the octets of a coordinate.
func (c *Curve) Size() int { panic("todo") }

// OrderSize returns the octets of a scalar and of each half of a plain signature.
func (c *Curve) OrderSize() int { panic("todo") }

// Generator returns the base point.
func (c *Curve) Generator() *Point { panic("todo") }
