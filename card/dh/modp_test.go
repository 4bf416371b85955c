package dh

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func modpGroups(t testing.TB) []*MODP {
	t.Helper()
	var list []*MODP
	for id := range 3 {
		g, err := GroupByID(id)
		if err != nil {
			t.Fatal(err)
		}
		m := g.(*MODP)
		if n, ok := m.ID(); n != id || !ok {
			t.Errorf("group %d has the id %d", id, n)
		}
		list = append(list, m)
	}
	return list
}

// TestMODPNumbers holds the groups to what makes them groups.
func TestMODPNumbers(t *testing.T) {
	for i, m := range modpGroups(t) {
		p, g, q := m.Parameters()
		if !p.ProbablyPrime(20) || !q.ProbablyPrime(20) || new(big.Int).Exp(g, q, p).Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%v is no group", m)
		}
		if want := []int{1024, 2048, 2048}[i]; m.Bits() != want || m.Size() != want/8 {
			t.Errorf("%v: %d bits", m, m.Bits())
		}
		if want := []int{160, 224, 256}[i]; q.BitLen() != want || m.OrderSize() != want/8 {
			t.Errorf("%v: order of %d bits", m, q.BitLen())
		}
		if again, err := NewMODP(p, g, q); again != m || err != nil {
			t.Errorf("%v is not known by its numbers: %v", m, err)
		}
		if again, err := MODPByPG(p, g); again != m || err != nil {
			t.Errorf("%v is not known without its order: %v", m, err)
		}
	}
	if _, err := GroupByID(3); !errors.Is(err, ErrUnknownCurve) {
		t.Errorf("id 3: %v", err)
	}
}

// TestMODPAsBig compares every operation with math/big.
func TestMODPAsBig(t *testing.T) {
	for _, m := range modpGroups(t) {
		p, g, q := m.Parameters()
		for range 10 {
			a, err := m.Generate()
			if err != nil {
				t.Fatal(err)
			}
			b, err := GenerateSecret(m.Base())
			if err != nil {
				t.Fatal(err)
			}
			x := new(big.Int).SetBytes(a.Bytes())
			if want := new(big.Int).Exp(g, x, p); want.Cmp(number(a.Element())) != 0 || x.Cmp(q) >= 0 {
				t.Errorf("%v: public key %X", m, a.Element().Bytes())
			}
			secret, err := a.Agree(b.Element())
			if err != nil {
				t.Fatal(err)
			}
			want := new(big.Int).Exp(number(b.Element()), x, p).FillBytes(make([]byte, m.Size()))
			if other, err := b.Agree(a.Element()); err != nil || !bytes.Equal(secret, want) || !bytes.Equal(other, want) {
				t.Errorf("%v: the ends agree on %X and %X, want %X", m, secret, other, want)
			}
			nonce := make([]byte, 32)
			rand.Read(nonce)
			mapped, err := m.MapGeneric(nonce, b.Element())
			if err != nil {
				t.Fatal(err)
			}
			w := new(big.Int).Exp(g, new(big.Int).SetBytes(nonce), p)
			if w.Mul(w, number(b.Element())).Mod(w, p); w.Cmp(number(mapped)) != 0 {
				t.Errorf("%v: generic mapping", m)
			}
			random := make([]byte, m.Size()+16)
			rand.Read(random)
			if mapped, err = m.MapIntegrated(random); err != nil {
				t.Fatal(err)
			}
			w.Exp(new(big.Int).SetBytes(random), new(big.Int).Div(new(big.Int).Sub(p, big.NewInt(1)), q), p)
			if w.Cmp(number(mapped)) != 0 {
				t.Errorf("%v: integrated mapping", m)
			}
		}
	}
}

