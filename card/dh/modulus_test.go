package dh

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"testing"
)

func bigOf(e *element) *big.Int {
	z := new(big.Int)
	for i := len(e) - 1; i >= 0; i-- {
		z.Lsh(z, 64).Or(z, new(big.Int).SetUint64(e[i]))
	}
	return z
}

// moduli returns the primes and orders of all curves, and numbers with the carries that
// those don't have: all ones, and the top bit alone, for every length.
func moduli(t testing.TB) []*modulus {
	var list []*modulus
	for _, c := range every(t) {
		list = append(list, c.group.field, c.group.order)
	}
	one := big.NewInt(1)
	for limbs := minLimbs; limbs <= maxLimbs; limbs++ {
		top := new(big.Int).Lsh(one, uint(64*limbs))
		list = append(list, newModulus(new(big.Int).Sub(top, one)),
			newModulus(new(big.Int).Add(top.Rsh(top, 1), one)))
	}
	return list
}

// numbers returns the edges of a modulus, numbers of limbs that are all ones or zeros,
// and random ones.
func numbers(r *rand.Rand, m *big.Int) []*big.Int {
	list := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2)}
	for _, d := range []int64{1, 2, 3} {
		list = append(list, new(big.Int).Sub(m, big.NewInt(d)))
	}
	for range 12 {
		var e element
		for i := range e {
			e[i] = []uint64{0, 1, 1<<64 - 1, 1 << 63, r.Uint64(), r.Uint64()}[r.IntN(6)]
		}
		list = append(list, new(big.Int).Mod(bigOf(&e), m))
	}
	return list
}

func TestModulusAsBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, m := range moduli(t) {
		v := bigOf(&m.value)
		rInv := new(big.Int).Lsh(big.NewInt(1), uint(64*m.limbs))
		rInv.ModInverse(rInv, v)
		list := numbers(r, v)
		for _, x := range list {
			for _, y := range list {
				xe, ye := limbsOf(x), limbsOf(y)
				check := func(name string, op func(z, x, y *element), want *big.Int) {
					var z element
					op(&z, &xe, &ye)
					want.Mod(want, v)
					// Operands may be the result.
					left, right := xe, ye
					op(&left, &left, &ye)
					op(&right, &xe, &right)
					if bigOf(&z).Cmp(want) != 0 || left != z || right != z {
						t.Fatalf("%x %s %x mod %x is %x, want %x", x, name, y, v, bigOf(&z), want)
					}
				}
				check("+", m.add, new(big.Int).Add(x, y))
				check("-", m.sub, new(big.Int).Sub(x, y))
				product := new(big.Int).Mul(x, y)
				check("·", m.mul, product.Mul(product, rInv))
			}
		}
	}
}

func TestInvert(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range every(t) {
		for _, m := range []*modulus{c.group.field, c.group.order} {
			v := bigOf(&m.value)
			for _, x := range numbers(r, v) {
				e := limbsOf(x)
				m.enter(&e, &e)
				m.invert(&e, &e)
				m.leave(&e, &e)
				want := new(big.Int)
				if x.Sign() != 0 {
					want.ModInverse(x, v)
				}
				if bigOf(&e).Cmp(want) != 0 {
					t.Fatalf("1/%x mod %x is %x", x, v, bigOf(&e))
				}
			}
		}
	}
}

func TestReduceAnyLength(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, m := range moduli(t) {
		for length := range 3 * m.size {
			b := make([]byte, length)
			for i := range b {
				b[i] = byte(r.Uint32()) | byte(r.Int32()>>31)
			}
			var z element
			m.reduce(&z, b)
			want := new(big.Int).SetBytes(b)
			if want.Mod(want, bigOf(&m.value)); bigOf(&z).Cmp(want) != 0 {
				t.Fatalf("%x mod %x is %x", b, bigOf(&m.value), bigOf(&z))
			}
		}
	}
}

func TestBytesOfElements(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, m := range moduli(t) {
		v := bigOf(&m.value)
		for _, x := range numbers(r, v) {
			b := x.FillBytes(make([]byte, m.size))
			var z element
			if m.setBytes(&z, b) != 1 || bigOf(&z).Cmp(x) != 0 || !bytes.Equal(m.bytes(&z), b) {
				t.Fatalf("%x mod %x does not come back", b, v)
			}
			if m.setBytes(&z, append([]byte{0}, b...)) == 1 || m.setBytes(&z, b[1:]) == 1 {
				t.Fatal("another length is taken")
			}
		}
		all := bytes.Repeat([]byte{0xFF}, m.size)
		var z element
		if m.setBytes(&z, v.FillBytes(make([]byte, m.size))) == 1 || m.setBytes(&z, all) == 1 {
			t.Fatalf("numbers not below %x are taken", v)
		}
	}
}
