package dh

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"testing"
)

func TestParsePointRefuses(t *testing.T) {
	for _, c := range every(t) {
		size, p := c.Size(), c.Parameters().P
		good := c.Generator().Bytes()
		if g, err := c.ParsePoint(good); err != nil || !g.Equal(c.Generator()) {
			t.Fatalf("%s: the generator does not come back: %v", c, err)
		}
		for name, change := range map[string]func([]byte) []byte{
			"empty":                   func([]byte) []byte { return nil },
			"infinity":                func([]byte) []byte { return []byte{0} },
			"infinity of full length": func(b []byte) []byte { return make([]byte, len(b)) },
			"(0, 0)":                  func(b []byte) []byte { clear(b[1:]); return b },
			"compressed":              func(b []byte) []byte { return append([]byte{2 + b[2*size]&1}, b[1:1+size]...) },
			"hybrid":                  func(b []byte) []byte { b[0] = 6 + b[2*size]&1; return b },
			"without its tag":         func(b []byte) []byte { return b[1:] },
			"short":                   func(b []byte) []byte { return b[:2*size] },
			"long":                    func(b []byte) []byte { return append(b, 0) },
			"off the curve":           func(b []byte) []byte { b[2*size] ^= 1; return b },
			"x = p":                   func(b []byte) []byte { p.FillBytes(b[1 : 1+size]); return b },
			"y = p":                   func(b []byte) []byte { p.FillBytes(b[1+size:]); return b },
			"all ones":                func(b []byte) []byte { copy(b[1:], bytes.Repeat([]byte{0xFF}, 2*size)); return b },
		} {
			if q, err := c.ParsePoint(change(bytes.Clone(good))); !errors.Is(err, ErrPoint) || q != nil {
				t.Errorf("%s takes a point that is %s: %v", c, name, err)
			}
		}
	}
}

// A coordinate that is a point's, but encoded with the prime added, is refused wherever
// it fits: a point has one encoding.
func TestParsePointTakesOneEncoding(t *testing.T) {
	for _, c := range every(t) {
		p := c.Parameters().P
		point := pointFrom(t, c, new(big.Int))
		b := point.Bytes()
		x := p.FillBytes(make([]byte, c.Size()))
		carry := 0
		for i := c.Size() - 1; i >= 0; i-- {
			sum := int(x[i]) + int(b[1+i]) + carry
			x[i], carry = byte(sum), sum>>8
		}
		if copy(b[1:], x); carry != 0 {
			t.Fatalf("%s: x is not small", c)
		}
		if _, err := c.ParsePoint(b); !errors.Is(err, ErrPoint) {
			t.Errorf("%s takes x + p: %v", c, err)
		}
	}
}

func TestPointEqual(t *testing.T) {
	k, p := pair(t, P256())
	again, err := P256().ParsePoint(p.Bytes())
	if err != nil || !p.Equal(again) || !k.Public().(*Point).Equal(k.Point()) {
		t.Error("a point is not equal to itself")
	}
	var none *Point
	for _, other := range []any{k.Point(), *p, none, nil, P384().Generator(), p.Bytes()} {
		if p.Equal(other) {
			t.Errorf("a point is equal to %T", other)
		}
	}
}

func TestPrintingHidesPoints(t *testing.T) {
	_, p := pair(t, BrainpoolP256r1())
	want := "point on brainpoolP256r1"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, p); got != want {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func FuzzParsePoint(f *testing.F) {
	for _, c := range every(f) {
		f.Add(c.id, c.Generator().Bytes())
		f.Add(c.id, append([]byte{2}, c.Generator().X()...))
	}
	f.Fuzz(func(t *testing.T, id int, b []byte) {
		c, err := ByID(id)
		if err != nil {
			return
		}
		p, err := c.ParsePoint(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Bytes(), b) {
			t.Fatalf("%s: %x comes back as %x", c, b, p.Bytes())
		}
		k, err := NewPrivateKeyOn(p, append(make([]byte, c.OrderSize()-1), 1))
		if err != nil || !k.Point().Equal(p) {
			t.Fatalf("%s: %x is not in the group: %v", c, b, err)
		}
	})
}

// pointFrom returns a point with the first x from start on.
func pointFrom(t *testing.T, c *Curve, start *big.Int) *Point {
	t.Helper()
	p := c.Parameters()
	for x := new(big.Int).Set(start); x.Cmp(p.P) < 0; x.Add(x, big.NewInt(1)) {
		y := new(big.Int).Mul(x, x)
		y.Mul(y.Add(y, p.A), x)
		y.Mod(y.Add(y, p.B), p.P)
		if y.ModSqrt(y, p.P) == nil {
			continue
		}
		b := make([]byte, 1+2*c.Size())
		b[0] = 4
		x.FillBytes(b[1 : 1+c.Size()])
		y.FillBytes(b[1+c.Size():])
		point, err := c.ParsePoint(b)
		if err != nil {
			t.Fatal(err)
		}
		return point
	}
	t.Fatalf("%s has no point with x from %x on", c, start)
	return nil
}
