package pki

import (
	"math/big"
	"math/bits"
)

// markPrimes are small primes, those first that few moduli pass. A
// modulus of the library of 2012–2017 is a power of 65537 modulo all of them; of other
// moduli one in 2^27 is (CVE-2017-15361; Nemec et al., The Return of Coppersmith's Attack,
// 2017, §2).
var markPrimes = []uint{
	37, 11, 97, 61, 103, 13, 19, 53, 73, 109, 127, 151, 157, 17, 71, 79, 107, 23, 29, 31, 43, 41, 47, 59, 67, 83, 89, 101, 113, 131,
	137, 139, 149, 163, 167,
}

// factorable says whether an RSA modulus has the mark of keys whose primes can be computed.
func factorable(n *big.Int) bool {
	for _, p := range markPrimes {
		if !powerOf65537(remainder(n, p), p) {
			return false
		}
	}
	return n.Sign() > 0
}

// remainder is n modulo a small number, without memory.
func remainder(n *big.Int, p uint) uint {
	r := uint(0)
	words := n.Bits()
	for i := len(words) - 1; i >= 0; i-- {
		r = bits.Rem(r, uint(words[i]), p)
	}
	return r
}

// powerOf65537 says whether r is one modulo the prime p.
func powerOf65537(r, p uint) bool {
	for x, n := uint(1), uint(0); n < p; n++ {
		if x == r {
			return true
		}
		if x = x * (65537 % p) % p; x == 1 {
			return false
		}
	}
	return false
}
