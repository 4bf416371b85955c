package pki

import (
	"crypto/rand"
	"math/big"
	"testing"
)

// TestFactorable makes primes as the library of CVE-2017-15361 made them, k·M + 65537^a
// modulo M for a product M of small primes, and moduli of honest ones.
func TestFactorable(t *testing.T) {
	m, small := big.NewInt(1), 0
	for p := int64(2); small < 39; p++ { // for keys of 512 bits and more
		if big.NewInt(p).ProbablyPrime(1) {
			m.Mul(m, big.NewInt(p))
			small++
		}
	}
	random := func(below *big.Int) *big.Int {
		n, err := rand.Int(rand.Reader, below)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	weak := func() *big.Int {
		for {
			p := new(big.Int).Mul(random(new(big.Int).Lsh(big.NewInt(1), 64)), m)
			p.Add(p, new(big.Int).Exp(big.NewInt(65537), random(m), m))
			if p.ProbablyPrime(1) {
				return p
			}
		}
	}
	if n := new(big.Int).Mul(weak(), weak()); !factorable(n) {
		t.Errorf("%x", n)
	}
	for range 20 {
		p, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			t.Fatal(err)
		}
		if n := new(big.Int).Mul(p, weak()); factorable(n) {
			t.Errorf("half of it is honest: %x", n)
		}
	}
	for _, n := range []int64{0, -7} {
		if factorable(big.NewInt(n)) {
			t.Error(n)
		}
	}
}
