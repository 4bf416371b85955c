package dh

import "math/bits"

// This file, verifier.go, comb.go, public_point.go and invert.go run in variable time:
// signatures and the keys they are checked with are public. Nothing here hands out a
// multiple of a point.

// Widths of the signed windows of Straus's method. The generator's table is made once.
const (
	pointWindow     = 5
	generatorWindow = 8
)

// maxScalar is the most octets of a scalar, that of P-521.
const maxScalar = 66

// VerifyDER reports whether sig is an ECDSA signature, SEQUENCE { r, s } in strict DER,
// of the digest, of which the left bits count if it is longer than the order. It runs in
// variable time: pub is a public key, never a shared secret. Whoever has many signatures
// of one key takes a Verifier.
func VerifyDER(pub *Point, digest, sig []byte) bool {
	return pub != nil && verifyDER(pub, nil, digest, sig)
}

// VerifyPlain reports whether rs is an ECDSA signature r‖s, each of exactly OrderSize
// octets; see VerifyDER.
func VerifyPlain(pub *Point, digest, rs []byte) bool {
	return pub != nil && verifyPlain(pub, nil, digest, rs)
}

func verifyDER(pub *Point, t *tables, digest, sig []byte) bool {
	var r, s [maxScalar]byte
	size := pub.curve.OrderSize()
	return parseSignature(r[:size], s[:size], sig) && verify(pub, t, digest, r[:size], s[:size])
}

func verifyPlain(pub *Point, t *tables, digest, rs []byte) bool {
	size := pub.curve.OrderSize()
	return len(rs) == 2*size && verify(pub, t, digest, rs[:size], rs[size:])
}

// verify is the verification of TR-03111 §4.2.1.2, with tables of multiples if there are
// any.
func verify(pub *Point, t *tables, digest, rBytes, sBytes []byte) bool {
	g := &pub.curve.group
	order := g.order
	var r, s, e, w, u, v element
	if len(digest) == 0 || order.setBytes(&r, rBytes)&order.setBytes(&s, sBytes) == 0 ||
		isZero(&r)|isZero(&s) == 1 {
		return false
	}
	order.invertPublic(&w, &s)
	order.enter(&w, &w)
	order.reduce(&e, leftBits(digest, order.bits))
	order.mul(&u, &e, &w)
	order.mul(&v, &r, &w)
	var sum publicPoint
	if t != nil {
		t.base.addTo(&sum, &u)
		t.key.addTo(&sum, &v)
	} else {
		g.straus(&sum, pub.curve.odd(), &u, g.oddMultiples(pub, pointWindow), &v)
	}
	return isZero(&sum.zz) == 0 && g.xIs(&sum, &r)
}

// xIs reports whether the x coordinate of p, as a number, is r mod the order. It compares
// X with r·ZZ, and with (r + n)·ZZ as far as that is below the prime, to spare a division.
func (g *group) xIs(p *publicPoint, r *element) bool {
	for candidate := *r; less(&candidate, &g.field.value); {
		var x element
		g.field.enter(&x, &candidate)
		g.field.mul(&x, &x, &p.zz)
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

// straus sets sum to u·P + v·Q from tables of odd multiples of P and Q.
func (g *group) straus(sum *publicPoint, p []affine, u *element, q []affine, v *element) {
	var us, vs windows
	n := max(us.write(*u, generatorWindow), vs.write(*v, pointWindow))
	*sum = publicPoint{}
	for i := n - 1; i >= 0; i-- {
		g.doublePublic(sum)
		g.addMultiple(sum, p, us[i])
		g.addMultiple(sum, q, vs[i])
	}
}

// addMultiple adds digit·P, for a digit that is zero or odd.
func (g *group) addMultiple(sum *publicPoint, p []affine, digit int8) {
	switch {
	case digit > 0:
		g.addPublic(sum, &p[digit/2])
	case digit < 0:
		q := p[-digit/2]
		g.field.sub(&q.y, &element{}, &q.y)
		g.addPublic(sum, &q)
	}
}

// oddMultiples returns P, 3P, 5P, … as a signed window of so many bits needs them.
func (g *group) oddMultiples(p *Point, width int) []affine {
	table := make([]publicPoint, 1<<(width-2))
	table[0] = g.lift(&affine{p.x, p.y})
	twice := table[0]
	g.doublePublic(&twice)
	step := []affine{{}}
	g.normalise(step, []publicPoint{twice})
	for i := 1; i < len(table); i++ {
		table[i] = table[i-1]
		g.addPublic(&table[i], &step[0])
	}
	out := make([]affine, len(table))
	g.normalise(out, table)
	return out
}

// windows are the digits of a number, the lowest first.
type windows [64*maxLimbs + 1]int8

// write sets the digits so that the sum of digit·2ⁱ is k: zero or odd, below 2^(width-1)
// in absolute value, and after one that is not zero width-1 that are. It returns how many
// there are up to the last.
func (d *windows) write(k element, width int) (n int) {
	for i := 0; k != (element{}); i++ {
		if k[0]&1 == 1 {
			digit := int64(k[0] & (1<<width - 1))
			if digit >= 1<<(width-1) {
				digit -= 1 << width
			}
			addSmall(&k, -digit)
			d[i], n = int8(digit), i+1
		}
		for j := range maxLimbs - 1 {
			k[j] = k[j]>>1 | k[j+1]<<63
		}
		k[maxLimbs-1] >>= 1
	}
	return n
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
