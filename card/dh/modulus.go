package dh

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// maxLimbs is the length of the longest modulus, that of P-521.
const maxLimbs = 9

// minLimbs lets P-192 and P-224 run through the multiplication made for P-256.
const minLimbs = 4

// An element is a number below a modulus, least significant limb first, of which only as
// many limbs are used as the modulus has. Products need it in Montgomery form (x·R mod m).
type element [maxLimbs]uint64

// A modulus is an odd number, the prime of a field or the order of a group, with the
// constants of Montgomery arithmetic. Its methods take no branch and no index from the
// numbers; exp's exponent alone is public.
type modulus struct {
	value   element
	limbs   int
	size    int     // octets
	bits    int     // significant bits
	negInv  uint64  // -value⁻¹ mod 2⁶⁴
	one     element // R mod value
	square  element // R² mod value
	shift   element // 2⁶⁴·R mod value
	inverse element // value - 2, the exponent of Fermat's inversion
	p256    bool    // value is the prime of P-256
}

func newModulus(v *big.Int) *modulus {
	m := &modulus{bits: v.BitLen(), size: (v.BitLen() + 7) / 8}
	m.limbs = max((m.bits+63)/64, minLimbs)
	if m.limbs > maxLimbs || v.Bit(0) == 0 {
		panic("dh: modulus is even or too long")
	}
	r := new(big.Int).Lsh(big.NewInt(1), uint(64*m.limbs))
	m.value = limbsOf(v)
	m.inverse = limbsOf(new(big.Int).Sub(v, big.NewInt(2)))
	m.one = limbsOf(new(big.Int).Mod(r, v))
	m.square = limbsOf(new(big.Int).Exp(r, big.NewInt(2), v))
	m.shift = limbsOf(new(big.Int).Mod(new(big.Int).Lsh(r, 64), v))
	word := new(big.Int).Lsh(big.NewInt(1), 64)
	inv := limbsOf(new(big.Int).ModInverse(v, word))
	m.negInv = -inv[0]
	m.p256 = m.value == element{1<<64 - 1, 1<<32 - 1, 0, p256Top}
	return m
}

// limbsOf is for public numbers only.
func limbsOf(v *big.Int) (e element) {
	b := v.FillBytes(make([]byte, 8*maxLimbs))
	for i := range e {
		e[i] = binary.BigEndian.Uint64(b[8*(maxLimbs-1-i):])
	}
	return e
}

// setBytes sets z to the big-endian number b, in plain form, and reports with 1 that b
// has the size of the modulus and the number is below it; else z is not to be used.
func (m *modulus) setBytes(z *element, b []byte) uint64 {
	if len(b) != m.size {
		return 0
	}
	*z = element{}
	for i, v := range b {
		n := len(b) - 1 - i
		z[n/8] |= uint64(v) << (n % 8 * 8)
	}
	var borrow uint64
	for i := range z {
		_, borrow = bits.Sub64(z[i], m.value[i], borrow)
	}
	return borrow
}

// bytes returns x, in plain form, in as many octets as the modulus has.
func (m *modulus) bytes(x *element) []byte {
	b := make([]byte, m.size)
	m.fill(b, x)
	return b
}

// fill writes x, in plain form, to b, which has the size of the modulus.
func (m *modulus) fill(b []byte, x *element) {
	for i := range b {
		n := len(b) - 1 - i
		b[i] = byte(x[n/8] >> (n % 8 * 8))
	}
}

// reduce sets z to the big-endian number b mod the modulus, in plain form. Time depends
// on the length of b only.
func (m *modulus) reduce(z *element, b []byte) {
	*z = element{}
	for len(b) > 0 {
		n := (len(b)-1)%8 + 1
		var word element
		for _, v := range b[:n] {
			word[0] = word[0]<<8 | uint64(v)
		}
		b = b[n:]
		m.mul(z, z, &m.shift)
		m.add(z, z, &word)
	}
}

// enter sets z to x in Montgomery form, leave to x in plain form.
func (m *modulus) enter(z, x *element) { m.mul(z, x, &m.square) }

func (m *modulus) leave(z, x *element) { m.mul(z, x, &element{1}) }

// invert sets z to x⁻¹, both in Montgomery form, and 0 to 0. The modulus must be prime.
func (m *modulus) invert(z, x *element) { m.exp(z, x, &m.inverse) }

// exp sets z to x^e for x in Montgomery form. The exponent is public.
func (m *modulus) exp(z, x, e *element) {
	var powers [16]element
	powers[0] = m.one
	for i := 1; i < len(powers); i++ {
		m.mul(&powers[i], &powers[i-1], x)
	}
	r := m.one
	for i := 16*m.limbs - 1; i >= 0; i-- {
		for range 4 {
			m.mul(&r, &r, &r)
		}
		m.mul(&r, &r, &powers[e[i/16]>>(i%16*4)&15])
	}
	*z = r
}

// isZero returns 1 if x is zero, else 0.
func isZero(x *element) uint64 {
	var v uint64
	for _, limb := range x {
		v |= limb
	}
	return 1 ^ (v|-v)>>63
}

// equal returns 1 if x is y, else 0.
func equal(x, y *element) uint64 {
	var v uint64
	for i := range x {
		v |= x[i] ^ y[i]
	}
	return 1 ^ (v|-v)>>63
}
