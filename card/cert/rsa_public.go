package cert

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
	"math/bits"
)

// rsaKey is a public key of RSA with the constants of Montgomery arithmetic, made for many
// signatures. It runs in variable time: all that it meets is public.
type rsaKey struct {
	modulus  []uint64 // least significant limb first
	square   []uint64 // R² mod the modulus
	negInv   uint64   // -modulus⁻¹ mod 2⁶⁴
	exponent uint32   // odd, at least 3
	bits     int
}

// maxRSALimbs is the length of the longest modulus that parseRSA takes.
const maxRSALimbs = maxRSABits / 64

// number is long enough for every modulus.
type number [maxRSALimbs]uint64

// product has room for that of two numbers.
type product [2 * maxRSALimbs]uint64

// newRSAKey takes keys as parseRSA does, nil for others.
func newRSAKey(pub *rsa.PublicKey) *rsaKey {
	n := pub.N.BitLen()
	if n < minRSABits || n > maxRSABits || pub.N.Bit(0) == 0 || pub.E < 3 || pub.E&1 == 0 || pub.E > 1<<31-1 {
		return nil
	}
	k := &rsaKey{exponent: uint32(pub.E), bits: n}
	limbs := (n + 63) / 64
	square := new(big.Int).Lsh(big.NewInt(1), uint(128*limbs))
	k.modulus, k.square = toLimbs(pub.N, limbs), toLimbs(square.Mod(square, pub.N), limbs)
	inv := k.modulus[0] // right in three bits, and in twice as many after each step
	for range 5 {
		inv *= 2 - k.modulus[0]*inv
	}
	k.negInv = -inv
	return k
}

func toLimbs(v *big.Int, n int) []uint64 {
	b := v.FillBytes(make([]byte, 8*n))
	out := make([]uint64, n)
	for i := range out {
		out[i] = binary.BigEndian.Uint64(b[8*(n-1-i):])
	}
	return out
}

// open sets em, of as many octets as the modulus, to sig^e mod the modulus. It is false
// for a signature of another length, or not below the modulus (RFC 8017 §5.2.2).
func (k *rsaKey) open(em, sig []byte) bool {
	n := len(k.modulus)
	if len(sig) != k.size() || n > maxRSALimbs {
		return false
	}
	var sn, xn, accn number
	s, x, acc := sn[:n], xn[:n], accn[:n]
	for i, v := range sig {
		at := len(sig) - 1 - i
		s[at/8] |= uint64(v) << (at % 8 * 8)
	}
	if !below(s, k.modulus) {
		return false
	}
	var w product
	k.mul(&w, x, s, k.square)
	copy(acc, x)
	for i := bits.Len32(k.exponent) - 2; i >= 0; i-- {
		k.sqr(&w, acc, acc)
		switch {
		case i == 0: // the exponent is odd; a factor in plain form takes the product out of Montgomery form
			k.mul(&w, acc, acc, s)
		case k.exponent>>i&1 == 1:
			k.mul(&w, acc, acc, x)
		}
	}
	for i := range em {
		at := len(em) - 1 - i
		em[i] = byte(acc[at/8] >> (at % 8 * 8))
	}
	return true
}

func (k *rsaKey) size() int { return (k.bits + 7) / 8 }

func below(x, y []uint64) bool {
	var borrow uint64
	for i := range x {
		_, borrow = bits.Sub64(x[i], y[i], borrow)
	}
	return borrow == 1
}

// mul sets z to x·y/R mod the modulus.
func (k *rsaKey) mul(w *product, z, x, y []uint64) {
	n := len(k.modulus)
	t := w[:2*n]
	clear(t)
	for i, v := range x {
		t[i+n] = addRow(t[i:i+n], y, v)
	}
	k.reduce(z, t)
}

// sqr sets z to x²/R mod the modulus: twice the products of different limbs, and the squares.
func (k *rsaKey) sqr(w *product, z, x []uint64) {
	n := len(k.modulus)
	t := w[:2*n]
	clear(t)
	for i, v := range x {
		t[i+n] = addRow(t[2*i+1:i+n], x[i+1:], v)
	}
	var above, carry uint64
	for i, v := range x {
		high, low := bits.Mul64(v, v)
		t0, t1 := t[2*i], t[2*i+1]
		t[2*i], carry = bits.Add64(t0<<1|above, low, carry)
		t[2*i+1], carry = bits.Add64(t1<<1|t0>>63, high, carry)
		above = t1 >> 63
	}
	k.reduce(z, t)
}

