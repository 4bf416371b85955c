package dh

import (
	"sync"
	"sync/atomic"
)

// fixed multiplies the generator by secret scalars with a table that all keys of a curve
// share: for window i of four bits the multiples j·16^i·G for j from 0 to 15. A product
// needs no doubling; like multiply, each step reads the whole of its window. The table is
// made only for who multiplies often: it costs as much as some products without it.
type fixed struct {
	uses atomic.Int32
	made func() []uint64 // packed without the limbs that the field does not use
}

// oftenEnough is how many products go before the table.
const oftenEnough = 8

const fixedWindow = 16

func newFixed(c *Curve) *fixed {
	return &fixed{made: sync.OnceValue(func() []uint64 {
		g, n := &c.group, c.group.field.limbs
		var packed []uint64
		first := *c.generator.projective()
		for range (g.order.bits + 3) / 4 {
			p := g.infinity()
			for range fixedWindow {
				packed = append(packed, p.x[:n]...)
				packed = append(packed, p.y[:n]...)
				packed = append(packed, p.z[:n]...)
				g.add(&p, &p, &first)
			}
			first = p
		}
		return packed
	})}
}

// multiplyGenerator sets r to s·G for s in plain form below the order.
func (c *Curve) multiplyGenerator(r *projective, s *element) {
	g := &c.group
	if c.fixed.uses.Load() < oftenEnough {
		c.fixed.uses.Add(1)
		g.multiply(r, c.generator.projective(), s)
		return
	}
	table := c.fixed.made()
	size := 3 * g.field.limbs * fixedWindow
	sum := g.infinity()
	var step projective
	for i := range (g.order.bits + 3) / 4 {
		g.pickPacked(&step, table[i*size:][:size], s[i/16]>>(i%16*4)&15)
		g.add(&sum, &sum, &step)
	}
	*r = sum
}

// pickPacked sets p to entry index of a window without an access that depends on index.
func (g *group) pickPacked(p *projective, window []uint64, index uint64) {
	*p = projective{}
	n := min(g.field.limbs, maxLimbs)
	for i := range uint64(fixedWindow) {
		d := i ^ index
		mask := -(1 ^ (d|-d)>>63)
		e := window[int(i)*3*n:][:3*n]
		for j := range n {
			p.x[j] |= e[j] & mask
			p.y[j] |= e[n+j] & mask
			p.z[j] |= e[2*n+j] & mask
		}
	}
}
