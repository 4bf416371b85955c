package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// BenchmarkAppend measures acknowledged entries against a bare insert of the same
// octets into SQLite with the same promises (WAL, FULL), both in the same run and by
// turns, so that the machine's mood hits both. "ratio" is ours over bare.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) { benchmarkAppend(b, n) })
	}
}

func benchmarkAppend(b *testing.B, n int) {
	s, v := ledgertest.LogKey(b)
	dir := b.TempDir()
	l, err := sqlite.Create(b.Context(), filepath.Join(dir, "ledger.db"), ledgertest.Origin,
		sqlite.Options{Signer: s, Verifier: v, Checkpoints: filepath.Join(dir, "checkpoints")})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	o := ledgertest.NewOffice(b, l)
	o.Found(b)
	bare := openBare(b, filepath.Join(dir, "bare.db"))

	ctx := context.Background()
	var ours, theirs time.Duration
	i, added := 0, 0
	for b.Loop() {
		b.StopTimer()
		steps := make([]ledgertest.Step, n)
		for j := range steps {
			i++
			steps[j] = o.Enrol(fmt.Sprintf("A-%d", i), fmt.Sprint(i), "")
		}
		at, entries, err := o.Build(ctx, false, steps...)
		if err != nil {
			b.Fatal(err)
		}
		added += len(entries)
		octets := make([][]byte, len(entries))
		for j, e := range entries {
			if octets[j], err = e.Leaf(); err != nil {
				b.Fatal(err)
			}
			for _, a := range e.Attach {
				octets[j] = append(octets[j], a.Sealed...)
			}
		}
		b.StartTimer()
		start := time.Now()
		if err := l.Append(ctx, at, entries...); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		b.StopTimer()
		start = time.Now()
		if err := insertBare(bare, octets); err != nil {
			b.Fatal(err)
		}
		theirs += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(added)/ours.Seconds(), "entries/s")
}

func openBare(b *testing.B, path string) *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE row (n INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	return db
}

func insertBare(db *sql.DB, octets [][]byte) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	stmt, err := tx.Prepare("INSERT INTO row (octets) VALUES (?)")
	if err != nil {
		return err
	}
	for _, o := range octets {
		if _, err := stmt.Exec(o); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// BenchmarkVerify measures the whole audit, signatures included, an entry at a time.
func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	l := open(b, dir)
	defer l.Close()
	o := ledgertest.NewOffice(b, l)
	o.Found(b)
	for i := range 20 {
		steps := make([]ledgertest.Step, 100)
		for j := range steps {
			app := fmt.Sprintf("A-%d-%d", i, j)
			steps[j] = o.Enrol(app, app, "")
		}
		o.Must(b, steps...)
	}
	var entries int64
	for b.Loop() {
		r, err := l.Verify(b.Context(), nil)
		if err != nil || !r.OK() {
			b.Fatal(r, err)
		}
		entries += r.Size
	}
	b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
}
