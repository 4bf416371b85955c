package monitor_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// long is a log of so many entries, every eighth of which prepares a card.
func long(b *testing.B, r *rig, n int) *forgery {
	b.Helper()
	f := r.copied(b)
	for i := len(f.leaves); i < n; i++ {
		act, fields := issuance.Lock, map[string]string{}
		if i%8 == 0 {
			act, fields = issuance.Prepare, map[string]string{"cardid": ledgertest.Digest(fmt.Sprint(i)), "ds": "ds-001"}
		}
		f.leaves = append(f.leaves, leaf(b, r, issuance.Card(fmt.Sprint("C-", i)), act, fields))
	}
	f.hash(b)
	return f
}

// BenchmarkFollow reads a log from its first entry to its last, from a folder. An operation is
// an entry; raw is the time that hashing its octets takes alone.
func BenchmarkFollow(b *testing.B) {
	const entries = 50_000
	r := newRig(b)
	f := long(b, r, entries)
	if _, err := ledger.Export(b.Context(), r.path("www"), f); err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	for _, leaf := range f.leaves {
		tlog.RecordHash(leaf)
	}
	raw := time.Since(begun)
	for _, again := range []bool{false, true} {
		name := "first"
		if again {
			name = "again"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				state, err := sqlite.OpenWatch(b.Context(), filepath.Join(b.TempDir(), "watch.db"))
				if err != nil {
					b.Fatal(err)
				}
				m := monitor.New(monitor.Options{
					State: state, Keys: []note.Verifier{r.key}, Sources: []monitor.Source{monitor.Published(r.path("www"), nil)}, Now: time.Now,
				})
				look := func() time.Duration {
					begun := time.Now()
					if round, err := m.Check(b.Context()); err != nil || len(round.Away) > 0 {
						b.Fatal(err, round.Away)
					}
					return time.Since(begun)
				}
				took := look()
				if again {
					took = look()
				}
				b.ReportMetric(entries/took.Seconds(), "entries/s")
				b.ReportMetric(float64(took)/float64(raw), "x-hashing")
				state.Close()
			}
		})
	}
}
