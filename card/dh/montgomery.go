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
	n := min(m.limbs, maxLimbs)
	var sum, cut element
	var carry, borrow uint64
	for i := range n {
		sum[i], carry = bits.Add64(x[i], y[i], carry)
	}
	for i := range n {
		cut[i], borrow = bits.Sub64(sum[i], m.value[i], borrow)
	}
	_, below := bits.Sub64(carry, 0, borrow)
	choose(z, &sum, &cut, -below, n)
}

// sub sets z to x - y.
func (m *modulus) sub(z, x, y *element) {
	if m.limbs == 4 {
		m.sub4(z, x, y)
		return
	}
	n := min(m.limbs, maxLimbs)
	var diff element
	var carry, borrow uint64
	for i := range n {
		diff[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	for i := range n {
		z[i], carry = bits.Add64(diff[i], m.value[i]&-borrow, carry)
	}
}

// mul sets z to x·y/R (coarsely integrated operand scanning): each round adds a multiple
// of one limb of x, then the multiple of the modulus that clears the lowest limb.
func (m *modulus) mul(z, x, y *element) {
	if m.limbs == 4 {
		m.mul4(z, x, y)
		return
	}
	n := min(m.limbs, maxLimbs)
	var t element
	var top uint64
	for i := range n {
		var carry uint64
		xi := x[i]
		for j := range n {
			carry, t[j] = mulAdd(xi, y[j], t[j], carry)
		}
		var over uint64
		top, over = bits.Add64(top, carry, 0)

		q := t[0] * m.negInv
		carry, _ = mulAdd(q, m.value[0], t[0], 0)
		for j := 1; j < n; j++ {
			carry, t[j-1] = mulAdd(q, m.value[j], t[j], carry)
		}
		t[n-1], carry = bits.Add64(top, carry, 0)
		top = over + carry
	}
	var cut element
	var borrow uint64
	for i := range n {
		cut[i], borrow = bits.Sub64(t[i], m.value[i], borrow)
	}
	_, below := bits.Sub64(top, 0, borrow)
	choose(z, &t, &cut, -below, n)
}

// mulAdd returns x·y + a + b, which fits in two limbs.
func mulAdd(x, y, a, b uint64) (hi, lo uint64) {
	hi, lo = bits.Mul64(x, y)
	lo, carry := bits.Add64(lo, a, 0)
	hi += carry
	lo, carry = bits.Add64(lo, b, 0)
	return hi + carry, lo
}

// choose sets z to x where mask is all ones and to y where it is zero.
func choose(z, x, y *element, mask uint64, n int) {
	for i := range min(n, maxLimbs) {
		z[i] = y[i] ^ mask&(x[i]^y[i])
	}
}
