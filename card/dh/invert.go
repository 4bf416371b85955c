package dh

import "math/bits"

// step is how many halvings invertPublic makes between two passes over the whole numbers.
const step = 31

// invertPublic sets z to x⁻¹, both in plain form, for x that is not zero and a modulus
// that is prime. It runs in variable time. It is the binary greatest common divisor whose
// steps are found on approximations of one limb (Pornin, Optimized Binary GCD for Modular
// Inversion, algorithm 2): a = x·u and b = x·v mod m throughout, b is odd, and where a is
// zero b is one.
func (m *modulus) invertPublic(z, x *element) {
	a, b := *x, m.value
	u, v := element{1}, element{}
	for a != (element{}) {
		c := m.halvings(&a, &b)
		na, nb := a, b
		if m.combine(&na, &a, &b, c.aa, c.ab) {
			c.aa, c.ab = -c.aa, -c.ab
		}
		if m.combine(&nb, &a, &b, c.ba, c.bb) {
			c.ba, c.bb = -c.ba, -c.bb
		}
		a, b = na, nb
		nu, nv := u, v
		m.combineMod(&nu, &u, &v, c.aa, c.ab)
		m.combineMod(&nv, &u, &v, c.ba, c.bb)
		u, v = nu, nv
	}
	*z = v
}

// factors say what became of a and b: (aa·a + ab·b)/2^step and (ba·a + bb·b)/2^step.
type factors struct{ aa, ab, ba, bb int64 }

// halvings finds the factors of the next steps on the lowest 31 and the highest 33 bits.
func (m *modulus) halvings(a, b *element) factors {
	x, y := approximate(a, b)
	c := factors{aa: 1, bb: 1}
	for range step {
		odd := -(x & 1)
		_, below := bits.Sub64(x, y, 0)
		swap := odd & -below
		d := swap & (x ^ y)
		x, y = x^d, y^d
		da, db := int64(swap)&(c.aa^c.ba), int64(swap)&(c.ab^c.bb)
		c.aa, c.ba, c.ab, c.bb = c.aa^da, c.ba^da, c.ab^db, c.bb^db
		x = (x - y&odd) >> 1
		c.aa -= c.ba & int64(odd)
		c.ab -= c.bb & int64(odd)
		c.ba, c.bb = c.ba<<1, c.bb<<1
	}
	return c
}

func approximate(a, b *element) (x, y uint64) {
	i := maxLimbs - 1
	for i > 0 && a[i]|b[i] == 0 {
		i--
	}
	if i == 0 {
		return a[0], b[0]
	}
	shift := uint(bits.LeadingZeros64(a[i] | b[i]))
	high := func(v *element) uint64 { return v[i]<<shift | v[i-1]>>1>>(63-shift) }
	const low = 1<<step - 1
	return high(a)&^low | a[0]&low, high(b)&^low | b[0]&low
}

// combine sets z to |f·x + g·y| / 2^step, which is exact, and reports whether the sum was
// negative.
func (m *modulus) combine(z, x, y *element, f, g int64) (negative bool) {
	top := m.linear(z, x, y, f, g)
	n := min(m.limbs, maxLimbs)
	for i := range n - 1 {
		z[i] = z[i]>>step | z[i+1]<<(64-step)
	}
	z[n-1] = z[n-1]>>step | top<<(64-step)
	if top>>63 == 0 {
		return false
	}
	var borrow uint64
	for i := range n {
		z[i], borrow = bits.Sub64(0, z[i], borrow)
	}
	return true
}

// combineMod sets z to (f·x + g·y) / 2^step mod the modulus, for x and y below it.
func (m *modulus) combineMod(z, x, y *element, f, g int64) {
	top := m.linear(z, x, y, f, g)
	n := min(m.limbs, maxLimbs)
	k := z[0] * m.negInv & (1<<step - 1) // z + k·m has step zeros at its end
	var above, carry uint64
	for i := range n {
		above, z[i] = mulAdd(k, m.value[i], z[i], above)
	}
	top, _ = bits.Add64(top, above, 0)
	for i := range n - 1 {
		z[i] = z[i]>>step | z[i+1]<<(64-step)
	}
	z[n-1] = z[n-1]>>step | top<<(64-step)
	top = uint64(int64(top) >> step)
	if top>>63 == 1 { // above -m
		for i := range n {
			z[i], carry = bits.Add64(z[i], m.value[i], carry)
		}
		return
	}
	m.cut(z, top) // below 2m
}

// linear sets z to the lower limbs of f·x + g·y in two's complement and returns the limb
// above them. A negative factor multiplies the complement of its number.
func (m *modulus) linear(z, x, y *element, f, g int64) (top uint64) {
	sf, sg := uint64(f>>63), uint64(g>>63)
	af, ag := (uint64(f)^sf)-sf, (uint64(g)^sg)-sg
	carry := af&sf + ag&sg
	for i := range min(m.limbs, maxLimbs) {
		h1, l1 := bits.Mul64(af, x[i]^sf)
		h2, l2 := bits.Mul64(ag, y[i]^sg)
		var c, d uint64
		l1, c = bits.Add64(l1, l2, 0)
		z[i], d = bits.Add64(l1, carry, 0)
		carry = h1 + h2 + c + d
	}
	return carry - af&sf - ag&sg
}
