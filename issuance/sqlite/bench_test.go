package sqlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/bits"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// BenchmarkAppend measures acknowledged entries, operators' signatures verified, against a
// bare insert of the same octets (leaf, payload, sealed data) into one table with an index
// on the identity, with the same promises (WAL, FULL), both in the same run and by turns, so
// that the machine's mood hits both. "ratio" is ours over bare: one append of so many entries after the other; with writers, that many callers with
// one entry each at a time, against bare inserts of one row.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) { benchmarkAppend(b, n, 1) })
	}
	b.Run("batch=1/writers=64", func(b *testing.B) { benchmarkAppend(b, 1, 64) })
}

// appendBench is our ledger beside a bare table.
type appendBench struct {
	ledger *sqlite.Ledger
	office *ledgertest.Office
	bare   *sql.DB
}

func newAppendBench(tb testing.TB) *appendBench {
	s, v := ledgertest.LogKey(tb)
	dir := tb.TempDir()
	l, err := sqlite.Create(tb.Context(), filepath.Join(dir, "ledger.db"), ledgertest.Origin,
		sqlite.Options{Signer: s, Verifier: v, Checkpoints: filepath.Join(dir, "checkpoints")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	a := &appendBench{ledger: l, office: ledgertest.NewOffice(tb, l), bare: openBare(tb, filepath.Join(dir, "bare.db"))}
	a.office.Found(tb)
	return a
}

// ours appends the jobs by so many callers at once.
func (a *appendBench) ours(tb testing.TB, jobs []ledgertest.Job, writers int) time.Duration {
	return ledgertest.Side(tb, jobs, writers, func(_ int, j ledgertest.Job) error {
		return a.ledger.Append(context.Background(), j.At, j.Entries...)
	})
}

func (a *appendBench) theirs(tb testing.TB, jobs []ledgertest.Job) time.Duration {
	return ledgertest.Side(tb, jobs, 1, func(_ int, j ledgertest.Job) error { return insertBare(a.bare, j.Rows) })
}

func benchmarkAppend(b *testing.B, batch, writers int) {
	a := newAppendBench(b)
	if full, err := a.ledger.Pragma(b.Context(), "synchronous"); err != nil || full != "2" {
		b.Fatalf("synchronous is %q, not FULL: %v", full, err)
	}
	var ours, theirs time.Duration
	entries := 0
	for b.Loop() {
		b.StopTimer()
		jobs := a.office.Jobs(b, writers, batch)
		b.StartTimer()
		ours += a.ours(b, jobs, writers)
		b.StopTimer()
		theirs += a.theirs(b, jobs)
		entries += ledgertest.Count(jobs)
		b.StartTimer()
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(entries)/ours.Seconds(), "entries/s")
}

func openBare(b testing.TB, path string) *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE row (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, octets BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	return db
}

func insertBare(db *sql.DB, rows []ledgertest.Octets) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	stmt, err := tx.Prepare("INSERT INTO row (id, octets) VALUES (?, ?)")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := stmt.Exec(r.ID, r.All); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// BenchmarkProve measures an inclusion proof from the stored nodes against one SELECT by
// primary key. "ratio" is the proof's time over the look-up's.
func BenchmarkProve(b *testing.B) {
	l := applied(b, b.TempDir(), 20_000)
	defer l.Close()
	c, err := l.Checkpoint(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var proof, look time.Duration
	var index int64
	for b.Loop() {
		index = (index + 7919) % c.Size
		start := time.Now()
		if _, err := l.Leaf(b.Context(), index); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if _, err := l.Inclusion(b.Context(), index, c.Size); err != nil {
			b.Fatal(err)
		}
		look, proof = look+middle.Sub(start), proof+time.Since(middle)
	}
	b.ReportMetric(float64(proof)/float64(look), "ratio")
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

// BenchmarkRehash measures the audit of leaves and nodes against plain SHA-256 of the same
// octets. "ratio" is SHA-256's time over the audit's.
func BenchmarkRehash(b *testing.B) {
	l := applied(b, b.TempDir(), 20_000)
	defer l.Close()
	var leaves, nodes [][]byte
	size := int64(0)
	err := l.Entries(b.Context(), 0, func(index int64, leaf, _ []byte) error {
		leaves = append(leaves, bytes.Clone(leaf))
		nodes = append(nodes, make([]byte, 32*(bits.TrailingZeros64(uint64(index+1))+1)))
		size += int64(len(leaf))
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	var ours, plain time.Duration
	for b.Loop() {
		start := time.Now()
		r, err := l.Rehash(b.Context())
		if err != nil || !r.OK() {
			b.Fatal(r, err)
		}
		middle := time.Now()
		for i := range leaves {
			sha256.Sum256(leaves[i])
			sha256.Sum256(nodes[i])
		}
		ours, plain = ours+middle.Sub(start), plain+time.Since(middle)
	}
	b.ReportMetric(float64(plain)/float64(ours), "ratio")
	b.ReportMetric(float64(len(leaves)*b.N)/ours.Seconds(), "entries/s")
}
