package perso

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
)

// ErrWeakKey says that a public key is not one that a sound chip makes.
var ErrWeakKey = errors.New("the public key is weak")

// checkKeys looks at the keys that will be signed, wherever they were made. A point that
// is not on its curve does not come so far.
func (c *Content) checkKeys() error {
	if b := c.Files[lds.DG15]; b != nil {
		pub, err := lds.ParseDG15(b)
		if err == nil {
			err = CheckKey(pub)
		}
		if err != nil {
			return fmt.Errorf("DG15: %w", err)
		}
	}
	return nil
}

// CheckKey is ErrWeakKey for an RSA key of less than 1,024 bits, with an even or tiny
// exponent, with a small factor, or with the mark of the library that made factors of one
// form (ROCA, CVE-2017-15361), and for a point that is its curve's generator.
func CheckKey(k cert.PublicKey) error {
	switch {
	case k.RSA != nil:
		return checkRSA(k.RSA)
	case k.EC != nil && k.EC.Equal(k.EC.Curve().Generator()):
		return fmt.Errorf("the curve's generator: %w", ErrWeakKey)
	}
	return nil
}

func checkRSA(k *rsa.PublicKey) error {
	n := k.N
	switch {
	case n.Sign() <= 0 || n.BitLen() < 1024:
		return fmt.Errorf("RSA of %d bits: %w", n.BitLen(), ErrWeakKey)
	case k.E < 3 || k.E%2 == 0:
		return fmt.Errorf("RSA exponent %d: %w", k.E, ErrWeakKey)
	case n.ProbablyPrime(20):
		return fmt.Errorf("RSA modulus is a prime: %w", ErrWeakKey)
	}
	roca := true
	for p := int64(2); p < smallFactors; p++ {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		rest := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		if rest == 0 {
			return fmt.Errorf("RSA modulus is divisible by %d: %w", p, ErrWeakKey)
		}
		if p <= rocaPrimes {
			roca = roca && powerOf65537(rest, p)
		}
	}
	if roca {
		return fmt.Errorf("RSA factors of the form of ROCA: %w", ErrWeakKey)
	}
	if r := new(big.Int).Sqrt(n); new(big.Int).Mul(r, r).Cmp(n) == 0 {
		return fmt.Errorf("RSA modulus is a square: %w", ErrWeakKey)
	}
	return nil
}

// Bounds of the search. The factors of ROCA are powers of 65,537 modulo the product of all
// primes up to 167 at least, and so is then the modulus; one of another making is so by an
// accident of less than 1 in 2^27.
const (
	smallFactors = 1 << 16
	rocaPrimes   = 167
)

// powerOf65537 says whether v is a power of 65,537 modulo p.
func powerOf65537(v, p int64) bool {
	x := int64(1)
	for range p {
		if x == v%p {
			return true
		}
		x = x * (65537 % p) % p
	}
	return false
}
