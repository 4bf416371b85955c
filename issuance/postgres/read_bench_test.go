package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// BenchmarkRead measures what is read of the log, one after the other against a bare SELECT by primary key of
// as many octets in the same server, by a connection of its own, in turns. "ratio" is ours
// over bare. A stream is its entries, parsed; a proof is the checkpoint and some ten nodes.
func BenchmarkRead(b *testing.B) {
	const cards = 2000
	c := pgtest.New(b)
	l := open(b, c.Database(b), b.TempDir())
	o := ledgertest.NewOffice(b, l)
	o.Found(b)
	var steps []ledgertest.Step
	for i := range cards {
		name := fmt.Sprintf("A-%d", i)
		steps = append(steps, o.Enrol(name, name, ""))
		if len(steps) == 200 {
			o.Must(b, steps...)
			steps = nil
		}
	}
	bare, err := pgx.Connect(b.Context(), c.Database(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { bare.Close(context.Background()) })
	for _, s := range []string{
		"CREATE TABLE bare (id text PRIMARY KEY, octets bytea NOT NULL)",
		fmt.Sprintf("INSERT INTO bare SELECT 'A-' || n, decode(repeat('5a', 600), 'hex') FROM generate_series(0, %d) n", cards-1),
		"VACUUM ANALYZE bare",
	} {
		if _, err := bare.Exec(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for name, look := range map[string]func(int) error{
		"leaf": func(i int) error { return second(l.Leaf(b.Context(), int64(20+2*i))) },
		"stream": func(i int) error {
			s, err := l.Stream(b.Context(), issuance.Application(fmt.Sprintf("A-%d", i)))
			if err == nil && len(s) != 1 {
				err = fmt.Errorf("%d entries", len(s))
			}
			return err
		},
		"proof": func(i int) error { return second(l.Prove(b.Context(), int64(20+2*i))) },
	} {
		b.Run(name, func(b *testing.B) {
			var ours, theirs time.Duration
			for b.Loop() {
				n++
				at := time.Now()
				err := look(n % cards)
				ours += time.Since(at)
				if err != nil {
					b.Fatal(err)
				}
				at = time.Now()
				var octets []byte
				err = bare.QueryRow(b.Context(), "SELECT octets FROM bare WHERE id = $1", fmt.Sprintf("A-%d", n%cards)).Scan(&octets)
				theirs += time.Since(at)
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(theirs)/float64(ours), "ratio")
			b.ReportMetric(float64(b.N)/ours.Seconds(), "looks/s")
		})
	}
}
