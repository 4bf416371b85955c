package dh

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// TestPointEncodingICAO is Doc 9303-11 Appendix H.1.
func TestPointEncodingICAO(t *testing.T) {
	var doc struct {
		Cases []struct {
			Domain       int    `json:"domain_parameter_id"`
			PseudoRandom string `json:"pseudo_random"`
			Mapped       string `json:"mapped_generator"`
		}
	}
	if err := json.Unmarshal(testdata.Read(t, "worked/pace-im-ecdh.json"), &doc); err != nil || len(doc.Cases) == 0 {
		t.Fatalf("%v", err)
	}
	for _, e := range doc.Cases {
		c, err := ByID(e.Domain)
		if err != nil {
			t.Fatal(err)
		}
		random, _ := hex.DecodeString(e.PseudoRandom)
		want, _ := hex.DecodeString(e.Mapped)
		if p, err := c.MapIntegrated(random); err != nil || !bytes.Equal(p.Bytes(), want) {
			t.Errorf("mapped generator %v, %v", p, err)
		}
	}
}

// TestPointEncodingAsBig follows the steps of Appendix B.2 with math/big.
func TestPointEncodingAsBig(t *testing.T) {
	for id := firstID; id < firstID+len(curves); id++ {
		c, err := ByID(id)
		if err != nil {
			t.Fatal(err)
		}
		if c == P224() {
			if p, err := c.MapIntegrated([]byte{2}); !errors.Is(err, ErrUnknownCurve) || p != nil {
				t.Errorf("P-224: %v", err)
			}
			continue
		}
		for range 20 {
			random := make([]byte, c.Size()+16)
			rand.Read(random)
			p, err := c.MapIntegrated(random)
			if err != nil {
				t.Fatal(err)
			}
			x, y := encodePoint(c.Parameters(), new(big.Int).SetBytes(random))
			want := append(append([]byte{4}, x.FillBytes(make([]byte, c.Size()))...), y.FillBytes(make([]byte, c.Size()))...)
			if !bytes.Equal(p.Bytes(), want) {
				t.Errorf("%v: %X is encoded as %X, want %X", c, random, p.Bytes(), want)
			}
		}
		for _, bad := range [][]byte{nil, {1}, new(big.Int).Sub(c.Parameters().P, big.NewInt(1)).Bytes()} {
			if p, err := c.MapIntegrated(bad); !errors.Is(err, ErrInfinity) || p != nil {
				t.Errorf("%v: %X has an encoding: %v", c, bad, err)
			}
		}
	}
}

func encodePoint(d Parameters, t *big.Int) (x, y *big.Int) {
	p, one := d.P, big.NewInt(1)
	mod := func(n *big.Int) *big.Int { return n.Mod(n, p) }
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	alpha := mod(new(big.Int).Neg(mul(t, t)))
	inner := new(big.Int).ModInverse(mod(new(big.Int).Add(alpha, mul(alpha, alpha))), p)
	x2 := mul(mul(new(big.Int).Neg(d.B), new(big.Int).ModInverse(d.A, p)), new(big.Int).Add(one, inner))
	x3 := mul(alpha, x2)
	h2 := mod(new(big.Int).Add(new(big.Int).Add(mul(mul(x2, x2), x2), mul(d.A, x2)), d.B))
	u := mul(mul(mul(t, t), t), h2)
	e := new(big.Int).Rsh(new(big.Int).Add(p, one), 2)
	e.Sub(new(big.Int).Sub(p, one), e)
	a := new(big.Int).Exp(h2, e, p)
	if mul(mul(a, a), h2).Cmp(one) == 0 {
		return x2, mul(a, h2)
	}
	return x3, mul(a, u)
}