// reduce sets z to t/R mod the modulus, for t below R times the modulus, limb by limb: the
// multiple of the modulus that makes the lowest one zero is added. z is apart from t.
func (k *rsaKey) reduce(z, t []uint64) {
	n := len(k.modulus)
	var top uint64
	for i := range n {
		carry := addRow(t[i:i+n], k.modulus, t[i]*k.negInv)
		t[i+n], top = bits.Add64(t[i+n], carry, top)
	}
	copy(z, t[n:])
	if top == 0 && below(z, k.modulus) {
		return
	}
	var borrow uint64
	for i := range z {
		z[i], borrow = bits.Sub64(z[i], k.modulus[i], borrow)
	}
}

// addRow adds x·y to t, of the same length, and returns the limb above. Eight limbs a step
// are written out: here is where the time goes.
func addRow(t, y []uint64, x uint64) (carry uint64) {
	t = t[:len(y)]
	var c uint64
	for len(y) >= 8 {
		s, v := (*[8]uint64)(t), (*[8]uint64)(y)
		h0, l0 := bits.Mul64(x, v[0])
		h1, l1 := bits.Mul64(x, v[1])
		h2, l2 := bits.Mul64(x, v[2])
		h3, l3 := bits.Mul64(x, v[3])
		l0, c = bits.Add64(l0, carry, 0)
		l1, c = bits.Add64(l1, h0, c)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		h3, _ = bits.Add64(h3, 0, c)
		s[0], c = bits.Add64(s[0], l0, 0)
		s[1], c = bits.Add64(s[1], l1, c)
		s[2], c = bits.Add64(s[2], l2, c)
		s[3], c = bits.Add64(s[3], l3, c)
		carry, _ = bits.Add64(h3, 0, c)
		h0, l0 = bits.Mul64(x, v[4])
		h1, l1 = bits.Mul64(x, v[5])
		h2, l2 = bits.Mul64(x, v[6])
		h3, l3 = bits.Mul64(x, v[7])
		l0, c = bits.Add64(l0, carry, 0)
		l1, c = bits.Add64(l1, h0, c)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		h3, _ = bits.Add64(h3, 0, c)
		s[4], c = bits.Add64(s[4], l0, 0)
		s[5], c = bits.Add64(s[5], l1, c)
		s[6], c = bits.Add64(s[6], l2, c)
		s[7], c = bits.Add64(s[7], l3, c)
		carry, _ = bits.Add64(h3, 0, c)
		t, y = t[8:], y[8:]
	}
	for i, v := range y {
		high, low := bits.Mul64(x, v)
		low, c = bits.Add64(low, carry, 0)
		high += c
		t[i], c = bits.Add64(t[i], low, 0)
		carry = high + c
	}
	return carry
}

// digestInfos are the DER of DigestInfo up to the digest (RFC 8017 §9.2 note 1): with the
// NULL of the algorithm, and without.
var digestInfos = map[crypto.Hash][2]string{
	crypto.SHA1:   {"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", "\x30\x1f\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a\x04\x14"},
	crypto.SHA224: {"\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c", "\x30\x2b\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x04\x1c"},
	crypto.SHA256: {"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", "\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"},
	crypto.SHA384: {"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30", "\x30\x3f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x04\x30"},
	crypto.SHA512: {"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40", "\x30\x4f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x04\x40"},
}

// verifyPKCS1 is RSASSA-PKCS1-v1_5 with the two encodings that the function of that name
// takes, every octet compared.
func (k *rsaKey) verifyPKCS1(hash crypto.Hash, digest, sig []byte) bool {
	var buffer [maxRSABits / 8]byte
	em := buffer[:k.size()]
	if !k.open(em, sig) || em[0] != 0 || em[1] != 1 {
		return false
	}
	for _, prefix := range digestInfos[hash] {
		if rest, ok := bytes.CutSuffix(em[2:], digest); ok && prefix != "" {
			if padding, ok := bytes.CutSuffix(rest, []byte(prefix)); ok && padded(padding) {
				return true
			}
		}
	}
	return false
}

// padded says whether b is the padding between block type and DigestInfo: at least eight
// octets FF, and 00.
func padded(b []byte) bool {
	if len(b) < 9 || b[len(b)-1] != 0 {
		return false
	}
	for _, v := range b[:len(b)-1] {
		if v != 0xff {
			return false
		}
	}
	return true
}

// verifyPSS is RSASSA-PSS with exactly the algorithm's hashes and salt length.
func (k *rsaKey) verifyPSS(alg Algorithm, digest, sig []byte) bool {
	var buffer [maxRSABits / 8]byte
	em := buffer[:k.size()]
	if !k.open(em, sig) {
		return false
	}
	bits := k.bits - 1
	if size := (bits + 7) / 8; size < len(em) {
		if em[0] != 0 {
			return false
		}
		em = em[1:]
	}
	return emsaPSS(em, bits, alg, digest)
}
