package signing

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// BenchmarkView measures what the service does when it starts: it reads and judges every
// entry. octets/entry is the memory of what it holds as it was read, octets/card that of a card
// which it has forgotten but for where it stands and what it claimed.
func BenchmarkView(b *testing.B) {
	const cards = 300
	s, v, key := ledgertest.LogKeyOf(b, ledgertest.Origin)
	l, err := sqlite.Create(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), ledgertest.Origin, sqlite.Options{Signer: s, Verifier: v})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	o := ledgertest.NewOffice(b, l)
	o.Found(b)
	for i := range cards {
		name := fmt.Sprint(i)
		o.IssueCard(b, "A-"+name, "C-"+name, name, "")
	}
	first, err := l.Leaf(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	pin := Pin{Origin: ledgertest.Origin, LogKey: key, Founding: issuance.LeafHash(first)}
	read := func(most int) (seen *view, held uint64) {
		before := live()
		seen, err := newView(pin, most)
		if err == nil {
			_, err = seen.follow(b.Context(), l)
		}
		if err != nil {
			b.Fatal(err)
		}
		return seen, live() - before
	}
	var entries int64
	var held uint64
	for b.Loop() {
		seen, octets := read(maxHeld)
		entries += seen.tree.Size()
		held += octets
		runtime.KeepAlive(seen)
	}
	b.ReportMetric(float64(held)/float64(entries), "octets/entry")
	b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
	few, _ := read(1)
	few.forgetNow()
	of := func(n int) int { return (n + cards/2) / cards }
	b.ReportMetric(perCard(of(len(few.stands)), of(len(few.claimed)), of(len(few.places[ledgertest.StatusList]))), "octets/card")
}

// perCard is the memory that a card takes among many that stand in so many streams each, have
// claimed so much and have so many places.
func perCard(streams, claims, cardPlaces int) float64 {
	const cards = 1_000_000
	before := live()
	v := view{forgotten: newForgotten(maxHeld), claimed: map[short]struct{}{}}
	all := places{}
	for i := range cards {
		var s short
		for j := range max(streams, claims) {
			binary.BigEndian.PutUint64(s[:], uint64(i))
			s[8] = byte(j)
			if j < streams {
				v.stands[s] = stand{}
			}
			if j < claims {
				v.claimed[s] = struct{}{}
			}
		}
		for j := range cardPlaces {
			all[uint32(i*cardPlaces+j)] = struct{}{}
		}
	}
	held := live() - before
	runtime.KeepAlive(v)
	runtime.KeepAlive(all)
	return float64(held) / cards
}

func live() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
