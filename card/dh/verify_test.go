package dh

import (
	"bytes"
	"crypto/rand"
	"math/big"
	"slices"
	"testing"
)

func TestVerifyRefuses(t *testing.T) {
	for _, c := range every(t) {
		k, _ := pair(t, c)
		digest := bytes.Repeat([]byte{0x5A}, 32)
		rs, err := k.SignPlain(digest)
		if err != nil {
			t.Fatal(err)
		}
		size, n := c.OrderSize(), c.Parameters().N
		order := n.FillBytes(make([]byte, size))
		r, s := rs[:size], rs[size:]
		negative := new(big.Int).Sub(n, new(big.Int).SetBytes(s)).FillBytes(make([]byte, size))
		if !VerifyPlain(k.Point(), digest, slices.Concat(r, negative)) {
			t.Errorf("%s refuses r, n-s, which is a signature too", c)
		}
		zero := make([]byte, size)
		for name, sig := range map[string][]byte{
			"nothing": nil, "half": r, "one octet less": rs[:2*size-1], "one octet more": append(slices.Clone(rs), 0),
			"r = 0": slices.Concat(zero, s), "s = 0": slices.Concat(r, zero), "zeros": make([]byte, 2*size),
			"r = n": slices.Concat(order, s), "s = n": slices.Concat(r, order), "s and r": slices.Concat(s, r),
		} {
			if VerifyPlain(k.Point(), digest, sig) {
				t.Errorf("%s takes %s", c, name)
			}
			if len(sig) == 2*size && VerifyDER(k.Point(), digest, encodeSignature(sig[:size], sig[size:])) {
				t.Errorf("%s takes %s in DER", c, name)
			}
		}
		for i := range rs {
			rs[i] ^= 0x10
			if VerifyPlain(k.Point(), digest, rs) {
				t.Errorf("%s takes a changed octet %d", c, i)
			}
			rs[i] ^= 0x10
		}
		if VerifyPlain(k.Point(), nil, rs) || VerifyPlain(nil, digest, rs) || VerifyDER(nil, digest, encodeSignature(r, s)) {
			t.Errorf("%s verifies without a digest or a key", c)
		}
	}
}

// Where x is not below n, r is x - n: the second candidate of xIs. Such a point is found
// by search from the order on, and the key and signature made to meet there.
func TestVerifyReducesX(t *testing.T) {
	for _, c := range every(t) {
		p := c.Parameters()
		if p.P.Cmp(p.N) < 0 {
			continue
		}
		g := &c.group
		var r element
		point := pointFrom(t, c, p.N)
		g.order.reduce(&r, point.X())
		scaled := publicPoint{x: point.x, zz: c.generator.x} // X/ZZ is all that counts
		g.field.mul(&scaled.x, &scaled.x, &scaled.zz)
		if !g.xIs(&scaled, &r) {
			t.Errorf("%s: x = n + %x is not r", c, bigOf(&r))
		}
		r[0] ^= 1
		if g.xIs(&scaled, &r) {
			t.Errorf("%s: another r is x", c)
		}
	}
}

func TestSignedWindows(t *testing.T) {
	for _, width := range []int{2, pointWindow, generatorWindow} {
		for range 200 {
			limit := new(big.Int).Lsh(big.NewInt(1), 521)
			k, err := rand.Int(rand.Reader, limit)
			if err != nil {
				t.Fatal(err)
			}
			sum, last := new(big.Int), -width
			var digits windows
			n := digits.write(limbsOf(k), width)
			for i, d := range digits[:n] {
				if d == 0 {
					continue
				}
				if d&1 == 0 || int(d) >= 1<<(width-1) || int(d) <= -1<<(width-1) || i-last < width {
					t.Fatalf("digit %d of %x at %d after %d", d, k, i, last)
				}
				last = i
				sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(i)))
			}
			if sum.Cmp(k) != 0 {
				t.Fatalf("%x comes back as %x", k, sum)
			}
		}
	}
}

// pointOf is the point, nil at infinity.
func pointOf(c *Curve, p *publicPoint) *Point {
	if isZero(&p.zz) == 1 {
		return nil
	}
	out := make([]affine, 1)
	c.group.normalise(out, []publicPoint{*p})
	return &Point{curve: c, x: out[0].x, y: out[0].y}
}

// Straus's sums, and those from tables, are the constant-time ones, where u or v is zero,
// where both meet in one point, and where the sum is infinity.
func TestStrausAsMultiply(t *testing.T) {
	for _, c := range every(t) {
		g, n := &c.group, c.Parameters().N
		_, q := pair(t, c)
		edges := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2), new(big.Int).Sub(n, big.NewInt(1)), new(big.Int).Rsh(n, 1)}
		for range 3 {
			v, err := rand.Int(rand.Reader, n)
			if err != nil {
				t.Fatal(err)
			}
			edges = append(edges, v)
		}
		for _, point := range []*Point{q, c.generator} {
			odd, key := g.oddMultiples(point, pointWindow), newComb(point, keyComb)
			for _, u := range edges {
				for _, v := range edges {
					ue, ve := limbsOf(u), limbsOf(v)
					var got, fromTables publicPoint
					g.straus(&got, c.odd(), &ue, odd, &ve)
					c.comb().addTo(&fromTables, &ue)
					key.addTo(&fromTables, &ve)
					var want, term projective
					g.multiply(&want, c.generator.projective(), &ue)
					g.multiply(&term, point.projective(), &ve)
					g.add(&want, &want, &term)
					b, err := c.newPoint(&want)
					for name, sum := range map[string]*publicPoint{"Straus": &got, "tables": &fromTables} {
						if a := pointOf(c, sum); (a == nil) != (err != nil) || a != nil && !a.Equal(b) {
							t.Fatalf("%s: %x·G + %x·Q differs by %s", c, u, v, name)
						}
					}
				}
			}
		}
	}
}
