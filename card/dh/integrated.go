package dh

import "math/big"

// MapIntegrated encodes a number as a point (Doc 9303-11 §4.4.3.3.2 and Appendix B.2, in
// affine coordinates): x is random mod p. It takes no branch from x. A field whose prime
// is 1 mod 4, which is that of P-224 alone, has no such encoding and gives
// ErrUnknownCurve; x in {0, 1, -1}, of which no chance comes, is ErrInfinity.
func (c *Curve) MapIntegrated(random []byte) (Element, error) {
	f := c.group.field
	exponent := encodingExponent(c.Parameters().P)
	if exponent == nil {
		return nil, ErrUnknownCurve
	}
	var t, alpha, x2, x3, h, u, root, check element
	f.reduce(&t, random)
	f.enter(&t, &t)
	degenerate := c.candidates(&alpha, &x2, &x3, &t)
	c.group.curve(&h, &x2)
	f.mul(&u, &t, &t) // U = t³·h
	f.mul(&u, &u, &t)
	f.mul(&u, &u, &h)
	f.exp(&root, &h, exponent)
	f.mul(&check, &root, &root)
	f.mul(&check, &check, &h)
	square := equal(&check, &f.one)
	p := &Point{curve: c}
	pick(&p.x, square, &x2, &x3)
	pick(&u, square, &h, &u)
	f.mul(&p.y, &root, &u)
	if degenerate == 1 || c.group.contains(&p.x, &p.y) == 0 {
		return nil, ErrInfinity
	}
	return p, nil
}

// candidates sets alpha to -t², x2 to -b/a·(1 + 1/(alpha + alpha²)) and x3 to alpha·x2.
// It returns 1 if there is nothing to divide by.
func (c *Curve) candidates(alpha, x2, x3, t *element) uint64 {
	g, f := &c.group, c.group.field
	var square, d element
	f.mul(&square, t, t)
	f.sub(alpha, &element{}, &square)
	f.mul(&d, alpha, alpha)
	f.add(&d, &d, alpha)
	none := isZero(&d)
	f.invert(&d, &d)
	f.add(&d, &d, &f.one)
	f.invert(x2, &g.a)
	f.mul(x2, x2, &g.b)
	f.sub(x2, &element{}, x2)
	f.mul(x2, x2, &d)
	f.mul(x3, alpha, x2)
	return none
}

// curve sets z to x³ + ax + b, all in Montgomery form.
func (g *group) curve(z, x *element) {
	f := g.field
	var ax element
	g.timesA(&ax, x)
	f.add(&ax, &ax, &g.b)
	f.mul(z, x, x)
	f.mul(z, z, x)
	f.add(z, z, &ax)
}

// pick sets z to a if which is 1 and to b if it is 0.
func pick(z *element, which uint64, a, b *element) {
	mask := -which
	for i := range z {
		z[i] = a[i]&mask | b[i]&^mask
	}
}

// encodingExponent is p - 1 - (p+1)/4, with which 1/√h is had for squares h, nil if p is
// not 3 mod 4. It is public.
func encodingExponent(p *big.Int) *element {
	if p.Bit(1) == 0 {
		return nil
	}
	e := new(big.Int).Add(p, big.NewInt(1))
	e.Sub(new(big.Int).Sub(p, big.NewInt(1)), e.Rsh(e, 2))
	limbs := limbsOf(e)
	return &limbs
}
