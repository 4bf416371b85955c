package dh

import (
	"encoding/asn1"
	"math/big"
	"sync"
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
	name   string
	id     int
	oid    asn1.ObjectIdentifier
	p      Parameters
	field  *modulus // of coordinates
	order  *modulus // of scalars
	a, b   element  // Montgomery form
	b3     element  // 3b
	g      *Point
	base   func() *window // of the generator, made once
	nBytes []byte
}

// curves holds each curve once it was asked for.
var curves = func() (list [len(definitions)]func() *Curve) {
	for i := range definitions {
		list[i] = sync.OnceValue(definitions[i].curve)
	}
	return list
}()

func number(hex string) *big.Int {
	n, _ := new(big.Int).SetString(hex, 16)
	return n
}

func (d definition) curve() *Curve {
	p := Parameters{number(d.p), number(d.a), number(d.b), number(d.x), number(d.y), number(d.n), 1}
	c := &Curve{name: d.name, id: d.id, oid: d.oid, p: p, field: newModulus(p.P), order: newModulus(p.N)}
	c.a, c.b = limbsOf(p.A), limbsOf(p.B)
	c.field.toMontgomery(&c.a)
	c.field.toMontgomery(&c.b)
	c.field.add(&c.b3, &c.b, &c.b)
	c.field.add(&c.b3, &c.b3, &c.b)
	c.g = &Point{curve: c, x: limbsOf(p.Gx), y: limbsOf(p.Gy)}
	c.field.toMontgomery(&c.g.x)
	c.field.toMontgomery(&c.g.y)
	c.base = sync.OnceValue(func() *window { return c.window(c.lift(c.g)) })
	c.nBytes = p.N.FillBytes(make([]byte, c.order.octets))
	return c
}

// P192, P224, P256, P384 and P521 are the prime curves of FIPS 186-4 §D.1.2.
func P192() *Curve { return curves[rowP192]() }

// P224 is described at P192.
func P224() *Curve { return curves[rowP224]() }

// P256 is described at P192.
func P256() *Curve { return curves[rowP256]() }

// P384 is described at P192.
func P384() *Curve { return curves[rowP384]() }

// P521 is described at P192.
func P521() *Curve { return curves[rowP521]() }

// BrainpoolP192r1 and the following are the curves of RFC 5639 §3.
func BrainpoolP192r1() *Curve { return curves[rowBrainpoolP192r1]() }

// BrainpoolP224r1 is described at BrainpoolP192r1.
func BrainpoolP224r1() *Curve { return curves[rowBrainpoolP224r1]() }

// BrainpoolP256r1 is described at BrainpoolP192r1.
func BrainpoolP256r1() *Curve { return curves[rowBrainpoolP256r1]() }

// BrainpoolP320r1 is described at BrainpoolP192r1.
func BrainpoolP320r1() *Curve { return curves[rowBrainpoolP320r1]() }

// BrainpoolP384r1 is described at BrainpoolP192r1.
func BrainpoolP384r1() *Curve { return curves[rowBrainpoolP384r1]() }

// BrainpoolP512r1 is described at BrainpoolP192r1.
func BrainpoolP512r1() *Curve { return curves[rowBrainpoolP512r1]() }

// ByID returns the curve with a standardised domain parameter id, 8 to 18, of
// TR-03110-3 table 4 (Doc 9303-11 table 6). Any other id is ErrUnknownCurve.
func ByID(id int) (*Curve, error) {
	return find(func(d *definition) bool { return d.id == id })
}

// ByOID returns the curve that an object identifier names, else ErrUnknownCurve.
func ByOID(oid asn1.ObjectIdentifier) (*Curve, error) {
	return find(func(d *definition) bool { return d.oid.Equal(oid) })
}

// ByParameters returns the curve whose every parameter, the base point and the cofactor
// included, equals p's, else ErrUnknownCurve.
func ByParameters(p Parameters) (*Curve, error) {
	for _, v := range []*big.Int{p.P, p.A, p.B, p.Gx, p.Gy, p.N} {
		if v == nil || v.Sign() < 0 {
			return nil, ErrUnknownCurve
		}
	}
	return find(func(d *definition) bool {
		return p.H == 1 && same(p.P, d.p) && same(p.A, d.a) && same(p.B, d.b) &&
			same(p.Gx, d.x) && same(p.Gy, d.y) && same(p.N, d.n)
	})
}

func same(v *big.Int, hex string) bool { return v.Text(16) == hex }

func find(is func(*definition) bool) (*Curve, error) {
	for i := range definitions {
		if is(&definitions[i]) {
			return curves[i](), nil
		}
	}
	return nil, ErrUnknownCurve
}

// Name returns "P-256" or "brainpoolP256r1".
func (c *Curve) Name() string { return c.name }

// ID returns the standardised domain parameter id, if there is one.
func (c *Curve) ID() (int, bool) { return c.id, c.id >= 0 }

// OID returns the object identifier of the named curve.
func (c *Curve) OID() asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{}, c.oid...)
}

// Parameters returns the domain parameters in values of the caller's own.
func (c *Curve) Parameters() Parameters {
	clone := func(v *big.Int) *big.Int { return new(big.Int).Set(v) }
	return Parameters{clone(c.p.P), clone(c.p.A), clone(c.p.B), clone(c.p.Gx), clone(c.p.Gy), clone(c.p.N), c.p.H}
}

// Size returns the octets of a coordinate.
func (c *Curve) Size() int { return c.field.octets }

// OrderSize returns the octets of a scalar and of each half of a plain signature.
func (c *Curve) OrderSize() int { return c.order.octets }

// Generator returns the base point.
func (c *Curve) Generator() *Point { return c.g }
