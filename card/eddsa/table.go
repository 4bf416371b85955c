package eddsa

import (
	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// point is x/z, y/z with t = xy/z on −x² + y² = 1 + dx²y².
type point struct{ x, y, z, t field.Element }

// multiple is a point to add: y + x, y − x and 2dxy.
type multiple struct{ plus, minus, t2d field.Element }

const (
	windows = 32  // digits of a scalar, of eight bits each
	width   = 128 // multiples for a digit
)

// table holds (j + 1)·256^i·P at [i][j].
type table [windows][width]multiple

func newTable(p *edwards25519.Point) *table {
	points := make([]*edwards25519.Point, 0, windows*width)
	step := new(edwards25519.Point).Set(p)
	for range windows {
		sum := new(edwards25519.Point).Set(step)
		for range width {
			points = append(points, new(edwards25519.Point).Set(sum))
			sum.Add(sum, step)
		}
		last := points[len(points)-1] // 128 times the step
		step.Add(last, last)
	}
	zs := make([]field.Element, len(points))
	for i, q := range points {
		_, _, z, _ := q.ExtendedCoordinates()
		zs[i].Set(z)
	}
	invert(zs)
	t := new(table)
	for i, q := range points {
		t[i/width][i%width].set(q, &zs[i])
	}
	return t
}

func (m *multiple) set(q *edwards25519.Point, inverse *field.Element) {
	x, y, _, _ := q.ExtendedCoordinates()
	x.Multiply(x, inverse)
	y.Multiply(y, inverse)
	m.plus.Add(y, x)
	m.minus.Subtract(y, x)
	m.t2d.Multiply(x, y)
	m.t2d.Multiply(&m.t2d, twiceD)
}

// twiceD is 2d of the curve, d = −121665/121666.
var twiceD = func() *field.Element {
	var one, n, d field.Element
	one.One()
	n.Mult32(&one, 121665)
	d.Mult32(&one, 121666)
	d.Invert(&d)
	n.Negate(&n)
	n.Multiply(&n, &d)
	return n.Add(&n, &n)
}()

// invert replaces elements, none of them zero, by their inverses.
func invert(list []field.Element) {
	if len(list) == 0 {
		return
	}
	before := make([]field.Element, len(list)) // product of those before
	var product field.Element
	product.One()
	for i := range list {
		before[i] = product
		product.Multiply(&product, &list[i])
	}
	product.Invert(&product)
	for i := len(list) - 1; i >= 0; i-- {
		element := list[i]
		list[i].Multiply(&product, &before[i])
		product.Multiply(&product, &element)
	}
}

// accumulate adds the table's point times a scalar below 2^253, least octet first.
func (t *table) accumulate(p *point, scalar [32]byte) {
	carry := 0
	for i, octet := range scalar {
		digit := int(octet) + carry
		carry = 0
		if digit > width {
			digit -= 256
			carry = 1
		}
		switch {
		case digit > 0:
			p.add(&t[i][digit-1], false)
		case digit < 0:
			p.add(&t[i][-digit-1], true)
		}
	}
}

// add adds a multiple, or takes it away: madd-2008-hwcd-3, which holds for any two points
// of this curve.
func (p *point) add(m *multiple, away bool) {
	plus, minus := &m.plus, &m.minus
	if away {
		plus, minus = minus, plus
	}
	var a, b, c, d, e, f, g, h field.Element
	a.Subtract(&p.y, &p.x)
	a.Multiply(&a, minus)
	b.Add(&p.y, &p.x)
	b.Multiply(&b, plus)
	c.Multiply(&p.t, &m.t2d)
	d.Add(&p.z, &p.z)
	e.Subtract(&b, &a)
	h.Add(&b, &a)
	f.Subtract(&d, &c)
	g.Add(&d, &c)
	if away {
		f, g = g, f
	}
	p.x.Multiply(&e, &f)
	p.y.Multiply(&g, &h)
	p.t.Multiply(&e, &h)
	p.z.Multiply(&f, &g)
}
