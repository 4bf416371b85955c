package dh

// projective is X:Y:Z with x = X/Z and y = Y/Z in Montgomery form; 0:1:0 is the point at
// infinity.
type projective struct{ x, y, z element }

func (c *Curve) infinity() projective { return projective{y: c.field.one} }

func (c *Curve) lift(p *Point) projective { return projective{p.x, p.y, c.field.one} }

// add sets r = p + q for all points, equal, inverse and infinite ones too: algorithm 1
// of Renes, Costello, Batina, "Complete addition formulas for prime order elliptic
// curves" (2016), for any a.
func (c *Curve) add(r, p, q *projective) {
	f := c.field
	var t0, t1, t2, t3, t4, t5, x3, y3, z3 element
	f.mul(&t0, &p.x, &q.x)
	f.mul(&t1, &p.y, &q.y)
	f.mul(&t2, &p.z, &q.z)
	f.add(&t3, &p.x, &p.y)
	f.add(&t4, &q.x, &q.y)
	f.mul(&t3, &t3, &t4)
	f.add(&t4, &t0, &t1)
	f.sub(&t3, &t3, &t4)
	f.add(&t4, &p.x, &p.z)
	f.add(&t5, &q.x, &q.z)
	f.mul(&t4, &t4, &t5)
	f.add(&t5, &t0, &t2)
	f.sub(&t4, &t4, &t5)
	f.add(&t5, &p.y, &p.z)
	f.add(&x3, &q.y, &q.z)
	f.mul(&t5, &t5, &x3)
	f.add(&x3, &t1, &t2)
	f.sub(&t5, &t5, &x3)
	f.mul(&z3, &c.a, &t4)
	f.mul(&x3, &c.b3, &t2)
	f.add(&z3, &x3, &z3)
	f.sub(&x3, &t1, &z3)
	f.add(&z3, &t1, &z3)
	f.mul(&y3, &x3, &z3)
	f.add(&t1, &t0, &t0)
	f.add(&t1, &t1, &t0)
	f.mul(&t2, &c.a, &t2)
	f.mul(&t4, &c.b3, &t4)
	f.add(&t1, &t1, &t2)
	f.sub(&t2, &t0, &t2)
	f.mul(&t2, &c.a, &t2)
	f.add(&t4, &t4, &t2)
	f.mul(&t0, &t1, &t4)
	f.add(&y3, &y3, &t0)
	f.mul(&t0, &t5, &t4)
	f.mul(&x3, &t3, &x3)
	f.sub(&x3, &x3, &t0)
	f.mul(&t0, &t3, &t1)
	f.mul(&z3, &t5, &z3)
	f.add(&z3, &z3, &t0)
	*r = projective{x3, y3, z3}
}

// double sets r = 2p: algorithm 3 of the same paper.
func (c *Curve) double(r, p *projective) {
	f := c.field
	var t0, t1, t2, t3, x3, y3, z3 element
	f.mul(&t0, &p.x, &p.x)
	f.mul(&t1, &p.y, &p.y)
	f.mul(&t2, &p.z, &p.z)
	f.mul(&t3, &p.x, &p.y)
	f.add(&t3, &t3, &t3)
	f.mul(&z3, &p.x, &p.z)
	f.add(&z3, &z3, &z3)
	f.mul(&x3, &c.a, &z3)
	f.mul(&y3, &c.b3, &t2)
	f.add(&y3, &x3, &y3)
	f.sub(&x3, &t1, &y3)
	f.add(&y3, &t1, &y3)
	f.mul(&y3, &x3, &y3)
	f.mul(&x3, &t3, &x3)
	f.mul(&z3, &c.b3, &z3)
	f.mul(&t2, &c.a, &t2)
	f.sub(&t3, &t0, &t2)
	f.mul(&t3, &c.a, &t3)
	f.add(&t3, &t3, &z3)
	f.add(&z3, &t0, &t0)
	f.add(&t0, &z3, &t0)
	f.add(&t0, &t0, &t2)
	f.mul(&t0, &t0, &t3)
	f.add(&y3, &y3, &t0)
	f.mul(&t2, &p.y, &p.z)
	f.add(&t2, &t2, &t2)
	f.mul(&t0, &t2, &t3)
	f.sub(&x3, &x3, &t0)
	f.mul(&z3, &t2, &t1)
	f.add(&z3, &z3, &z3)
	f.add(&z3, &z3, &z3)
	*r = projective{x3, y3, z3}
}

// window holds 0·p to 15·p.
type window [16]projective

func (c *Curve) window(p projective) *window {
	var w window
	w[0], w[1] = c.infinity(), p
	for i := 2; i < len(w); i += 2 {
		c.double(&w[i], &w[i/2])
		c.add(&w[i+1], &w[i], &p)
	}
	return &w
}

// pick sets r to the entry of a secret index by reading all of them.
func (w *window) pick(r *projective, index byte) {
	*r = projective{}
	for i := range w {
		d := uint64(index) ^ uint64(i)
		mask := ((d | -d) >> 63) - 1 // all ones where d is 0
		for j := range r.x {
			r.x[j] |= w[i].x[j] & mask
			r.y[j] |= w[i].y[j] & mask
			r.z[j] |= w[i].z[j] & mask
		}
	}
}

// multiply returns k·p for a secret scalar of OrderSize octets: the same steps for every
// scalar.
func (c *Curve) multiply(k []byte, p projective) projective {
	w := c.window(p)
	acc := c.infinity()
	var term projective
	for _, o := range k {
		for _, nibble := range [2]byte{o >> 4, o & 15} {
			for range 4 {
				c.double(&acc, &acc)
			}
			w.pick(&term, nibble)
			c.add(&acc, &acc, &term)
		}
	}
	return acc
}

// combine returns u·g + v·p for public scalars of OrderSize octets, in variable time.
func (c *Curve) combine(u, v []byte, p projective) projective {
	g, w := c.base(), c.window(p)
	acc := c.infinity()
	for i := range u {
		for shift := 4; shift >= 0; shift -= 4 {
			for range 4 {
				c.double(&acc, &acc)
			}
			if d := u[i] >> shift & 15; d != 0 {
				c.add(&acc, &acc, &g[d])
			}
			if d := v[i] >> shift & 15; d != 0 {
				c.add(&acc, &acc, &w[d])
			}
		}
	}
	return acc
}

// affine gives the point of a projective one, or ErrInfinity.
func (c *Curve) affine(p *projective) (*Point, error) {
	if p.z.isZero() == 1 {
		return nil, ErrInfinity
	}
	var inv element
	c.field.invert(&inv, &p.z)
	r := &Point{curve: c}
	c.field.mul(&r.x, &p.x, &inv)
	c.field.mul(&r.y, &p.y, &inv)
	return r, nil
}
