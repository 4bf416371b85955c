package dh

import "math/bits"

// Sums, differences and products mod m. Operands are below the modulus and so are
// results; operands may overlap. The number of limbs is public and steers the loops.

// add sets z to x + y.
func (m *modulus) add(z, x, y *element) {
	if m.limbs == 4 {
		m.add4(z, x, y)
		return
	}
	var carry uint64
	for i := range min(m.limbs, maxLimbs) {
		z[i], carry = bits.Add64(x[i], y[i], carry)
	}
	m.cut(z, carry)
}

// sub sets z to x - y.
func (m *modulus) sub(z, x, y *element) {
	if m.limbs == 4 {
		m.sub4(z, x, y)
		return
	}
	n := min(m.limbs, maxLimbs)
	var borrow, carry uint64
	for i := range n {
		z[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	below := -borrow
	for i := range n {
		z[i], carry = bits.Add64(z[i], m.value[i]&below, carry)
	}
}

// mul sets z to x·y/R: each round adds the product of y with a limb of x and the multiple
// of the modulus that makes the lowest limb zero, and drops that limb.
func (m *modulus) mul(z, x, y *element) {
	switch {
	case m.p256:
		m.mulP256(z, x, y)
		return
	case m.limbs == 4:
		m.mul4(z, x, y)
		return
	case m.limbs == 6:
		m.mul6(z, x, y)
		return
	}
	n := min(m.limbs, maxLimbs)
	var t element
	var top uint64 // of the sum, above t: 0 or 1
	for i := range n {
		xi := x[i]
		a, low := mulAdd(xi, y[0], t[0], 0)
		q := low * m.negInv
		b, _ := mulAdd(q, m.value[0], low, 0)
		for j := 1; j < n; j++ {
			a, low = mulAdd(xi, y[j], t[j], a)
			b, t[j-1] = mulAdd(q, m.value[j], low, b)
		}
		var c, d uint64
		t[n-1], c = bits.Add64(a, b, 0)
		t[n-1], d = bits.Add64(t[n-1], top, 0)
		top = c + d
	}
	*z = t
	m.cut(z, top)
}

// cut subtracts the modulus from carry‖z unless that is below it.
func (m *modulus) cut(z *element, carry uint64) {
	n := min(m.limbs, maxLimbs)
	var borrow uint64
	for i := range n {
		_, borrow = bits.Sub64(z[i], m.value[i], borrow)
	}
	_, borrow = bits.Sub64(carry, 0, borrow)
	notBelow := borrow - 1
	borrow = 0
	for i := range n {
		z[i], borrow = bits.Sub64(z[i], m.value[i]&notBelow, borrow)
	}
}

// mulAdd returns x·y + a + b, which fits in two limbs.
func mulAdd(x, y, a, b uint64) (hi, lo uint64) {
	hi, lo = bits.Mul64(x, y)
	lo, carry := bits.Add64(lo, a, 0)
	hi += carry
	lo, carry = bits.Add64(lo, b, 0)
	return hi + carry, lo
}
