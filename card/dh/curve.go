package dh

import (
	"encoding/asn1"
	"math/big"
	"slices"
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
	name      string
	id        int
	oid       asn1.ObjectIdentifier
	group     group
	generator *Point
	odd       func() []affine // odd multiples of the generator, for verification
	comb      func() *comb    // all that a Verifier needs of it
	fixed     *fixed          // multiples of the generator for secret scalars
}

// firstID is the domain parameter id of the first of the curves.
const firstID = 8

// P192 returns NIST P-192, secp192r1.
func P192() *Curve { return curves[8-firstID]() }

// P224 returns NIST P-224, secp224r1.
func P224() *Curve { return curves[10-firstID]() }

// P256 returns NIST P-256, secp256r1.
func P256() *Curve { return curves[12-firstID]() }

// P384 returns NIST P-384, secp384r1.
func P384() *Curve { return curves[15-firstID]() }

// P521 returns NIST P-521, secp521r1.
func P521() *Curve { return curves[18-firstID]() }

// BrainpoolP192r1 returns the curve of that name of RFC 5639.
func BrainpoolP192r1() *Curve { return curves[9-firstID]() }

// BrainpoolP224r1 returns the curve of that name of RFC 5639.
func BrainpoolP224r1() *Curve { return curves[11-firstID]() }

// BrainpoolP256r1 returns the curve of that name of RFC 5639.
func BrainpoolP256r1() *Curve { return curves[13-firstID]() }

// BrainpoolP320r1 returns the curve of that name of RFC 5639.
func BrainpoolP320r1() *Curve { return curves[14-firstID]() }

// BrainpoolP384r1 returns the curve of that name of RFC 5639.
func BrainpoolP384r1() *Curve { return curves[16-firstID]() }

// BrainpoolP512r1 returns the curve of that name of RFC 5639.
func BrainpoolP512r1() *Curve { return curves[17-firstID]() }

// ByID returns the curve with a standardised domain parameter id, 8 to 18, of
// TR-03110-3 table 4 (Doc 9303-11 table 6). Any other id is ErrUnknownCurve.
func ByID(id int) (*Curve, error) {
	if id < firstID || id >= firstID+len(curves) {
		return nil, ErrUnknownCurve
	}
	return curves[id-firstID](), nil
}

// ByOID returns the curve that an object identifier names, else ErrUnknownCurve.
func ByOID(oid asn1.ObjectIdentifier) (*Curve, error) {
	for _, curve := range curves {
		if c := curve(); c.oid.Equal(oid) {
			return c, nil
		}
	}
	return nil, ErrUnknownCurve
}

// ByParameters returns the curve whose every parameter, the base point and the cofactor
// included, equals p's, else ErrUnknownCurve. Whoever takes parameters from a file must
// come through here: a base point of an attacker's choice makes any signature verify. A
// cofactor left out of an encoding is the caller's to fill in.
func ByParameters(p Parameters) (*Curve, error) {
	for _, curve := range curves {
		if c := curve(); c.Parameters().equal(p) {
			return c, nil
		}
	}
	return nil, ErrUnknownCurve
}

func (p Parameters) equal(q Parameters) bool {
	return p.H == q.H && slices.EqualFunc(p.numbers(), q.numbers(), func(x, y *big.Int) bool {
		return x != nil && y != nil && x.Cmp(y) == 0
	})
}

func (p Parameters) numbers() []*big.Int {
	return []*big.Int{p.P, p.A, p.B, p.Gx, p.Gy, p.N}
}

// newCurve sets up a curve of prime order over a prime field from constants.
func newCurve(k curveConstants) *Curve {
	p := k.parameters()
	c := &Curve{name: k.name, id: k.id, oid: k.oid}
	g := &c.group
	g.field, g.order = newModulus(p.P), newModulus(p.N)
	g.a, g.b = limbsOf(p.A), limbsOf(p.B)
	g.field.enter(&g.a, &g.a)
	g.field.enter(&g.b, &g.b)
	g.field.add(&g.b3, &g.b, &g.b)
	g.field.add(&g.b3, &g.b3, &g.b)
	g.aIsMinus3 = new(big.Int).Sub(p.P, p.A).Cmp(big.NewInt(3)) == 0
	c.generator = &Point{curve: c, x: limbsOf(p.Gx), y: limbsOf(p.Gy)}
	g.field.enter(&c.generator.x, &c.generator.x)
	g.field.enter(&c.generator.y, &c.generator.y)
	c.odd = sync.OnceValue(func() []affine { return g.oddMultiples(c.generator, generatorWindow) })
	c.fixed = newFixed(c)
	c.comb = sync.OnceValue(func() *comb { return newComb(c.generator, generatorComb) })
	return c
}

func (k curveConstants) parameters() Parameters {
	number := func(s string) *big.Int {
		v, ok := new(big.Int).SetString(s, 16)
		if !ok {
			panic("dh: bad constant of " + k.name)
		}
		return v
	}
	return Parameters{number(k.p), number(k.a), number(k.b), number(k.x), number(k.y), number(k.n), 1}
}

// Name returns the curve's name as its standard writes it: P-256, brainpoolP256r1.
func (c *Curve) Name() string { return c.name }

// String returns the name.
func (c *Curve) String() string { return c.name }

// ID returns the standardised domain parameter id of TR-03110-3 table 4, if there is one.
func (c *Curve) ID() (int, bool) { return c.id, c.id != 0 }

// OID returns the object identifier of the named curve.
func (c *Curve) OID() asn1.ObjectIdentifier { return slices.Clone(c.oid) }

// Parameters returns the domain parameters in values of the caller's own.
func (c *Curve) Parameters() Parameters {
	f := c.group.field
	number := func(x *element) *big.Int {
		var plain element
		f.leave(&plain, x)
		return new(big.Int).SetBytes(f.bytes(&plain))
	}
	return Parameters{
		P:  new(big.Int).SetBytes(f.bytes(&f.value)),
		A:  number(&c.group.a),
		B:  number(&c.group.b),
		Gx: number(&c.generator.x),
		Gy: number(&c.generator.y),
		N:  new(big.Int).SetBytes(c.group.order.bytes(&c.group.order.value)),
		H:  1,
	}
}

// Size returns the octets of a coordinate.
func (c *Curve) Size() int { return c.group.field.size }

// OrderSize returns the octets of a scalar and of each half of a plain signature.
func (c *Curve) OrderSize() int { return c.group.order.size }

// Generator returns the base point.
func (c *Curve) Generator() *Point { return c.generator }
