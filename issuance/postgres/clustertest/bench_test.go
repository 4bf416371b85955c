//go:build linux && cgo

package clustertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// BenchmarkClusterAppend is BenchmarkPostgresAppend where a commit waits for a standby's disk
// too, as it does in an office that may lose a server: the same octets through the same proxy,
// ours and bare. "ratio" is ours over bare.
func BenchmarkClusterAppend(b *testing.B) {
	l := newLog(b)
	for _, writers := range []int{1, 8, 32} {
		bare := pgtest.NewBare(b, l.cluster.DSN(), writers)
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var ours, theirs time.Duration
			entries := 0
			for b.Loop() {
				b.StopTimer()
				jobs := l.test.Acts(b, 16*writers)
				b.StartTimer()
				ours += ledgertest.Side(b, jobs, writers, func(_ int, j ledgertest.Job) error {
					return l.test.Ledger.Append(context.Background(), j.At, j.Entries...)
				})
				b.StopTimer()
				theirs += ledgertest.Side(b, jobs, writers, func(caller int, j ledgertest.Job) error { return bare.Insert(caller, j.Rows) })
				entries += ledgertest.Count(jobs)
				b.StartTimer()
			}
			b.ReportMetric(float64(theirs)/float64(ours), "ratio")
			b.ReportMetric(float64(entries)/ours.Seconds(), "entries/s")
			b.ReportMetric(float64(entries)/theirs.Seconds(), "bare/s")
		})
	}
}
