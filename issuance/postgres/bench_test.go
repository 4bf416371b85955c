package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// BenchmarkAppend measures acknowledged entries, operators' signatures verified, against a
// bare insert of the same octets (leaf, payload, sealed data) into one table with an index on
// the identity, in the same server, by as many connections as there are writers, in turns, so
// that the machine's mood hits both. "ratio" is ours over bare.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) { benchmarkAppend(b, 1, writers) })
	}
	b.Run("batch=1000", func(b *testing.B) { benchmarkAppend(b, 1000, 1) })
}

// appendBench is our ledger beside a bare table.
type appendBench struct {
	ledger *postgres.Ledger
	office *ledgertest.Office
	bare   []*pgx.Conn
}

func newAppendBench(tb testing.TB, writers int) *appendBench {
	c := pgtest.New(tb)
	l := open(tb, c.Database(tb), tb.TempDir())
	a := &appendBench{ledger: l, office: ledgertest.NewOffice(tb, l)}
	a.office.Found(tb)
	dsn := c.Database(tb)
	for range writers {
		conn, err := pgx.Connect(tb.Context(), dsn)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { conn.Close(context.Background()) })
		a.bare = append(a.bare, conn)
	}
	if _, err := a.bare[0].Exec(tb.Context(), "CREATE TABLE bare (id bytea PRIMARY KEY, octets bytea NOT NULL)"); err != nil {
		tb.Fatal(err)
	}
	return a
}

func (a *appendBench) ours(tb testing.TB, jobs []ledgertest.Job) time.Duration {
	return ledgertest.Side(tb, jobs, len(a.bare), func(_ int, j ledgertest.Job) error {
		return a.ledger.Append(context.Background(), j.At, j.Entries...)
	})
}

func (a *appendBench) theirs(tb testing.TB, jobs []ledgertest.Job) time.Duration {
	return ledgertest.Side(tb, jobs, len(a.bare), func(caller int, j ledgertest.Job) error {
		b := &pgx.Batch{}
		for _, r := range j.Rows {
			b.Queue("INSERT INTO bare VALUES ($1, $2)", r.ID, r.All)
		}
		return a.bare[caller].SendBatch(context.Background(), b).Close()
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
