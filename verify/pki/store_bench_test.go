//go:build unix

package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// world is a trust folder of the size that the world has: 500 CSCAs and 30,000 document
// signers, half of them RSA-2048 and half P-256, under names as long as real ones.
type world struct {
	dir     string
	octets  [][]byte // of the imported files
	signers []*cms.SignerInfo
	prints  [][32]byte
}

const (
	worldCSCAs   = 500
	worldSigners = 30_000
)

func newWorld(b testing.TB) *world {
	b.Helper()
	w := &world{dir: b.TempDir()}
	sign := func(tpl cert.Template, key *ecdsa.PrivateKey) []byte {
		tbs, err := tpl.TBS()
		if err != nil {
			b.Fatal(err)
		}
		der, err := cert.Sign(tbs, tpl.Algorithm, key)
		if err != nil {
			b.Fatal(err)
		}
		return der
	}
	var anchors, signers [][]byte
	var cas []authority
	var keys []crypto.PublicKey // of the signers, RSA and EC in turn
	for range 8 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		keys = append(keys, &k.PublicKey, &newKey(b).PublicKey)
	}
	for i := range worldCSCAs {
		k := newKey(b)
		tpl := csca(b, "CSCA", k)
		tpl.Named = i%3 != 0
		tpl.Subject = stateName(b, i, fmt.Sprintf("CSCA %d", i))
		tpl.Issuer, tpl.Serial = tpl.Subject, big.NewInt(int64(i+1))
		anchors = append(anchors, sign(tpl, k))
		c, err := cert.Parse(anchors[i])
		if err != nil {
			b.Fatal(err)
		}
		cas = append(cas, authority{k, c})
	}
	for i := range worldSigners {
		ca := cas[i%len(cas)]
		tpl := signer(b, ca, ca.key)
		tpl.Named, tpl.PublicKey, tpl.Serial = true, keys[i%len(keys)], new(big.Int).Lsh(big.NewInt(int64(i+1)), 64)
		tpl.Subject = stateName(b, i%len(cas), fmt.Sprintf("DS %d", i))
		id := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		tpl.SubjectKeyID = id[:20] // a key each has; here few share it, and no look-up may profit
		der := sign(tpl, ca.key)
		signers = append(signers, der)
		w.prints = append(w.prints, sha256.Sum256(der))
		w.signers = append(w.signers, &cms.SignerInfo{Serial: tpl.Serial, Issuer: ca.cert.Subject, KeyID: tpl.SubjectKeyID})
	}
	x := Index{Generation: 1}
	for _, f := range []struct {
		name  string
		kind  ImportKind
		certs [][]byte
	}{{"csca.p7b", ImportAnchors, anchors}, {"pkd.p7b", ImportMaterial, signers}} {
		p, err := pack(f.certs, nil)
		if err != nil {
			b.Fatal(err)
		}
		w.octets = append(w.octets, p)
		x.Imports = append(x.Imports, Import{File: f.name, Kind: f.kind, SHA256: sha256.Sum256(p), List: "world"})
		if err := os.WriteFile(filepath.Join(w.dir, f.name), p, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(w.dir, IndexFile), x.Format(), 0o600); err != nil {
		b.Fatal(err)
	}
	return w
}

