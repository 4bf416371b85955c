package status

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// TestRice: examples coded by hand after doc.go.
func TestRice(t *testing.T) {
	for _, tt := range []struct {
		members []uint64
		k       uint
		code    []byte
	}{
		{[]uint64{0, 1, 5}, 0, []byte{0b00111000}},
		{[]uint64{5}, 1, []byte{0b11010000}},
		{[]uint64{3, 12}, 2, []byte{0b01111000}},
	} {
		w, next := bitWriter{}, uint64(0)
		for _, v := range tt.members {
			w.ones((v - next) >> tt.k)
			w.bits(v-next, tt.k)
			next = v + 1
		}
		if !bytes.Equal(w.b, tt.code) {
			t.Errorf("%v with %d: %08b, want %08b", tt.members, tt.k, w.b, tt.code)
		}
	}
}

// TestSet: what was coded has just those members, and is no longer than the entropy and a
// little.
func TestSet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		n     int
		limit uint64
	}{{0, 1}, {1, 1}, {1, 1 << 32}, {64, 64}, {65, 100}, {1000, 1500}, {1000, 1 << 20}, {5000, 1 << 32}, {3000, 1 << 62}} {
		members := draw(r, tt.n, tt.limit)
		made := newSet(members)
		var b cryptobyte.Builder
		made.marshal(&b)
		in := cryptobyte.String(b.BytesOrPanic())
		var s set
		if !s.read(&in, tt.limit) || !in.Empty() || !slices.Equal(s.members(), members) || !slices.Equal(s.marks, made.marks) {
			t.Fatalf("%d below %d: not what was written", tt.n, tt.limit)
		}
		in = b.BytesOrPanic()
		if tt.n > 0 && new(set).read(&in, members[tt.n-1]) {
			t.Errorf("%d below %d: a member is not below the limit", tt.n, tt.limit)
		}
		for _, v := range members {
			for _, near := range []uint64{v - 1, v, v + 1} {
				if _, want := slices.BinarySearch(members, near); s.has(near) != want {
					t.Fatalf("%d below %d: %d is a member: %v", tt.n, tt.limit, near, !want)
				}
			}
		}
		if p := float64(tt.n) / float64(tt.limit); tt.n >= 1000 && p < 0.5 {
			entropy := float64(tt.limit) * -(p*math.Log2(p) + (1-p)*math.Log2(1-p))
			if p < 1e-9 { // where the other term is lost in rounding
				entropy = float64(tt.n) * (math.Log2(1/p) + 1/math.Ln2)
			}
			if n := float64(len(s.code) * 8); n > 1.05*entropy {
				t.Errorf("%d below %d: %.0f bits for an entropy of %.0f", tt.n, tt.limit, n, entropy)
			}
		}
	}
}

func draw(r *rand.Rand, n int, limit uint64) []uint64 {
	seen := map[uint64]bool{}
	for len(seen) < n {
		seen[r.Uint64N(limit)] = true
	}
	var list []uint64
	for v := range seen {
		list = append(list, v)
	}
	slices.Sort(list)
	return list
}

// TestInverse: where most indexes are active, those that are not are written.
func TestInverse(t *testing.T) {
	var cards Indexes
	for i := range uint32(1000) {
		if i%100 == 7 {
			cards[Revoked] = append(cards[Revoked], i)
		} else if i != 500 {
			cards[Active] = append(cards[Active], i)
		}
	}
	x := newIndexes(cards, false)
	if !x.inverse || x.count() != 999 || x.state(500) != Unknown || x.state(7) != Revoked || x.state(8) != Active || x.state(1000) != Unknown {
		t.Errorf("%v, %d cards", x.inverse, x.count())
	}
	if all := x.all(); !slices.Equal(all[Active], cards[Active]) || !slices.Equal(all[Revoked], cards[Revoked]) {
		t.Error("not the cards that were written")
	}
}
