package postgres

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// BenchmarkDesks measures what desks get done that hand in, against as many that append with
// the log key in one process, in the same database and run: ratio is acknowledged appends of
// the first by those of the second.
func BenchmarkDesks(b *testing.B) {
	for _, writers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			q := foundQueue(b, pgtest.Database(b))
			q.sequence(Sequencing{})
			desks := make([]*Ledger, min(writers, 8))
			for i := range desks {
				desks[i] = q.desk(30 * time.Second)
			}
			direct := busyWriters(b, "d", writers, func(int) *Ledger { return q.log })
			handed := busyWriters(b, "h", writers, func(w int) *Ledger { return desks[w%len(desks)] })
			b.ReportMetric(handed/direct, "ratio")
			b.ReportMetric(handed, "handed/s")
			b.ReportMetric(direct, "direct/s")
		})
	}
}

// busyWriters has so many writers enrol for two seconds, and returns how many enrolments they got
// done in each.
func busyWriters(b *testing.B, name string, writers int, of func(w int) *Ledger) float64 {
	var done atomic.Int64
	var work sync.WaitGroup
	begun := time.Now()
	for w := range writers {
		o := ledgertest.NewOffice(b, of(w))
		work.Go(func() {
			for i := 0; time.Since(begun) < 2*time.Second; i++ {
				app := fmt.Sprintf("A-%s-%d-%d-%d", name, b.N, w, i)
				if err := o.Do(b.Context(), o.Enrol(app, app, "")); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	work.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}
