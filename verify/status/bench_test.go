package status

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// BenchmarkLookup measures lists of ten million cards, and one of a hundred million, against
// one verification with P-256: the look-up of a card that is in force, which asks every set,
// and the octets that the list takes in memory.
func BenchmarkLookup(b *testing.B) {
	const ten = 10_000_000
	key := newAuthority(b)
	digest := sha256.Sum256(nil)
	sig := must(ecdsa.SignASN1(nil, key.PrivateKey, digest[:]))(b)
	for _, bm := range []struct {
		name string
		make func(r *rand.Rand) payload
	}{
		{"index-10M-of-2^32", func(r *rand.Rand) payload { return newIndexes(scattered(r, ten, 1<<32, 100), false) }},
		{"index-10M-of-2^24", func(r *rand.Rand) payload { return newIndexes(scattered(r, ten, 1<<24, 100), false) }},
		{"index-100M-half-revoked", func(*rand.Rand) payload { return dense(10 * ten) }},
		{"filter-10M", func(r *rand.Rand) payload { return newFilter(IDs{Revoked: random(r, ten)}) }},
	} {
		b.Run(bm.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(3, 4))
			code := encode(bm.make(r))
			before := heap()
			p := must(decode(sortOf(bm.name), code))(b)
			octets := heap() - before + uint64(len(code))
			var ids [1024][32]byte
			for i := range ids {
				binary.BigEndian.PutUint64(ids[i][:], r.Uint64())
			}
			var lookup, verify time.Duration
			n := 0
			for b.Loop() {
				begin := time.Now()
				for i := range ids {
					switch p := p.(type) {
					case *indexes:
						p.state(uint32(binary.BigEndian.Uint64(ids[i][:]) % p.limit))
					case *filter:
						p.has(ids[i])
					}
				}
				middle := time.Now()
				for range 16 {
					if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
						b.Fatal("the signature is wrong")
					}
				}
				lookup, verify, n = lookup+middle.Sub(begin), verify+time.Since(middle), n+1
			}
			b.ReportMetric(lookup.Seconds()/float64(len(ids))/(verify.Seconds()/16), "look-up/P-256")
			b.ReportMetric(float64(octets)/1e6, "MB")
			b.ReportMetric(float64(len(code))*8/float64(p.count()), "bits/card")
			b.ReportMetric(0, "ns/op")
			runtime.KeepAlive(code)
		})
	}
}

func sortOf(name string) Sort {
	if name[0] == 'f' {
		return Filter
	}
	return Index
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// scattered are cards at random places, one in so many of them revoked.
func scattered(r *rand.Rand, n int, limit uint64, each int) Indexes {
	all := make([]uint32, 0, n)
	for len(all) < n {
		for range n - len(all) {
			all = append(all, uint32(r.Uint64N(limit)))
		}
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return parted(all, each)
}

// dense are cards at every place, half of them revoked.
func dense(n uint64) *indexes {
	r := rand.New(rand.NewPCG(9, 10))
	revoked := make([]uint64, 0, n)
	for v := range n {
		if r.Uint32()&1 == 0 {
			revoked = append(revoked, v)
		}
	}
	x := &indexes{limit: n, inverse: true}
	x.sets[Revoked] = newSet(revoked)
	return x
}

// parted revokes one card in so many.
func parted(all []uint32, each int) Indexes {
	r := rand.New(rand.NewPCG(5, 6))
	var x Indexes
	x[Active] = make([]uint32, 0, len(all))
	for _, v := range all {
		s := Active
		if r.Uint32() < math.MaxUint32/uint32(each) {
			s = Revoked
		}
		x[s] = append(x[s], v)
	}
	return x
}

func random(r *rand.Rand, n int) [][32]byte {
	ids := make([][32]byte, n)
	for i := range ids {
		binary.BigEndian.PutUint64(ids[i][:], r.Uint64())
	}
	return ids
}

// TestSize: ten million entries fit into 30 MB, of either sort.
func TestSize(t *testing.T) {
	if testing.Short() {
		t.Skip("makes lists of a million cards")
	}
	const million = 1_000_000
	r := rand.New(rand.NewPCG(7, 8))
	for name, p := range map[string]payload{
		"index":  newIndexes(scattered(r, million, 1<<28, 100), false), // as dense as ten million of all that there are
		"filter": newFilter(IDs{Revoked: random(r, million)}),
	} {
		var marks int
		switch p := p.(type) {
		case *indexes:
			for _, s := range p.sets {
				marks += len(s.marks)
			}
		case *filter:
			marks = len(p.set.marks)
		}
		if each := float64(len(encode(p))+16*marks) / million; each > 3 {
			t.Errorf("%s: %s", name, fmt.Sprintf("%.2f octets an entry", each))
		}
	}
}
