package dh

import "math/bits"

// The product for moduli of six limbs, those of P-384 and its kin, column by column: each
// takes the products of limbs of x and y and of the multiples of the modulus so far, and
// ends in a limb that is zero or one of the result.

func (m *modulus) mul6(z, x, y *element) {
	v, k := &m.value, m.negInv
	var low, mid, high uint64
	low, mid, high = addProduct(low, mid, high, x[0], y[0])
	q0 := low * k
	_, low, mid = addProduct(low, mid, high, q0, v[0])
	high = 0
	low, mid, high = addProduct(low, mid, high, x[0], y[1])
	low, mid, high = addProduct(low, mid, high, x[1], y[0])
	low, mid, high = addProduct(low, mid, high, q0, v[1])
	q1 := low * k
	_, low, mid = addProduct(low, mid, high, q1, v[0])
	high = 0
	low, mid, high = addProduct(low, mid, high, x[0], y[2])
	low, mid, high = addProduct(low, mid, high, x[1], y[1])
	low, mid, high = addProduct(low, mid, high, x[2], y[0])
	low, mid, high = addProduct(low, mid, high, q0, v[2])
	low, mid, high = addProduct(low, mid, high, q1, v[1])
	q2 := low * k
	_, low, mid = addProduct(low, mid, high, q2, v[0])
	high = 0
	low, mid, high = addProduct(low, mid, high, x[0], y[3])
	low, mid, high = addProduct(low, mid, high, x[1], y[2])
	low, mid, high = addProduct(low, mid, high, x[2], y[1])
	low, mid, high = addProduct(low, mid, high, x[3], y[0])
	low, mid, high = addProduct(low, mid, high, q0, v[3])
	low, mid, high = addProduct(low, mid, high, q1, v[2])
	low, mid, high = addProduct(low, mid, high, q2, v[1])
	q3 := low * k
	_, low, mid = addProduct(low, mid, high, q3, v[0])
	high = 0
	low, mid, high = addProduct(low, mid, high, x[0], y[4])
	low, mid, high = addProduct(low, mid, high, x[1], y[3])
	low, mid, high = addProduct(low, mid, high, x[2], y[2])
	low, mid, high = addProduct(low, mid, high, x[3], y[1])
	low, mid, high = addProduct(low, mid, high, x[4], y[0])
	low, mid, high = addProduct(low, mid, high, q0, v[4])
	low, mid, high = addProduct(low, mid, high, q1, v[3])
	low, mid, high = addProduct(low, mid, high, q2, v[2])
	low, mid, high = addProduct(low, mid, high, q3, v[1])
	q4 := low * k
	_, low, mid = addProduct(low, mid, high, q4, v[0])
	high = 0
	low, mid, high = addProduct(low, mid, high, x[0], y[5])
	low, mid, high = addProduct(low, mid, high, x[1], y[4])
	low, mid, high = addProduct(low, mid, high, x[2], y[3])
	low, mid, high = addProduct(low, mid, high, x[3], y[2])
	low, mid, high = addProduct(low, mid, high, x[4], y[1])
	low, mid, high = addProduct(low, mid, high, x[5], y[0])
	low, mid, high = addProduct(low, mid, high, q0, v[5])
	low, mid, high = addProduct(low, mid, high, q1, v[4])
	low, mid, high = addProduct(low, mid, high, q2, v[3])
	low, mid, high = addProduct(low, mid, high, q3, v[2])
	low, mid, high = addProduct(low, mid, high, q4, v[1])
	q5 := low * k
	_, low, mid = addProduct(low, mid, high, q5, v[0])
	high = 0
	low, mid, high = addProduct(low, mid, high, x[1], y[5])
	low, mid, high = addProduct(low, mid, high, x[2], y[4])
	low, mid, high = addProduct(low, mid, high, x[3], y[3])
	low, mid, high = addProduct(low, mid, high, x[4], y[2])
	low, mid, high = addProduct(low, mid, high, x[5], y[1])
	low, mid, high = addProduct(low, mid, high, q1, v[5])
	low, mid, high = addProduct(low, mid, high, q2, v[4])
	low, mid, high = addProduct(low, mid, high, q3, v[3])
	low, mid, high = addProduct(low, mid, high, q4, v[2])
	low, mid, high = addProduct(low, mid, high, q5, v[1])
	r0 := low
	low, mid, high = mid, high, 0
	low, mid, high = addProduct(low, mid, high, x[2], y[5])
	low, mid, high = addProduct(low, mid, high, x[3], y[4])
	low, mid, high = addProduct(low, mid, high, x[4], y[3])
	low, mid, high = addProduct(low, mid, high, x[5], y[2])
	low, mid, high = addProduct(low, mid, high, q2, v[5])
	low, mid, high = addProduct(low, mid, high, q3, v[4])
	low, mid, high = addProduct(low, mid, high, q4, v[3])
	low, mid, high = addProduct(low, mid, high, q5, v[2])
	r1 := low
	low, mid, high = mid, high, 0
	low, mid, high = addProduct(low, mid, high, x[3], y[5])
	low, mid, high = addProduct(low, mid, high, x[4], y[4])
	low, mid, high = addProduct(low, mid, high, x[5], y[3])
	low, mid, high = addProduct(low, mid, high, q3, v[5])
	low, mid, high = addProduct(low, mid, high, q4, v[4])
	low, mid, high = addProduct(low, mid, high, q5, v[3])
	r2 := low
	low, mid, high = mid, high, 0
	low, mid, high = addProduct(low, mid, high, x[4], y[5])
	low, mid, high = addProduct(low, mid, high, x[5], y[4])
	low, mid, high = addProduct(low, mid, high, q4, v[5])
	low, mid, high = addProduct(low, mid, high, q5, v[4])
	r3 := low
	low, mid, high = mid, high, 0
	low, mid, high = addProduct(low, mid, high, x[5], y[5])
	low, mid, high = addProduct(low, mid, high, q5, v[5])
	r4 := low
	z[0], z[1], z[2], z[3], z[4], z[5] = r0, r1, r2, r3, r4, mid
	m.cut(z, high)
}

// addProduct adds x·y to a number of three limbs.
func addProduct(low, mid, high, x, y uint64) (_, _, _ uint64) {
	h, l := bits.Mul64(x, y)
	low, carry := bits.Add64(low, l, 0)
	mid, carry = bits.Add64(mid, h, carry)
	high, _ = bits.Add64(high, 0, carry)
	return low, mid, high
}
