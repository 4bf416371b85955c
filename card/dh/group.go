package dh

// A group is the curve's arithmetic, in projective coordinates over Montgomery form.
type group struct {
	field     *modulus
	order     *modulus
	a, b, b3  element // b3 is 3b
	aIsMinus3 bool
}

// projective is the point (X/Z, Y/Z); Z is zero at infinity, (0 : 1 : 0), only.
type projective struct{ x, y, z element }

func (g *group) infinity() projective { return projective{y: g.field.one} }

// timesA sets z to a·x.
func (g *group) timesA(z, x *element) {
	if !g.aIsMinus3 {
		g.field.mul(z, x, &g.a)
		return
	}
	var t element
	g.field.add(&t, x, x)
	g.field.add(&t, &t, x)
	g.field.sub(z, &element{}, &t)
}

// add sets r to p + q. The formula is complete on curves of odd order: equal points,
// opposite ones and infinity need no case of their own (Renes, Costello, Batina, Complete
// addition formulas for prime order elliptic curves, algorithm 1).
func (g *group) add(r, p, q *projective) {
	f := g.field
	var t0, t1, t2, t3, t4, t5, x, y, z element
	f.mul(&t0, &p.x, &q.x)
	f.mul(&t1, &p.y, &q.y)
	f.mul(&t2, &p.z, &q.z)
	f.add(&t3, &p.x, &p.y)
	f.add(&t4, &q.x, &q.y)
	f.mul(&t3, &t3, &t4)
	f.add(&t4, &t0, &t1)
	f.sub(&t3, &t3, &t4) // X1·Y2 + X2·Y1
	f.add(&t4, &p.x, &p.z)
	f.add(&t5, &q.x, &q.z)
	f.mul(&t4, &t4, &t5)
	f.add(&t5, &t0, &t2)
	f.sub(&t4, &t4, &t5) // X1·Z2 + X2·Z1
	f.add(&t5, &p.y, &p.z)
	f.add(&x, &q.y, &q.z)
	f.mul(&t5, &t5, &x)
	f.add(&x, &t1, &t2)
	f.sub(&t5, &t5, &x) // Y1·Z2 + Y2·Z1
	g.timesA(&z, &t4)
	f.mul(&x, &g.b3, &t2)
	f.add(&z, &x, &z)
	f.sub(&x, &t1, &z)
	f.add(&z, &t1, &z)
	f.mul(&y, &x, &z)
	f.add(&t1, &t0, &t0)
	f.add(&t1, &t1, &t0)
	g.timesA(&t2, &t2)
	f.mul(&t4, &g.b3, &t4)
	f.add(&t1, &t1, &t2)
	f.sub(&t2, &t0, &t2)
	g.timesA(&t2, &t2)
	f.add(&t4, &t4, &t2)
	f.mul(&t0, &t1, &t4)
	f.add(&r.y, &y, &t0)
	f.mul(&t0, &t5, &t4)
	f.mul(&x, &t3, &x)
	f.sub(&r.x, &x, &t0)
	f.mul(&t0, &t3, &t1)
	f.mul(&z, &t5, &z)
	f.add(&r.z, &z, &t0)
}

// double sets r to 2p, for every p (algorithm 3 of the same paper).
func (g *group) double(r, p *projective) {
	f := g.field
	var t0, t1, t2, t3, x, y, z element
	f.mul(&t0, &p.x, &p.x)
	f.mul(&t1, &p.y, &p.y)
	f.mul(&t2, &p.z, &p.z)
	f.mul(&t3, &p.x, &p.y)
	f.add(&t3, &t3, &t3)
	f.mul(&z, &p.x, &p.z)
	f.add(&z, &z, &z)
	g.timesA(&x, &z)
	f.mul(&y, &g.b3, &t2)
	f.add(&y, &x, &y)
	f.sub(&x, &t1, &y)
	f.add(&y, &t1, &y)
	f.mul(&y, &x, &y)
	f.mul(&x, &t3, &x)
	f.mul(&z, &g.b3, &z)
	g.timesA(&t2, &t2)
	f.sub(&t3, &t0, &t2)
	g.timesA(&t3, &t3)
	f.add(&t3, &t3, &z)
	f.add(&z, &t0, &t0)
	f.add(&t0, &z, &t0)
	f.add(&t0, &t0, &t2)
	f.mul(&t0, &t0, &t3)
	f.mul(&t2, &p.y, &p.z)
	f.add(&t2, &t2, &t2)
	f.add(&r.y, &y, &t0)
	f.mul(&t0, &t2, &t3)
	f.sub(&r.x, &x, &t0)
	f.mul(&z, &t2, &t1)
	f.add(&z, &z, &z)
	f.add(&r.z, &z, &z)
}

// multiply sets r to s·p for s in plain form below the order, four bits a step. Every
// step reads the whole table of multiples.
func (g *group) multiply(r, p *projective, s *element) {
	var table [16]projective
	table[0] = g.infinity()
	table[1] = *p
	for i := 2; i < len(table); i += 2 {
		g.double(&table[i], &table[i/2])
		g.add(&table[i+1], &table[i], p)
	}
	sum := g.infinity()
	var step projective
	for i := (g.order.bits+3)/4 - 1; i >= 0; i-- {
		for range 4 {
			g.double(&sum, &sum)
		}
		g.pick(&step, &table, s[i/16]>>(i%16*4)&15)
		g.add(&sum, &sum, &step)
	}
	*r = sum
}

// pick sets p to table[index] without an access that depends on index.
func (g *group) pick(p *projective, table *[16]projective, index uint64) {
	*p = projective{}
	n := min(g.field.limbs, maxLimbs)
	for i := range table {
		d := uint64(i) ^ index
		mask := -(1 ^ (d|-d)>>63)
		e := &table[i]
		for j := range n {
			p.x[j] |= e.x[j] & mask
			p.y[j] |= e.y[j] & mask
			p.z[j] |= e.z[j] & mask
		}
	}
}

// affine sets x and y, in Montgomery form, to the coordinates of p, and reports with 0
// that p is at infinity, where they are 0.
func (g *group) affine(x, y *element, p *projective) uint64 {
	var inv element
	g.field.invert(&inv, &p.z)
	g.field.mul(x, &p.x, &inv)
	g.field.mul(y, &p.y, &inv)
	return 1 ^ isZero(&p.z)
}

// contains returns 1 if (x, y), in Montgomery form, satisfy y² = x³ + ax + b, else 0.
func (g *group) contains(x, y *element) uint64 {
	f := g.field
	var left, right element
	f.mul(&left, y, y)
	g.curve(&right, x)
	return equal(&left, &right)
}
