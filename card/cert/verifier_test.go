package cert

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"
)

var benchmarkedRSA = []int{2048, 3072, 4096}

func rsaKeyOf(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func verifierOf(t testing.TB, pub *rsa.PublicKey) *Verifier {
	t.Helper()
	v, err := NewVerifier(PublicKey{RSA: pub})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The power is that of math/big for moduli of every shape and exponents of every kind.
func TestRSAKeyOpens(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for _, bits := range []int{1024, 1025, 1087, 1088, 1536, 2047, 2048, 3072, 4096, 6144, 16384} {
		for _, e := range []int{3, 5, 17, 257, 65537, 65539, 1<<31 - 1, 1000003} {
			raw := make([]byte, (bits+7)/8)
			for i := range raw {
				raw[i] = byte(random.Uint32())
			}
			n := new(big.Int).SetBytes(raw)
			n.SetBit(n, 0, 1)
			for i := n.BitLen() - 1; i >= bits; i-- {
				n.SetBit(n, i, 0)
			}
			n.SetBit(n, bits-1, 1)
			if bits > 4096 && e != 65537 {
				continue
			}
			k := newRSAKey(&rsa.PublicKey{N: n, E: e})
			size := (bits + 7) / 8
			for _, v := range []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2), new(big.Int).Sub(n, big.NewInt(1)), new(big.Int).Rsh(n, 1), new(big.Int).Sub(n, new(big.Int).Rsh(n, 7))} {
				em := make([]byte, size)
				if !k.open(em, v.FillBytes(make([]byte, size))) {
					t.Fatalf("%d bits, exponent %d: %x is not opened", bits, e, v)
				}
				if want := new(big.Int).Exp(v, big.NewInt(int64(e)), n); new(big.Int).SetBytes(em).Cmp(want) != 0 {
					t.Fatalf("%d bits: %x^%d is %x, want %x", bits, v, e, em, want)
				}
			}
			for name, sig := range map[string][]byte{
				"the modulus": n.FillBytes(make([]byte, size)), "one octet less": make([]byte, size-1), "one octet more": make([]byte, size+1),
				"all ones": bytes.Repeat([]byte{0xff}, size),
			} {
				if k.open(make([]byte, size), sig) {
					t.Errorf("%d bits: %s is opened", bits, name)
				}
			}
		}
	}
}

// A verifier takes and refuses what crypto/rsa does, of every scheme, hash and length.
func TestVerifierAsStandardRSA(t *testing.T) {
	for _, bits := range []int{1024, 1031, 2048, 2049, 3072} {
		k := rsaKeyOf(t, bits)
		v := verifierOf(t, &k.PublicKey)
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			message := fmt.Appendf(nil, "%d %v", bits, h)
			digest := AppendDigest(nil, h, message)
			algorithms := []Algorithm{{Scheme: RSAPKCS1, Hash: h}, {RSAPSS, h, h, h.Size()}, {RSAPSS, h, h, 8}}
			for _, alg := range algorithms {
				if (bits+7)/8 < 2*h.Size()+2 {
					continue // no room
				}
				var opts crypto.SignerOpts = h
				if alg.Scheme == RSAPSS {
					opts = &rsa.PSSOptions{SaltLength: alg.SaltLength, Hash: h}
				}
				sig, err := k.Sign(rand.Reader, digest, opts)
				if err != nil {
					t.Fatal(err)
				}
				if err := v.Verify(alg, message, sig); err != nil {
					t.Errorf("%d bits: %v", bits, err)
				}
				for _, other := range algorithms {
					if other != alg && v.Verify(other, message, sig) == nil {
						t.Errorf("%d bits: %v passes as %v with salt %d", bits, alg, other, other.SaltLength)
					}
				}
				for range 20 {
					spoilt := slices.Clone(sig)
					spoilt[mathrand.IntN(len(spoilt))] ^= 1 << mathrand.IntN(8)
					if v.Verify(alg, message, spoilt) == nil || v.Verify(alg, append(message, 0), sig) == nil {
						t.Errorf("%d bits: spoilt signature passes as %v", bits, alg)
					}
				}
			}
		}
	}
}

// Encoded messages of PKCS #1 that differ from the right one in any octet are refused: each
// is signed for real.
func TestVerifierComparesAllOfPKCS1(t *testing.T) {
	k := rsaKeyOf(t, 1024)
	v := verifierOf(t, &k.PublicKey)
	message := []byte("message")
	alg := Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA256}
	sign := func(em []byte) []byte {
		m := new(big.Int).SetBytes(em)
		return m.Exp(m, k.D, k.N).FillBytes(make([]byte, k.Size()))
	}
	for i, info := range digestInfos[alg.Hash] {
		body := AppendDigest([]byte(info), alg.Hash, message)
		em := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xff}, k.Size()-3-len(body)), []byte{0}, body)
		if err := v.Verify(alg, message, sign(em)); err != nil {
			t.Fatalf("form %d: %v", i, err)
		}
		for at := 1; at < len(em); at++ { // the first octet has to be 0 for a number below the modulus
			em[at] ^= 1
			if v.Verify(alg, message, sign(em)) == nil {
				t.Errorf("form %d: octet %d does not count", i, at)
			}
			em[at] ^= 1
		}
		short := slices.Concat([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, body)
		if len(short) < k.Size() {
			garbage := append(slices.Clone(short), make([]byte, k.Size()-len(short))...)
			if v.Verify(alg, message, sign(garbage)) == nil {
				t.Errorf("form %d: octets behind the digest pass", i)
			}
		}
	}
}

func TestVerifierAllocationsRSA(t *testing.T) {
	k := rsaKeyOf(t, 2048)
	v := verifierOf(t, &k.PublicKey)
	message := []byte("message")
	for _, alg := range []Algorithm{{Scheme: RSAPKCS1, Hash: crypto.SHA256}, {RSAPSS, crypto.SHA256, crypto.SHA256, 32}} {
		sig, err := SignMessage(k, alg, message)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() { _ = v.Verify(alg, message, sig) }); n > 0 {
			t.Errorf("%v: %v allocations", alg, n)
		}
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	if _, err := NewVerifier(PublicKey{}); err == nil {
		t.Error("no key is taken")
	}
	for _, pub := range []*rsa.PublicKey{
		{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537},
		{N: big.NewInt(1<<62 - 1), E: 65537},
		{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 2047), 0, 1), E: 1},
		{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 2047), 0, 1), E: 4},
	} {
		if _, err := NewVerifier(PublicKey{RSA: pub}); err == nil {
			t.Errorf("%d bits, exponent %d are taken", pub.N.BitLen(), pub.E)
		}
	}
}

// BenchmarkVerifierRSA also says what share of crypto/rsa's time it takes, each the best of
// bursts that are too short to be interrupted.
func BenchmarkVerifierRSA(b *testing.B) {
	for _, bits := range benchmarkedRSA {
		b.Run(fmt.Sprint(bits), func(b *testing.B) {
			k := rsaKeyOf(b, bits)
			v := verifierOf(b, &k.PublicKey)
			alg := Algorithm{RSAPSS, crypto.SHA256, crypto.SHA256, 32}
			sig, err := SignMessage(k, alg, nil)
			if err != nil {
				b.Fatal(err)
			}
			ours, standard := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				err := v.Verify(alg, nil, sig)
				between := time.Now()
				if err != nil || Verify(v.key, alg, nil, sig) != nil {
					b.Fatal("own signature does not verify")
				}
				standard, ours = min(standard, time.Since(between)), min(ours, between.Sub(start))
			}
			b.ReportMetric(float64(ours)/float64(standard), "x-crypto-rsa")
		})
	}
}
