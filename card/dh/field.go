package dh

import (
	"math/big"
	"math/bits"
)

// maxLimbs holds 521 bits.
const maxLimbs = 9

// element is a number modulo an odd modulus, in limbs from the lowest, those beyond the
// modulus's own length zero. Where it stands for a field element or a scalar in a
// computation it is in Montgomery form.
type element [maxLimbs]uint64

// modulus is an odd modulus with the constants of Montgomery's multiplication. All its
// methods on elements take the same time for every value of them.
type modulus struct {
	limbs  int
	octets int // of an encoding
	m      element
	m0     uint64  // -1/m mod 2^64
	one    element // R mod m
	square element // R² mod m
	less2  []byte  // m - 2, the exponent of an inversion, big-endian
}

func newModulus(m *big.Int) *modulus {
	f := &modulus{limbs: (m.BitLen() + 63) / 64, octets: (m.BitLen() + 7) / 8}
	f.m = limbsOf(m)
	inv := f.m[0] // Newton: each step doubles the bits that are right
	for range 6 {
		inv *= 2 - f.m[0]*inv
	}
	f.m0 = -inv
	r := new(big.Int).Lsh(big.NewInt(1), uint(64*f.limbs))
	f.one = limbsOf(new(big.Int).Mod(r, m))
	f.square = limbsOf(new(big.Int).Mod(new(big.Int).Mul(r, r), m))
	f.less2 = new(big.Int).Sub(m, big.NewInt(2)).FillBytes(make([]byte, f.octets))
	return f
}

// limbsOf is for public constants.
func limbsOf(v *big.Int) (e element) {
	b := v.FillBytes(make([]byte, 8*maxLimbs))
	for i := range e {
		for _, o := range b[len(b)-8*(i+1) : len(b)-8*i] {
			e[i] = e[i]<<8 | uint64(o)
		}
	}
	return e
}

// add sets z = x + y.
func (f *modulus) add(z, x, y *element) {
	var sum element
	var carry uint64
	for i := range f.limbs {
		sum[i], carry = bits.Add64(x[i], y[i], carry)
	}
	f.reduce(z, &sum, carry)
}

// sub sets z = x - y.
func (f *modulus) sub(z, x, y *element) {
	var borrow, carry uint64
	for i := range f.limbs {
		z[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	mask := -borrow
	for i := range f.limbs {
		z[i], carry = bits.Add64(z[i], f.m[i]&mask, carry)
	}
}

// reduce sets z = carry‖x mod m, where carry‖x is below 2m.
func (f *modulus) reduce(z, x *element, carry uint64) {
	var less element
	var borrow uint64
	for i := range f.limbs {
		less[i], borrow = bits.Sub64(x[i], f.m[i], borrow)
	}
	_, borrow = bits.Sub64(carry, 0, borrow)
	mask := -borrow // all ones: x was below m
	for i := range f.limbs {
		z[i] = x[i]&mask | less[i]&^mask
	}
}

// mul sets z = x·y/R: coarsely integrated operand scanning.
func (f *modulus) mul(z, x, y *element) {
	var t element
	var high uint64 // of t, beyond its limbs; at most 1
	n := f.limbs
	for i := range n {
		var c uint64
		xi := x[i]
		for j := range n {
			h, l := bits.Mul64(xi, y[j])
			var k uint64
			l, k = bits.Add64(l, t[j], 0)
			h += k
			l, k = bits.Add64(l, c, 0)
			t[j], c = l, h+k
		}
		top, over := bits.Add64(high, c, 0)
		q := t[0] * f.m0
		h, l := bits.Mul64(q, f.m[0])
		_, k := bits.Add64(l, t[0], 0)
		c = h + k
		for j := 1; j < n; j++ {
			h, l := bits.Mul64(q, f.m[j])
			l, k = bits.Add64(l, t[j], 0)
			h += k
			l, k = bits.Add64(l, c, 0)
			t[j-1], c = l, h+k
		}
		t[n-1], k = bits.Add64(top, c, 0)
		high = over + k
	}
	f.reduce(z, &t, high)
}

// toMontgomery and fromMontgomery change the form of z in place.
func (f *modulus) toMontgomery(z *element)   { f.mul(z, z, &f.square) }
func (f *modulus) fromMontgomery(z *element) { f.mul(z, z, &element{1}) }

// invert sets z = 1/x by Fermat's theorem, for a prime modulus; 0 gives 0. The exponent
// is public.
func (f *modulus) invert(z, x *element) {
	var powers [16]element
	powers[0], powers[1] = f.one, *x
	for i := 2; i < len(powers); i++ {
		f.mul(&powers[i], &powers[i-1], x)
	}
	acc := f.one
	for _, o := range f.less2 {
		for _, nibble := range [2]byte{o >> 4, o & 15} {
			for range 4 {
				f.mul(&acc, &acc, &acc)
			}
			f.mul(&acc, &acc, &powers[nibble])
		}
	}
	*z = acc
}

// setBytes reads an encoding of exactly octets; false, with z zero, if it is not below
// the modulus. The result is not in Montgomery form.
func (f *modulus) setBytes(z *element, b []byte) bool {
	var v element
	for i, o := range b {
		pos := len(b) - 1 - i
		v[pos/8] |= uint64(o) << (8 * (pos % 8))
	}
	var borrow uint64
	for i := range f.limbs {
		_, borrow = bits.Sub64(v[i], f.m[i], borrow)
	}
	for i := range v {
		z[i] = v[i] & -borrow
	}
	return borrow == 1
}

// bytes is the encoding of x, which is not in Montgomery form.
func (f *modulus) bytes(x *element) []byte {
	b := make([]byte, f.octets)
	for i := range b {
		pos := len(b) - 1 - i
		b[i] = byte(x[pos/8] >> (8 * (pos % 8)))
	}
	return b
}

// setWide sets z to a number of any length modulo m, by Horner's rule over the octets.
// The result is not in Montgomery form. The modulus is above 255.
func (f *modulus) setWide(z *element, b []byte) {
	var acc element
	for _, o := range b {
		for range 8 {
			f.add(&acc, &acc, &acc)
		}
		f.add(&acc, &acc, &element{uint64(o)})
	}
	*z = acc
}

// isZero is 1 if x is zero, else 0.
func (x *element) isZero() uint64 {
	var or uint64
	for _, l := range x {
		or |= l
	}
	return 1 ^ (or|-or)>>63
}

// equal is 1 if x and y are the same octets, else 0.
func (x *element) equal(y *element) uint64 {
	var diff element
	for i := range x {
		diff[i] = x[i] ^ y[i]
	}
	return diff.isZero()
}
