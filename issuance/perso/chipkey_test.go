package perso

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// rocaPrime makes a factor as the library of CVE-2017-15361 did: k·M + 65537^a mod M, with M
// the product of the first 39 primes, for a modulus of 512 bits; here of 600 and more, so
// that a key is large enough to be looked at.
func rocaPrime(t *testing.T) *big.Int {
	t.Helper()
	m, n := big.NewInt(1), 0
	for p := int64(2); n < 39; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			m.Mul(m, big.NewInt(p))
			n++
		}
	}
	for range 100_000 {
		a, err := rand.Int(rand.Reader, big.NewInt(1<<40))
		if err != nil {
			t.Fatal(err)
		}
		k, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 400))
		if err != nil {
			t.Fatal(err)
		}
		p := new(big.Int).Exp(big.NewInt(65537), a, m)
		if p.Add(p, k.Mul(k, m)); p.BitLen() > 580 && p.ProbablyPrime(10) {
			return p
		}
	}
	t.Fatal("no prime")
	return nil
}

func TestWeakKeys(t *testing.T) {
	sound, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckKey(cert.PublicKey{RSA: &sound.PublicKey}); err != nil {
		t.Errorf("a sound key: %v", err)
	}
	point, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckKey(cert.PublicKey{EC: point.Point()}); err != nil {
		t.Errorf("a sound point: %v", err)
	}
	with := func(n *big.Int, e int) cert.PublicKey { return cert.PublicKey{RSA: &rsa.PublicKey{N: n, E: e}} }
	prime, err := rand.Prime(rand.Reader, 1200)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  cert.PublicKey
		says string
	}{
		"ROCA":             {with(new(big.Int).Mul(rocaPrime(t), rocaPrime(t)), 65537), "ROCA"},
		"short":            {with(new(big.Int).Rsh(sound.N, 1100), 65537), "bits"},
		"exponent 1":       {with(sound.N, 1), "exponent"},
		"even exponent":    {with(sound.N, 65536), "exponent"},
		"corrupted":        {with(new(big.Int).Mul(sound.N, big.NewInt(3)), 65537), "divisible by 3"},
		"factor of 16 bit": {with(new(big.Int).Mul(prime, big.NewInt(65521)), 65537), "divisible by 65521"},
		"prime":            {with(prime, 65537), "is a prime"},
		"square":           {with(new(big.Int).Mul(prime, prime), 65537), "square"},
		"generator":        {cert.PublicKey{EC: dh.P256().Generator()}, "generator"},
	} {
		if err := CheckKey(c.key); !errors.Is(err, ErrWeakKey) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWeakKeyIsNotWritten has a caller sign over an RSA key with a small factor.
func TestWeakKeyIsNotWritten(t *testing.T) {
	prime, err := rand.Prime(rand.Reader, 2000)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := cert.NewPublicKey(&rsa.PublicKey{N: prime.Mul(prime, big.NewInt(7)), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	c := content(PublicKeys{})
	if c.Files[lds.DG15], err = lds.EncodeDG15(pub); err != nil {
		t.Fatal(err)
	}
	d, err := DriverByName(Default)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.check(d); !errors.Is(err, ErrWeakKey) {
		t.Errorf("error %v", err)
	}
}
