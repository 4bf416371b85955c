package dh

import "math/bits"

// The same for moduli of four limbs, with the numbers in registers.

func (m *modulus) add4(z, x, y *element) {
	s0, c := bits.Add64(x[0], y[0], 0)
	s1, c := bits.Add64(x[1], y[1], c)
	s2, c := bits.Add64(x[2], y[2], c)
	s3, c := bits.Add64(x[3], y[3], c)
	m.cut4(z, s0, s1, s2, s3, c)
}

// cut4 sets z to the number of five limbs less the modulus, unless it is below it.
func (m *modulus) cut4(z *element, s0, s1, s2, s3, s4 uint64) {
	d0, b := bits.Sub64(s0, m.value[0], 0)
	d1, b := bits.Sub64(s1, m.value[1], b)
	d2, b := bits.Sub64(s2, m.value[2], b)
	d3, b := bits.Sub64(s3, m.value[3], b)
	_, b = bits.Sub64(s4, 0, b)
	below := -b
	z[0] = d0 ^ below&(d0^s0)
	z[1] = d1 ^ below&(d1^s1)
	z[2] = d2 ^ below&(d2^s2)
	z[3] = d3 ^ below&(d3^s3)
}

func (m *modulus) sub4(z, x, y *element) {
	d0, b := bits.Sub64(x[0], y[0], 0)
	d1, b := bits.Sub64(x[1], y[1], b)
	d2, b := bits.Sub64(x[2], y[2], b)
	d3, b := bits.Sub64(x[3], y[3], b)
	below := -b
	var c uint64
	z[0], c = bits.Add64(d0, m.value[0]&below, 0)
	z[1], c = bits.Add64(d1, m.value[1]&below, c)
	z[2], c = bits.Add64(d2, m.value[2]&below, c)
	z[3], _ = bits.Add64(d3, m.value[3]&below, c)
}

func (m *modulus) mul4(z, x, y *element) {
	y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
	m0, m1, m2, m3 := m.value[0], m.value[1], m.value[2], m.value[3]
	var t0, t1, t2, t3, t4 uint64
	for _, xi := range x[:4] {
		var c, t5 uint64
		h0, l0 := bits.Mul64(xi, y0)
		h1, l1 := bits.Mul64(xi, y1)
		h2, l2 := bits.Mul64(xi, y2)
		h3, l3 := bits.Mul64(xi, y3)
		t0, c = bits.Add64(t0, l0, 0)
		t1, c = bits.Add64(t1, l1, c)
		t2, c = bits.Add64(t2, l2, c)
		t3, c = bits.Add64(t3, l3, c)
		t4, t5 = bits.Add64(t4, 0, c)
		t1, c = bits.Add64(t1, h0, 0)
		t2, c = bits.Add64(t2, h1, c)
		t3, c = bits.Add64(t3, h2, c)
		t4, c = bits.Add64(t4, h3, c)
		t5 += c

		q := t0 * m.negInv
		h0, l0 = bits.Mul64(q, m0)
		h1, l1 = bits.Mul64(q, m1)
		h2, l2 = bits.Mul64(q, m2)
		h3, l3 = bits.Mul64(q, m3)
		_, c = bits.Add64(t0, l0, 0)
		t0, c = bits.Add64(t1, l1, c)
		t1, c = bits.Add64(t2, l2, c)
		t2, c = bits.Add64(t3, l3, c)
		t3, c = bits.Add64(t4, 0, c)
		t4 = t5 + c
		t0, c = bits.Add64(t0, h0, 0)
		t1, c = bits.Add64(t1, h1, c)
		t2, c = bits.Add64(t2, h2, c)
		t3, c = bits.Add64(t3, h3, c)
		t4 += c
	}
	m.cut4(z, t0, t1, t2, t3, t4)
}

// mulP256 is mul4 for the prime of P-256, 2²⁵⁶ − 2²²⁴ + 2¹⁹² + 2⁹⁶ − 1: the multiple q of it
// that makes the lowest limb zero is that limb, and its two middle limbs are shifts.
func (m *modulus) mulP256(z, x, y *element) {
	y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
	var t0, t1, t2, t3, t4 uint64
	for _, xi := range x[:4] {
		var c, t5 uint64
		h0, l0 := bits.Mul64(xi, y0)
		h1, l1 := bits.Mul64(xi, y1)
		h2, l2 := bits.Mul64(xi, y2)
		h3, l3 := bits.Mul64(xi, y3)
		t0, c = bits.Add64(t0, l0, 0)
		t1, c = bits.Add64(t1, l1, c)
		t2, c = bits.Add64(t2, l2, c)
		t3, c = bits.Add64(t3, l3, c)
		t4, t5 = bits.Add64(t4, 0, c)
		t1, c = bits.Add64(t1, h0, 0)
		t2, c = bits.Add64(t2, h1, c)
		t3, c = bits.Add64(t3, h2, c)
		t4, c = bits.Add64(t4, h3, c)
		t5 += c

		q := t0
		h3, l3 = bits.Mul64(q, p256Top)
		t0, c = bits.Add64(t1, q<<32, 0)
		t1, c = bits.Add64(t2, q>>32, c)
		t2, c = bits.Add64(t3, l3, c)
		t3, c = bits.Add64(t4, h3, c)
		t4 = t5 + c
	}
	m.cut4(z, t0, t1, t2, t3, t4)
}

// p256Top is the highest limb of that prime.
const p256Top = 0xffffffff00000001