// TestMODPLeadingZeros writes a public value without leading zeros, reads it with and
// without, and keeps those of a shared secret.
func TestMODPLeadingZeros(t *testing.T) {
	m := modpGroups(t)[0]
	public, secret := false, false
	fixed, err := m.NewExponent(append(make([]byte, m.OrderSize()-1), 7))
	if err != nil {
		t.Fatal(err)
	}
	for i := 2; i < 20000 && !(public && secret); i++ {
		x := make([]byte, m.OrderSize())
		x[len(x)-2], x[len(x)-1] = byte(i>>8), byte(i)
		k, err := m.NewExponent(x)
		if err != nil {
			t.Fatal(err)
		}
		if b := k.Element().Bytes(); len(b) < m.Size() {
			public = true
			for _, form := range [][]byte{b, append(make([]byte, m.Size()-len(b)), b...)} {
				if e, err := m.ParseElement(form); err != nil || !e.Equal(k.Element()) || b[0] == 0 {
					t.Errorf("%X: %v", form, err)
				}
			}
		}
		z, err := k.Agree(fixed.Element())
		if err != nil || len(z) != m.Size() {
			t.Fatalf("%d octets, %v", len(z), err)
		}
		secret = secret || z[0] == 0
	}
	if !public || !secret {
		t.Errorf("met a short public value %v, a secret that begins with zero %v", public, secret)
	}
}

func number(e Element) *big.Int { return new(big.Int).SetBytes(e.Bytes()) }

