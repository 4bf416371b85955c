package dh

import "math/bits"

// This file alone runs in variable time: signatures and the keys they are checked with
// are public.

// Widths of the signed windows of Straus's method. The generator's table is made once.
const (
	pointWindow     = 5
	generatorWindow = 8
)

// VerifyDER reports whether sig is an ECDSA signature, SEQUENCE { r, s } in strict DER,
// of the digest, of which the left bits count if it is longer than the order. It runs in
// variable time: pub is a public key, never a shared secret.
func VerifyDER(pub *Point, digest, sig []byte) bool {
	if pub == nil {
		return false
	}
	r, s, ok := parseSignature(sig, pub.curve.OrderSize())
	return ok && verify(pub, digest, r, s)
}

// VerifyPlain reports whether rs is an ECDSA signature r‖s, each of exactly OrderSize
// octets; see VerifyDER.
func VerifyPlain(pub *Point, digest, rs []byte) bool {
	if pub == nil {
		return false
	}
	size := pub.curve.OrderSize()
	return len(rs) == 2*size && verify(pub, digest, rs[:size], rs[size:])
}

func verify(pub *Point, digest, rBytes, sBytes []byte) bool {
	g := &pub.curve.group
	order := g.order
	var r, s, e, w, u, v element
	if len(digest) == 0 || order.setBytes(&r, rBytes)&order.setBytes(&s, sBytes) == 0 ||
		isZero(&r)|isZero(&s) == 1 {
		return false
	}
	order.enter(&w, &s)
	order.invert(&w, &w)
	order.reduce(&e, leftBits(digest, order.bits))
	order.mul(&u, &e, &w)
	order.mul(&v, &r, &w)
	p := g.straus(pub.curve.odd(), &u, g.oddMultiples(pub.projective(), pointWindow), &v)
	return isZero(&p.z) == 0 && g.xIs(&p, &r)
}

// xIs reports whether the x coordinate of p, as a number, is r mod the order. It compares
// X with r·Z, and with (r + n)·Z as far as that is below the prime, to spare a division.
func (g *group) xIs(p *projective, r *element) bool {
	for candidate := *r; less(&candidate, &g.field.value); {
		var x element
		g.field.enter(&x, &candidate)
		g.field.mul(&x, &x, &p.z)
		if x == p.x {
			return true
		}
		var carry uint64
		for i := range candidate {
			candidate[i], carry = bits.Add64(candidate[i], g.order.value[i], carry)
		}
	}
	return false
}

// straus returns u·P + v·Q from tables of odd multiples of P and Q.
func (g *group) straus(p []projective, u *element, q []projective, v *element) projective {
	us, vs := signedWindows(*u, generatorWindow), signedWindows(*v, pointWindow)
	sum := g.infinity()
	for i := max(len(us), len(vs)) - 1; i >= 0; i-- {
		g.double(&sum, &sum)
		if i < len(us) {
			g.addMultiple(&sum, p, us[i])
		}
		if i < len(vs) {
			g.addMultiple(&sum, q, vs[i])
		}
	}
	return sum
}

// addMultiple adds digit·P, for a digit that is zero or odd.
func (g *group) addMultiple(sum *projective, p []projective, digit int8) {
	switch {
	case digit > 0:
		g.add(sum, sum, &p[digit/2])
	case digit < 0:
		q := p[-digit/2]
		g.field.sub(&q.y, &element{}, &q.y)
		g.add(sum, sum, &q)
	}
}

// oddMultiples returns P, 3P, 5P, … as a signed window of so many bits needs them.
func (g *group) oddMultiples(p *projective, width int) []projective {
	table := make([]projective, 1<<(width-2))
	table[0] = *p
	var twice projective
	g.double(&twice, p)
	for i := 1; i < len(table); i++ {
		g.add(&table[i], &table[i-1], &twice)
	}
	return table
}

// signedWindows writes k as the sum of digit·2ⁱ with digits that are zero or odd, below
// 2^(width-1) in absolute value, and after one that is not zero width-1 that are.
func signedWindows(k element, width int) []int8 {
	digits := make([]int8, 0, 64*maxLimbs)
	for k != (element{}) {
		var digit int64
		if k[0]&1 == 1 {
			digit = int64(k[0] & (1<<width - 1))
			if digit >= 1<<(width-1) {
				digit -= 1 << width
			}
			addSmall(&k, -digit)
		}
		digits = append(digits, int8(digit))
		for i := range maxLimbs - 1 {
			k[i] = k[i]>>1 | k[i+1]<<63
		}
		k[maxLimbs-1] >>= 1
	}
	return digits
}

func addSmall(k *element, v int64) {
	var carry uint64
	k[0], carry = bits.Add64(k[0], uint64(v), 0)
	for i := 1; i < maxLimbs; i++ {
		k[i], carry = bits.Add64(k[i], uint64(v>>63), carry)
	}
}

func less(x, y *element) bool {
	var borrow uint64
	for i := range x {
		_, borrow = bits.Sub64(x[i], y[i], borrow)
	}
	return borrow == 1
}
