package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/verify/status"
)

// BenchmarkPlaces makes and signs a list of a million cards, by the time that reading the same
// rows takes: a bare query in the order of the list, each row scanned. TAMTHE_STATUS_CARDS says
// of how many instead.
func BenchmarkPlaces(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("TAMTHE_STATUS_CARDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	dsn := pgtest.Database(b)
	l := open(b, dsn, b.TempDir())
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	for _, s := range []string{
		"INSERT INTO tamthe.status_list VALUES (1, '" + ledgertest.StatusList + "')",
		"INSERT INTO tamthe.status SELECT 1, i + i / 8, CASE WHEN i % 100 = 7 THEN 5 ELSE 2 END, i FROM generate_series(0, " + strconv.Itoa(n-1) + "::bigint) i",
		"ANALYZE tamthe.status",
	} {
		if _, err := conn.Exec(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	var scan, build time.Duration
	for b.Loop() {
		begin := time.Now()
		if got := scanned(b, conn); got != n {
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
		if _, err := d.Sign(key); err != nil {
			b.Fatal(err)
		}
		build += time.Since(begin)
	}
	b.ReportMetric(build.Seconds()/scan.Seconds(), "x-scan")
	b.ReportMetric(0, "ns/op")
}

// scanned reads the rows as barely as the driver does it.
func scanned(b *testing.B, conn *pgx.Conn) (n int) {
	b.Helper()
	rows, err := conn.Query(b.Context(), "SELECT place, state, since FROM tamthe.status WHERE list = 1 ORDER BY place")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var place, since int64
		var state int16
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
