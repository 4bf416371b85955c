package signing

import (
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
// entry, and holds every stream. octets/entry is what that takes of memory.
func BenchmarkView(b *testing.B) {
	s, v, key := ledgertest.LogKeyOf(b, ledgertest.Origin)
	l, err := sqlite.Create(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), ledgertest.Origin, sqlite.Options{Signer: s, Verifier: v})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	o := ledgertest.NewOffice(b, l)
	o.Found(b)
	for i := range 300 {
		name := fmt.Sprint(i)
		o.IssueCard(b, "A-"+name, "C-"+name, name, "")
	}
	first, err := l.Leaf(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	pin := Pin{Origin: ledgertest.Origin, LogKey: key, Founding: issuance.LeafHash(first)}
	var entries int64
	var held uint64
	for b.Loop() {
		before := live()
		seen, err := newView(pin)
		if err != nil {
			b.Fatal(err)
		}
		now, err := seen.follow(b.Context(), l, nil)
		if err != nil {
			b.Fatal(err)
		}
		entries += now.Size
		held += live() - before
		runtime.KeepAlive(seen)
	}
	b.ReportMetric(float64(held)/float64(entries), "octets/entry")
	b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
}

func live() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
