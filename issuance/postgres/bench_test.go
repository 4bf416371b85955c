package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// BenchmarkPostgresAppend measures acknowledged entries, operators' signatures verified, against a
// bare insert of the same octets (leaf, payload, sealed data) into one table with an index on
// the identity, in the same server, by as many connections as there are writers, in turns, so
// that the machine's mood hits both. "ratio" is ours over bare.
func BenchmarkPostgresAppend(b *testing.B) {
	for _, writers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) { benchmarkAppend(b, 1, writers) })
	}
	b.Run("batch=1000", func(b *testing.B) { benchmarkAppend(b, 1000, 1) })
}

// appendBench is our ledger beside a bare table.
type appendBench struct {
	ledger *postgres.Ledger
	office *ledgertest.Office
	bare   pgtest.Bare
	dsn    string
}

func newAppendBench(tb testing.TB, writers int) *appendBench {
	c := pgtest.New(tb)
	ours := c.Database(tb)
	l := open(tb, ours, tb.TempDir())
	a := &appendBench{ledger: l, office: ledgertest.NewOffice(tb, l), bare: pgtest.NewBare(tb, c.Database(tb), writers), dsn: ours}
	a.office.Found(tb)
	return a
}

func (a *appendBench) ours(tb testing.TB, jobs []ledgertest.Job) time.Duration {
	return ledgertest.Side(tb, jobs, len(a.bare), func(_ int, j ledgertest.Job) error {
		return a.ledger.Append(context.Background(), j.At, j.Entries...)
	})
}

func (a *appendBench) theirs(tb testing.TB, jobs []ledgertest.Job) time.Duration {
	return ledgertest.Side(tb, jobs, len(a.bare), func(caller int, j ledgertest.Job) error {
		return a.bare.Insert(caller, j.Rows)
	})
}

func benchmarkAppend(b *testing.B, batch, writers int) {
	a := newAppendBench(b, writers)
	var ours, theirs time.Duration
	entries := 0
	for b.Loop() {
		b.StopTimer()
		var jobs []ledgertest.Job
		if batch == 1 {
			jobs = a.office.Acts(b, 16*writers)
		} else {
			jobs = a.office.Jobs(b, 1, batch)
		}
		b.StartTimer()
		ours += a.ours(b, jobs)
		b.StopTimer()
		theirs += a.theirs(b, jobs)
		entries += ledgertest.Count(jobs)
		b.StartTimer()
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(entries)/ours.Seconds(), "entries/s")
	b.ReportMetric(float64(entries)/theirs.Seconds(), "bare/s")
}

// BenchmarkPostgresLookUp measures who has a claim, by as many callers at once, against a bare SELECT
// by primary key of as many rows in the same server. "ratio" is ours over bare.
func BenchmarkPostgresLookUp(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchmarkLookUp(b, callers) })
	}
}

func benchmarkLookUp(b *testing.B, callers int) {
	const cards = 2000
	a := newAppendBench(b, callers)
	var jobs []ledgertest.Job
	for range cards / 500 {
		jobs = append(jobs, a.office.Jobs(b, 1, 500)...)
		a.ours(b, jobs[len(jobs)-1:])
		a.theirs(b, jobs[len(jobs)-1:])
	}
	var claims []issuance.Claim
	var keys [][]byte
	for _, j := range jobs {
		for i := range j.Entries {
			for _, c := range j.Entries[i].Hold {
				claims, keys = append(claims, c), append(keys, j.Entries[i].ID[:])
			}
		}
	}
	readers, err := postgres.Open(b.Context(), a.dsn, postgres.Options{ReadOnly: true, Readers: callers})
	if err != nil {
		b.Fatal(err)
	}
	defer readers.Close()
	rounds := make([]ledgertest.Job, 200*callers)
	var ours, theirs time.Duration
	for b.Loop() {
		var next atomic.Int64
		ours += ledgertest.Side(b, rounds, callers, func(int, ledgertest.Job) error {
			s, err := readers.Claimed(context.Background(), claims[int(next.Add(7919))%len(claims)])
			if err == nil && s.IsZero() {
				err = errors.New("nobody has it")
			}
			return err
		})
		b.StopTimer()
		theirs += ledgertest.Side(b, rounds, callers, func(caller int, _ ledgertest.Job) error {
			var octets []byte
			return a.bare[caller].QueryRow(context.Background(), "SELECT substr(octets, 1, 32) FROM bare WHERE id = $1", keys[int(next.Add(7919))%len(keys)]).Scan(&octets)
		})
		b.StartTimer()
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(b.N*len(rounds))/ours.Seconds(), "look-ups/s")
}

// BenchmarkPostgresAudit measures both audits of a ledger, an entry at a time.
func BenchmarkPostgresAudit(b *testing.B) {
	a := newAppendBench(b, 1)
	for range 20 {
		a.ours(b, a.office.Jobs(b, 1, 500))
	}
	for name, audit := range map[string]func(context.Context, ...*ledger.Older) (*ledger.Report, error){
		"whole": a.ledger.VerifyAgainst, "hashes": a.ledger.Rehash,
	} {
		b.Run(name, func(b *testing.B) {
			var entries int64
			for b.Loop() {
				r, err := audit(b.Context())
				if err != nil || !r.OK() {
					b.Fatal(r, err)
				}
				entries += r.Size
			}
			b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
