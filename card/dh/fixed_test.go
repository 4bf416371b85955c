package dh

import (
	"crypto/rand"
	"testing"
)

// The table of the generator says what multiply says, for any scalar and those at the ends.
func TestFixed(t *testing.T) {
	for _, curve := range curves {
		c := curve()
		last := c.group.order.value
		last[0]-- // odd, so nothing is borrowed
		list := []element{{}, {1}, {15}, {16}, {0, 1}, last}
		for range 20 {
			wide := make([]byte, c.group.order.size+16)
			rand.Read(wide)
			var s element
			c.group.order.reduce(&s, wide)
			list = append(list, s)
		}
		c.fixed.uses.Store(oftenEnough)
		for i, s := range list {
			var got, want projective
			var gx, gy, wx, wy element
			c.multiplyGenerator(&got, &s)
			c.group.multiply(&want, c.generator.projective(), &s)
			if c.group.affine(&gx, &gy, &got) != c.group.affine(&wx, &wy, &want) || gx != wx || gy != wy {
				t.Errorf("%s: scalar %d differs", c.name, i)
			}
		}
	}
}

// A key that is made before the table is there is the key that is made with it.
func TestFixedKeys(t *testing.T) {
	c := newCurve(curveConstants{
		name: "P-256 again", p: P256().Parameters().P.Text(16), a: P256().Parameters().A.Text(16), b: P256().Parameters().B.Text(16),
		x: P256().Parameters().Gx.Text(16), y: P256().Parameters().Gy.Text(16), n: P256().Parameters().N.Text(16),
	})
	scalar := make([]byte, c.OrderSize())
	scalar[3] = 7
	var before *Point
	for i := range 2 * oftenEnough {
		k, err := c.NewPrivateKey(scalar)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			before = k.Point()
		}
		if !k.Point().Equal(before) {
			t.Fatalf("use %d makes another key", i)
		}
	}
	if c.fixed.uses.Load() != oftenEnough {
		t.Error("the table was not used")
	}
}
