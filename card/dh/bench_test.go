package dh

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"
)

func benchmarked() []*Curve {
	return []*Curve{P256(), BrainpoolP256r1(), BrainpoolP384r1()}
}

// BenchmarkECDH also says how often crypto/ecdh's P-256 would have run in its time.
func BenchmarkECDH(b *testing.B) {
	reference := standardECDH(b)
	for _, c := range benchmarked() {
		b.Run(c.Name(), func(b *testing.B) {
			k, peer := pair(b, c)
			for b.Loop() {
				if _, err := k.ECDH(peer); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(reference), "x-ecdh-P256")
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	digest := sha256.Sum256(nil)
	for _, c := range benchmarked() {
		b.Run(c.Name(), func(b *testing.B) {
			k, _ := pair(b, c)
			sig, err := k.SignPlain(digest[:])
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if !VerifyPlain(k.Point(), digest[:], sig) {
					b.Fatal("own signature does not verify")
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	digest := sha256.Sum256(nil)
	for _, c := range benchmarked() {
		b.Run(c.Name(), func(b *testing.B) {
			k, _ := pair(b, c)
			for b.Loop() {
				if _, err := k.SignPlain(digest[:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// pair returns a key and the public key of another.
func pair(t testing.TB, c *Curve) (*PrivateKey, *Point) {
	t.Helper()
	k, err := c.Generate()
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k, other.Point()
}

// standardECDH returns the time of one agreement by crypto/ecdh on P-256.
func standardECDH(b *testing.B) time.Duration {
	b.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	const rounds = 500
	start := time.Now()
	for range rounds {
		if _, err := k.ECDH(k.PublicKey()); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start) / rounds
}

func BenchmarkFieldMul(b *testing.B) {
	for _, c := range benchmarked() {
		b.Run(c.Name(), func(b *testing.B) {
			f := c.group.field
			x := c.generator.x
			for b.Loop() {
				f.mul(&x, &x, &c.generator.y)
			}
		})
	}
}

// BenchmarkVerifier also says what share of a verification without tables one from tables
// takes, each the best of bursts that are too short to be interrupted.
func BenchmarkVerifier(b *testing.B) {
	digest := sha256.Sum256(nil)
	for _, c := range []*Curve{P256(), P384(), BrainpoolP256r1(), BrainpoolP512r1()} {
		b.Run(c.Name(), func(b *testing.B) {
			k, _ := pair(b, c)
			sig, err := k.SignPlain(digest[:])
			if err != nil {
				b.Fatal(err)
			}
			v := NewVerifier(k.Point())
			for range tableAfter {
				v.VerifyPlain(digest[:], sig)
			}
			once, prepared := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				ok := v.VerifyPlain(digest[:], sig)
				between := time.Now()
				if !ok || !VerifyPlain(k.Point(), digest[:], sig) {
					b.Fatal("own signature does not verify")
				}
				once, prepared = min(once, time.Since(between)), min(prepared, between.Sub(start))
			}
			b.ReportMetric(float64(prepared)/float64(once), "x-once")
		})
	}
}
