package dh

// affine is a point (X, Y) in Montgomery form, never infinity.
type affine struct{ x, y element }

// publicPoint is the point (X/ZZ, Y/ZZZ) with ZZ³ = ZZZ², in variable time. ZZ is zero at
// infinity, as in the zero value.
type publicPoint struct{ x, y, zz, zzz element }

func (g *group) lift(p *affine) publicPoint {
	return publicPoint{p.x, p.y, g.field.one, g.field.one}
}

// addPublic adds q to p (Bernstein and Lange, Explicit-Formulas Database, XYZZ coordinates,
// madd-2008-s). The formula is not complete: infinity, equal points and opposite ones are
// told apart.
func (g *group) addPublic(p *publicPoint, q *affine) {
	f := g.field
	if isZero(&p.zz) == 1 {
		*p = g.lift(q)
		return
	}
	var h, r, hh, hhh, v, t element
	f.mul(&h, &q.x, &p.zz)
	f.mul(&r, &q.y, &p.zzz)
	f.sub(&h, &h, &p.x)
	f.sub(&r, &r, &p.y)
	if isZero(&h) == 1 {
		if isZero(&r) == 1 {
			g.doublePublic(p)
		} else {
			*p = publicPoint{}
		}
		return
	}
	f.mul(&hh, &h, &h)
	f.mul(&hhh, &h, &hh)
	f.mul(&v, &p.x, &hh)
	f.mul(&t, &p.y, &hhh)
	f.mul(&p.x, &r, &r)
	f.sub(&p.x, &p.x, &hhh)
	f.sub(&p.x, &p.x, &v)
	f.sub(&p.x, &p.x, &v)
	f.sub(&v, &v, &p.x)
	f.mul(&p.y, &r, &v)
	f.sub(&p.y, &p.y, &t)
	f.mul(&p.zz, &p.zz, &hh)
	f.mul(&p.zzz, &p.zzz, &hhh)
}

// doublePublic doubles p (dbl-2008-s-1 of the same source). No curve here has a point of
// order two, so that only infinity doubles to infinity, as the formula does.
func (g *group) doublePublic(p *publicPoint) {
	f := g.field
	if isZero(&p.zz) == 1 {
		return
	}
	var u, v, w, s, m, t element
	f.add(&u, &p.y, &p.y)
	f.mul(&v, &u, &u)
	f.mul(&w, &u, &v)
	f.mul(&s, &p.x, &v)
	f.mul(&t, &p.zz, &p.zz)
	g.timesA(&t, &t)
	f.mul(&m, &p.x, &p.x)
	f.add(&t, &t, &m)
	f.add(&m, &m, &m)
	f.add(&m, &m, &t) // 3X² + a·ZZ²
	f.mul(&p.x, &m, &m)
	f.sub(&p.x, &p.x, &s)
	f.sub(&p.x, &p.x, &s)
	f.sub(&s, &s, &p.x)
	f.mul(&t, &w, &p.y)
	f.mul(&p.y, &m, &s)
	f.sub(&p.y, &p.y, &t)
	f.mul(&p.zz, &p.zz, &v)
	f.mul(&p.zzz, &p.zzz, &w)
}

// normalise sets out to the affine form of the points, none of which may be infinity, with
// one inversion for all (Montgomery's trick). 1/ZZZ is inverted; 1/ZZ is (ZZ/ZZZ)².
func (g *group) normalise(out []affine, points []publicPoint) {
	f := g.field
	acc := f.one
	for i := range points { // out holds the products of the ZZZ before
		out[i].x = acc
		f.mul(&acc, &acc, &points[i].zzz)
	}
	f.leave(&acc, &acc)
	f.invertPublic(&acc, &acc)
	f.enter(&acc, &acc)
	for i := len(points) - 1; i >= 0; i-- {
		p := &points[i]
		var inv, square element
		f.mul(&inv, &acc, &out[i].x)
		f.mul(&acc, &acc, &p.zzz)
		f.mul(&square, &inv, &p.zz)
		f.mul(&square, &square, &square)
		f.mul(&out[i].x, &p.x, &square)
		f.mul(&out[i].y, &p.y, &inv)
	}
}
