package sqlite_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/verify/status"
)

// manyPlaces puts cards into eight of nine places of a list, one in a hundred revoked.
func manyPlaces(b testing.TB, dir string, n int) {
	b.Helper()
	db := raw(b, dir)
	defer db.Close()
	for _, s := range []string{
		"INSERT INTO status_list VALUES (1, '" + ledgertest.StatusList + "')",
		"INSERT INTO status WITH RECURSIVE c (i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < " + strconv.Itoa(n-1) +
			") SELECT 1, i + i / 8, CASE WHEN i % 100 = 7 THEN 5 ELSE 2 END, i FROM c",
	} {
		if _, err := db.Exec(s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStatus makes and signs a list of a million cards, by the time that reading the same
// rows takes: a bare query in the order of the list, each row scanned. TAMTHE_STATUS_CARDS says
// of how many instead.
func BenchmarkStatus(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("TAMTHE_STATUS_CARDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	dir := b.TempDir()
	l := open(b, dir)
	defer l.Close()
	manyPlaces(b, dir, n)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "ledger.db")+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	var scan, build time.Duration
	size := 0
	for b.Loop() {
		begin := time.Now()
		if got := scanned(b, db); got != n {
			b.Fatalf("%d rows of %d", got, n)
		}
		scan, begin = scan+time.Since(begin), time.Now()
		rows := &status.Rows{}
		if err := l.Places(b.Context(), ledgertest.StatusList, func(p ledger.Place) error { return rows.Add(p.Index, p.State) }); err != nil {
			b.Fatal(err)
		}
		h := status.Header{
			Country: "VN", Documents: []string{"I"}, URI: ledgertest.StatusList, Sequence: 1, Signed: begin, NextUpdate: begin.Add(time.Hour),
		}
		d, err := status.PrepareIndexRows(h, key.Public(), rows)
		if err != nil {
			b.Fatal(err)
		}
		list, err := d.Sign(key)
		if err != nil {
			b.Fatal(err)
		}
		build, size = build+time.Since(begin), len(list)
	}
	b.ReportMetric(build.Seconds()/scan.Seconds(), "x-scan")
	b.ReportMetric(float64(size)*8/float64(n), "bits/card")
	b.ReportMetric(0, "ns/op")
}

// scanned reads the rows as barely as the driver does it.
func scanned(b *testing.B, db *sql.DB) (n int) {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), "SELECT place, state, since FROM status WHERE list = 1 ORDER BY place")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var place, state, since int64
		if err := rows.Scan(&place, &state, &since); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}
