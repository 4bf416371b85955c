package dh

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	"slices"
	"sync"
	"testing"
)

// A verifier says what crypto/ecdsa says of right and of spoilt signatures, before it has
// its tables and after.
func TestVerifierAsStandard(t *testing.T) {
	for c, standard := range map[*Curve]elliptic.Curve{P256(): elliptic.P256(), P384(): elliptic.P384(), P521(): elliptic.P521()} {
		k, err := c.Generate()
		if err != nil {
			t.Fatal(err)
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(standard, k.Point().Bytes())
		if err != nil {
			t.Fatal(err)
		}
		v := NewVerifier(k.Point())
		right := 0
		for i := range 3 * tableAfter {
			digest := make([]byte, 20+i)
			rand.Read(digest)
			sig, err := k.Sign(nil, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				want := ecdsa.VerifyASN1(pub, digest, sig)
				if got := v.VerifyDER(digest, sig); got != want {
					t.Fatalf("%s, use %d: %v, crypto/ecdsa %v", c, i, got, want)
				}
				if want {
					right++
				}
				sig = slices.Clone(sig)
				sig[len(sig)-1-i%40] ^= 1 << (i % 8)
			}
		}
		if right < 3*tableAfter || v.tables.Load() == nil {
			t.Errorf("%s: %d right, tables %v", c, right, v.tables.Load() != nil)
		}
	}
}

// On every curve the forms of signature are told as the functions tell them, with tables
// that several goroutines ask for at once.
func TestVerifierOnEveryCurve(t *testing.T) {
	for _, c := range every(t) {
		k, _ := pair(t, c)
		digest := make([]byte, 32)
		rand.Read(digest)
		der, err := k.Sign(nil, digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		size := c.OrderSize()
		rs := make([]byte, 2*size)
		if !parseSignature(rs[:size], rs[size:], der) {
			t.Fatal("own signature is none")
		}
		v := NewVerifier(k.Point())
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range tableAfter {
					if !v.VerifyDER(digest, der) || !v.VerifyPlain(digest, rs) {
						t.Errorf("%s refuses its own signature", c)
					}
				}
			})
		}
		all.Wait()
		if v.tables.Load() == nil {
			t.Errorf("%s has no tables", c)
		}
		spoilt := slices.Clone(rs)
		for i := range spoilt {
			spoilt[i] ^= 0x40
			if v.VerifyPlain(digest, spoilt) {
				t.Errorf("%s takes a changed octet %d", c, i)
			}
			spoilt[i] ^= 0x40
		}
		if v.VerifyPlain(digest, rs[1:]) || v.VerifyDER(digest, rs) || v.VerifyPlain(nil, rs) {
			t.Errorf("%s takes what is no signature", c)
		}
	}
}

func TestInvertPublic(t *testing.T) {
	for _, c := range every(t) {
		for _, m := range []*modulus{c.group.field, c.group.order} {
			p := bigOf(&m.value)
			numbers := []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(3), new(big.Int).Sub(p, big.NewInt(1)), new(big.Int).Rsh(p, 1)}
			for i := range p.BitLen() - 1 {
				numbers = append(numbers, new(big.Int).Lsh(big.NewInt(1), uint(i)))
			}
			for range 500 {
				v, err := rand.Int(rand.Reader, p)
				if err != nil {
					t.Fatal(err)
				}
				if v.Sign() > 0 {
					numbers = append(numbers, v)
				}
			}
			for _, v := range numbers {
				x := limbsOf(v)
				m.invertPublic(&x, &x)
				if want := new(big.Int).ModInverse(v, p); bigOf(&x).Cmp(want) != 0 {
					t.Fatalf("%s: 1/%x mod %x is %x, want %x", c, v, p, bigOf(&x), want)
				}
			}
		}
	}
}

// Verification from tables makes no garbage.
func TestVerifierAllocations(t *testing.T) {
	c := BrainpoolP256r1()
	k, _ := pair(t, c)
	digest := make([]byte, 32)
	sig, err := k.Sign(nil, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := NewVerifier(k.Point())
	for range tableAfter {
		v.VerifyDER(digest, sig)
	}
	if n := testing.AllocsPerRun(20, func() { v.VerifyDER(digest, sig) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