// TestMODPRefuses gives every group what no honest end sends.
func TestMODPRefuses(t *testing.T) {
	for _, m := range modpGroups(t) {
		p, _, q := m.Parameters()
		sized := func(n *big.Int) []byte { return n.FillBytes(make([]byte, m.Size())) }
		one := big.NewInt(1)
		outside := big.NewInt(2)
		for new(big.Int).Exp(outside, q, p).Cmp(one) == 0 {
			outside.Add(outside, one)
		}
		for name, b := range map[string][]byte{
			"empty": nil, "zero": sized(new(big.Int)), "one": sized(one), "p-1": sized(new(big.Int).Sub(p, one)), "p": sized(p),
			"all ones": bytes.Repeat([]byte{0xFF}, m.Size()), "outside the subgroup": sized(outside),
			"long": append([]byte{0}, sized(number(m.Base()))...), "short": m.Base().Bytes()[1:],
		} {
			if e, err := m.ParseElement(b); !errors.Is(err, ErrPoint) || e != nil {
				t.Errorf("%v: %s is an element: %v", m, name, err)
			}
		}
		if e, err := m.ParseElement(m.Base().Bytes()); err != nil || !e.Equal(m.Base()) || e.Equal(P256().Base()) {
			t.Errorf("%v: %v", m, err)
		}
		for name, x := range map[string][]byte{
			"empty": nil, "zero": make([]byte, m.OrderSize()), "order": q.Bytes(), "twice the order": new(big.Int).Lsh(q, 1).Bytes(),
			"long": append([]byte{0}, sized(one)...),
		} {
			if k, err := m.NewExponent(x); !errors.Is(err, ErrScalar) || k != nil {
				t.Errorf("%v: %s is a key: %v", m, name, err)
			}
		}
		for _, x := range [][]byte{{7}, sized(big.NewInt(7)), new(big.Int).Add(q, big.NewInt(7)).Bytes()} {
			if k, err := m.NewExponent(x); err != nil || len(k.Bytes()) != m.OrderSize() || number(k.Element()).Cmp(new(big.Int).Exp(number(m.Base()), big.NewInt(7), p)) != 0 {
				t.Errorf("%v: the exponent %X: %v", m, x, err)
			}
		}
		k, err := m.Generate()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Agree(P256().Base()); !errors.Is(err, ErrCurve) {
			t.Errorf("another group: %v", err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %x %s", k, k, k, k), fmt.Sprintf("%x", k.Bytes()[:4])) {
			t.Error("a private key is printed")
		}
		k.Destroy()
		if _, err := k.Agree(m.Base()); !errors.Is(err, ErrDestroyed) || k.Bytes() != nil || k.Element() == nil {
			t.Errorf("after Destroy: %v", err)
		}
		if _, err := m.MapGeneric(nil, P256().Base()); !errors.Is(err, ErrCurve) {
			t.Errorf("mapping of another group: %v", err)
		}
	}
}

// TestMODPMapsToOne chooses the mapping secret against the nonce.
func TestMODPMapsToOne(t *testing.T) {
	for _, m := range modpGroups(t) {
		nonce := bytes.Repeat([]byte{0x5A}, 16)
		_, _, q := m.Parameters()
		x := new(big.Int).Sub(q, new(big.Int).Mod(new(big.Int).SetBytes(nonce), q))
		k, err := m.NewExponent(x.FillBytes(make([]byte, m.OrderSize())))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.MapGeneric(nonce, k.Element()); !errors.Is(err, ErrInfinity) {
			t.Errorf("%v: %v", m, err)
		}
		if _, err := m.MapIntegrated(make([]byte, 16)); !errors.Is(err, ErrInfinity) {
			t.Errorf("%v: integrated mapping of zero: %v", m, err)
		}
	}
}

// TestNewMODP takes an unknown group only if it is one.
func TestNewMODP(t *testing.T) {
	// p = 2·q·k + 1 with q of 160 bits, made for this test by trial.
	q, _ := new(big.Int).SetString("F518AA8781A8DF278ABA4E7D64B7CB9D49462353", 16)
	one := big.NewInt(1)
	k := new(big.Int).Lsh(one, 1024-160-1)
	p := new(big.Int)
	for {
		p.Mul(q, k)
		p.Lsh(p, 1).Add(p, one)
		if p.ProbablyPrime(0) {
			break
		}
		k.Add(k, one)
	}
	g := new(big.Int).Exp(big.NewInt(2), new(big.Int).Lsh(k, 1), p)
	m, err := NewMODP(p, g, q)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewMODP(p, g, q)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := m.Generate()
	b, _ := again.Generate()
	x, err1 := a.Agree(b.Element())
	y, err2 := b.Agree(a.Element())
	if _, standardised := m.ID(); err1 != nil || err2 != nil || !bytes.Equal(x, y) || standardised {
		t.Errorf("%v, %v", err1, err2)
	}
	two := big.NewInt(2)
	for name, n := range map[string][3]*big.Int{
		"p is not prime": {new(big.Int).Add(p, two), g, q}, "q is not prime": {p, g, new(big.Int).Add(q, one)},
		"g is one": {p, one, q}, "g of another order": {p, new(big.Int).Sub(p, one), q}, "g is p": {p, p, q},
		"q does not divide": {p, g, modpGroups(t)[1].q}, "negative": {new(big.Int).Neg(p), g, q},
		"too long": {new(big.Int).Lsh(one, 5000), g, q}, "too short": {big.NewInt(23), two, big.NewInt(11)}, "nil": {nil, g, q},
	} {
		if m, err := NewMODP(n[0], n[1], n[2]); !errors.Is(err, ErrUnknownCurve) || m != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := MODPByPG(p, g); !errors.Is(err, ErrUnknownCurve) {
		t.Errorf("without its order: %v", err)
	}
}

func FuzzMODPElement(f *testing.F) {
	m := modpGroups(f)[0]
	p, _, q := m.Parameters()
	f.Add(m.Base().Bytes())
	f.Add(p.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := m.ParseElement(b)
		n := new(big.Int).SetBytes(b)
		good := len(b) <= m.Size() && n.Cmp(p) < 0 && n.Cmp(big.NewInt(1)) > 0 && new(big.Int).Exp(n, q, p).Cmp(big.NewInt(1)) == 0
		if good != (err == nil) || good && !bytes.Equal(e.Bytes(), n.Bytes()) {
			t.Errorf("%X: %v", b, err)
		}
	})
}

// TestNewMODPAgain meets the same parameters again, good and bad, and more than are kept.
func TestNewMODPAgain(t *testing.T) {
	p, g, q := modpGroups(t)[0].Parameters()
	double := new(big.Int).Exp(g, big.NewInt(2), p) // another generator of the subgroup
	first, err := NewMODP(p, double, q)
	if err != nil {
		t.Fatal(err)
	}
	for range maxJudged + 2 {
		double.Exp(double, big.NewInt(2), p)
		if _, err := NewMODP(p, double, q); err != nil {
			t.Fatal(err)
		}
	}
	double.Exp(g, big.NewInt(2), p)
	for range 2 {
		if m, err := NewMODP(p, double, q); err != nil || !m.same(first) {
			t.Error(err)
		}
		if m, err := NewMODP(p, big.NewInt(2), q); m != nil || !errors.Is(err, ErrUnknownCurve) {
			t.Errorf("a generator of another order: %v", err)
		}
	}
}
