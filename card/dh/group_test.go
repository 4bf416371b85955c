package dh

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"
)

func TestGroupLaws(t *testing.T) {
	for _, c := range every(t) {
		t.Run(c.Name(), func(t *testing.T) { checkGroupLaws(t, c) })
	}
}

// scalar encodes a number mod the order.
func scalar(c *Curve, v *big.Int) []byte {
	return new(big.Int).Mod(v, c.Parameters().N).FillBytes(make([]byte, c.OrderSize()))
}

func key(t testing.TB, c *Curve, v *big.Int) *PrivateKey {
	t.Helper()
	k, err := c.NewPrivateKey(scalar(c, v))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func checkGroupLaws(t *testing.T, c *Curve) {
	one, n := big.NewInt(1), c.Parameters().N
	k, p := pair(t, c)
	x := new(big.Int).SetBytes(k.Bytes())

	// 1·P = P, (n-1)·P = -P, n·P is infinity.
	if same, err := NewPrivateKeyOn(p, scalar(c, one)); err != nil || !same.Point().Equal(p) {
		t.Errorf("1·P is not P: %v", err)
	}
	last, err := NewPrivateKeyOn(p, scalar(c, new(big.Int).Sub(n, one)))
	if err != nil || !bytes.Equal(last.Point().X(), p.X()) || last.Point().Equal(p) {
		t.Errorf("(n-1)·P is not -P: %v", err)
	}
	var sum projective
	c.group.multiply(&sum, p.projective(), &c.group.order.value)
	if _, err := c.newPoint(&sum); !errors.Is(err, ErrInfinity) {
		t.Errorf("n·P is not refused: %v", err)
	}
	c.group.add(&sum, p.projective(), last.Point().projective())
	if _, err := c.newPoint(&sum); !errors.Is(err, ErrInfinity) {
		t.Errorf("P - P is not refused: %v", err)
	}

	// s·G + H: by distributivity, with H the inverse, with s zero, with s = n.
	for range 5 {
		y, err := rand.Int(rand.Reader, n)
		if err != nil {
			t.Fatal(err)
		}
		want := key(t, c, new(big.Int).Add(x, y)).Point()
		if got, err := Map(c, scalar(c, y), k.Point()); err != nil || !got.Equal(want) {
			t.Errorf("y·G + x·G is not (x+y)·G: %v", err)
		}
	}
	if _, err := Map(c, k.Bytes(), key(t, c, new(big.Int).Neg(x)).Point()); !errors.Is(err, ErrInfinity) {
		t.Errorf("mapping to infinity is not refused: %v", err)
	}
	for _, zero := range [][]byte{nil, {0}, n.Bytes()} {
		if got, err := Map(c, zero, p); err != nil || !got.Equal(p) {
			t.Errorf("0·G + H is not H: %v", err)
		}
	}
	if got, err := Map(c, k.Bytes(), k.Point()); err != nil || !got.Equal(key(t, c, new(big.Int).Lsh(x, 1)).Point()) {
		t.Errorf("P + P is not 2·P: %v", err)
	}
	checkAsSchoolbook(t, c)
}

// checkAsSchoolbook compares multiples with those of affine arithmetic over math/big.
func checkAsSchoolbook(t *testing.T, c *Curve) {
	p := c.Parameters()
	for _, v := range []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(3), big.NewInt(16), new(big.Int).Rsh(p.N, 1), new(big.Int).Sub(p.N, big.NewInt(1)), nil} {
		if v == nil {
			var err error
			if v, err = rand.Int(rand.Reader, p.N); err != nil {
				t.Fatal(err)
			}
		}
		x, y := schoolbook(p, v)
		want := append([]byte{4}, append(x.FillBytes(make([]byte, c.Size())), y.FillBytes(make([]byte, c.Size()))...)...)
		if got := key(t, c, v).Point().Bytes(); !bytes.Equal(got, want) {
			t.Errorf("%x·G is %x, want %x", v, got, want)
		}
	}
}

// schoolbook returns k·G by chord and tangent; nil coordinates are infinity.
func schoolbook(c Parameters, k *big.Int) (x, y *big.Int) {
	for i := k.BitLen() - 1; i >= 0; i-- {
		x, y = chord(c, x, y, x, y)
		if k.Bit(i) == 1 {
			x, y = chord(c, x, y, c.Gx, c.Gy)
		}
	}
	return x, y
}

func chord(c Parameters, x1, y1, x2, y2 *big.Int) (x, y *big.Int) {
	if x1 == nil {
		return x2, y2
	}
	var rise, run *big.Int
	if x1.Cmp(x2) == 0 {
		if y1.Cmp(y2) != 0 {
			return nil, nil
		}
		rise = new(big.Int).Mul(x1, x1)
		rise.Add(rise.Mul(rise, big.NewInt(3)), c.A)
		run = new(big.Int).Lsh(y1, 1)
	} else {
		rise, run = new(big.Int).Sub(y2, y1), new(big.Int).Sub(x2, x1)
	}
	slope := run.Mul(rise, run.ModInverse(run.Mod(run, c.P), c.P))
	x = new(big.Int).Mul(slope, slope)
	x.Mod(x.Sub(x.Sub(x, x1), x2), c.P)
	y = new(big.Int).Sub(x1, x)
	y.Mod(y.Sub(y.Mul(y, slope), y1), c.P)
	return x, y
}