// stateName is a name of one of a hundred states.
func stateName(b testing.TB, i int, common string) cert.Name {
	b.Helper()
	n, err := cert.NewName(
		cert.Attribute{Type: cert.OIDCountry, Value: string([]byte{'A' + byte(i%100/10), 'A' + byte(i%10)})},
		cert.Attribute{Type: cert.OIDOrganization, Value: "Ministry"},
		cert.Attribute{Type: cert.OIDOrganizationalUnit, Value: "SPECIMEN"},
		cert.Attribute{Type: cert.OIDCommonName, Value: common})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func (w *world) load(b testing.TB) *Store {
	b.Helper()
	s, err := LoadStore(os.DirFS(w.dir), LoadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	s.Digest()
	return s
}

// BenchmarkStore measures a store of the world's certificates by ratios taken in the same
// run: until it is ready, by the hashing of its files' octets; a look-up, by one
// verification of crypto/ecdsa on P-256.
func BenchmarkStore(b *testing.B) {
	w := newWorld(b)
	b.Run("ready", func(b *testing.B) { benchmarkReady(b, w) })
	s := w.load(b)
	if n := len(s.records); n != worldCSCAs+worldSigners {
		b.Fatal(n)
	}
	for name, find := range map[string]func(i int) []int32{
		"fingerprint": func(i int) []int32 { return []int32{s.lookup(w.prints[i])} },
		"number":      func(i int) []int32 { return s.lookupNumber(w.signers[i].Serial, w.signers[i].Issuer) },
		"key":         func(i int) []int32 { return s.lookupKeyID(w.signers[i].KeyID) },
	} {
		b.Run(name, func(b *testing.B) { benchmarkLookup(b, s, w, find) })
	}
}

func benchmarkReady(b *testing.B, w *world) {
	var before, after runtime.MemStats
	hashing, ready := fastest(), fastest()
	for b.Loop() {
		runtime.GC()
		hashing.time(func() {
			for _, o := range w.octets {
				sha256.Sum256(o)
			}
		})
		ready.time(func() { w.load(b) })
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := w.load(b)
	runtime.GC()
	runtime.ReadMemStats(&after)
	n := 0
	for _, o := range w.octets {
		n += len(o)
	}
	b.Logf("%d octets, hashed in %v, ready in %v", n, time.Duration(hashing), time.Duration(ready))
	b.ReportMetric(float64(ready)/float64(hashing), "x-hash")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1e6, "MB-kept")
	runtime.KeepAlive(s)
}

func benchmarkLookup(b *testing.B, s *Store, w *world, find func(i int) []int32) {
	key, digest := newKey(b), sha256.Sum256(nil)
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	verifying, finding := fastest(), fastest()
	const rounds, each = 64, 8192
	i := 0
	for b.Loop() {
		verifying.time(func() {
			for range rounds {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
					b.Fatal("no signature")
				}
			}
		})
		finding.time(func() {
			for range each {
				i = (i + 7919) % worldSigners
				if list := find(i); len(list) != 1 || s.records[list[0]].print != w.prints[i] {
					b.Fatal("not found")
				}
			}
		})
	}
	b.ReportMetric(float64(finding)/each/(float64(verifying)/rounds), "x-p256")
}

// best is the least processor time that something took, that of the collector included:
// what others do on the machine only ever makes it longer.
type best time.Duration

func fastest() best { return math.MaxInt64 }

func (f *best) time(do func()) {
	begin := processorTime()
	do()
	*f = min(*f, best(processorTime()-begin))
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCRL reads a list of 20,000 entries and looks one up, by the time that crypto/x509
// takes to read it.
func BenchmarkCRL(b *testing.B) {
	ca := newCSCA(b, "CSCA", nil)
	der := newCRL(b, ca, func(tpl *cert.CRLTemplate) {
		for i := range 20_000 {
			sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
			sum[0] = sum[0]&0x7f | 0x40
			tpl.Entries = append(tpl.Entries, cert.Revocation{Serial: new(big.Int).SetBytes(sum[:16]), Time: now, Reason: cert.Superseded})
		}
	}).Raw
	ours, std := fastest(), fastest()
	for b.Loop() {
		std.time(func() {
			if _, err := x509.ParseRevocationList(der); err != nil {
				b.Fatal(err)
			}
		})
		ours.time(func() {
			l, err := cert.ParseCRL(der)
			if err != nil {
				b.Fatal(err)
			}
			if _, listed := l.Lookup(big.NewInt(1)); listed {
				b.Fatal("listed")
			}
		})
	}
	b.ReportMetric(float64(ours)/float64(std), "x-x509")
	b.ReportMetric(float64(ours)/1e6, "ms-ours")
}
