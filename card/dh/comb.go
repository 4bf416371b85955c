package dh

// Widths of the windows of the tables: of a key, and of the generator, whose table all
// keys of a curve share.
const (
	keyComb       = 6
	generatorComb = 8
)

// comb is a table of multiples of one point: for window i of width bits the multiples
// j·2^(width·i)·P for j from 1 to 2^(width-1), packed without the limbs that the field
// does not use. A sum from it needs no doubling.
type comb struct {
	group  *group
	width  int
	packed []uint64
}

// tables are what verification with one key draws on.
type tables struct{ base, key *comb }

// newComb makes the table of p, at some thousand additions.
func newComb(p *Point, width int) *comb {
	g := &p.curve.group
	count, half := combWindows(g, width), 1<<(width-1)
	c := &comb{group: g, width: width, packed: make([]uint64, 0, count*half*2*g.field.limbs)}
	first := affine{p.x, p.y}
	multiples, out := make([]publicPoint, half+1), make([]affine, half+1)
	for range count {
		multiples[0] = g.lift(&first)
		for j := 1; j < half; j++ {
			multiples[j] = multiples[j-1]
			g.addPublic(&multiples[j], &first)
		}
		multiples[half] = multiples[half-1]
		g.doublePublic(&multiples[half])
		g.normalise(out, multiples)
		for j := range half {
			c.packed = append(c.packed, out[j].x[:g.field.limbs]...)
			c.packed = append(c.packed, out[j].y[:g.field.limbs]...)
		}
		first = out[half]
	}
	return c
}

// combWindows is the number of windows: one bit more than the order has, for the carry of
// signed digits.
func combWindows(g *group, width int) int { return (g.order.bits + width) / width }

// addTo adds k·P, for k below the order.
func (c *comb) addTo(sum *publicPoint, k *element) {
	g, f := c.group, c.group.field
	n, half := f.limbs, 1<<(c.width-1)
	mask := uint64(2*half - 1)
	carry := 0
	for i := range combWindows(g, c.width) {
		at := i * c.width
		digit := k[at/64] >> (at % 64)
		if at/64+1 < maxLimbs {
			digit |= k[at/64+1] << 1 << (63 - at%64)
		}
		d := int(digit&mask) + carry
		if carry = 0; d > half {
			d, carry = d-2*half, 1
		}
		if d == 0 {
			continue
		}
		var q affine
		entry := c.packed[(i*half+max(d, -d)-1)*2*n:][:2*n]
		copy(q.x[:n], entry)
		copy(q.y[:n], entry[n:])
		if d < 0 {
			f.sub(&q.y, &element{}, &q.y)
		}
		g.addPublic(sum, &q)
	}
}
