package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Bare is what a ledger is measured against: one table with a key, into which several
// connections insert the octets of entries and nothing else.
type Bare []*pgx.Conn

// NewBare makes the table in a database, unless it is there, and so many connections.
func NewBare(t testing.TB, dsn string, connections int) Bare {
	t.Helper()
	var b Bare
	for range connections {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
		b = append(b, conn)
	}
	if _, err := b[0].Exec(t.Context(), "CREATE TABLE IF NOT EXISTS bare (id bytea PRIMARY KEY, octets bytea NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return b
}

// Insert adds the entries of one append, in one transaction and one trip.
func (b Bare) Insert(connection int, rows []struct{ ID, All []byte }) error {
	batch := &pgx.Batch{}
	for _, r := range rows {
		batch.Queue("INSERT INTO bare VALUES ($1, $2)", r.ID, r.All)
	}
	return b[connection].SendBatch(context.Background(), batch).Close()
}
