package postgres_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// address returns the database that belongs to a folder, made the first time, also where
// another process asks for it.
func address(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "dsn")
	dsn, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		dsn = []byte(pgtest.Database(t))
		err = os.WriteFile(path, dsn, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(dsn)
}

// duplicate copies a folder and its database, to which nobody may be connected.
func duplicate(t testing.TB, from string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dsn"), []byte(pgtest.Copy(t, address(t, from))), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// at opens the ledger of a folder, and makes it there the first time.
func at(t testing.TB, dir string) *postgres.Ledger {
	t.Helper()
	return open(t, address(t, dir), dir)
}

func TestSuite(t *testing.T) {
	ledgertest.Run(t, func(t testing.TB, dir string) ledgertest.Store { return at(t, dir) })
}

// raw connects as someone with all rights to the database and no keys.
func raw(t testing.TB, dir string) *pgx.Conn {
	t.Helper()
	return as(t, address(t, dir))
}

func as(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn+" search_path=tamthe")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// tamper runs statements while no trigger is asked, as a superuser can.
func tamper(t testing.TB, dir string, statements ...string) {
	t.Helper()
	conn := raw(t, dir)
	defer conn.Close(context.Background())
	for _, s := range append([]string{"SET session_replication_role = replica"}, statements...) {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// busy is a ledger with a card replaced, one revoked and one in the making: 14 operators, a
// document signer and blanks at entries 0 to 18, a person at 19, then A-1 and C-1 from entry
// 20 on. From A-2 on, it goes on in another month.
func busy(t testing.TB, dir string) {
	t.Helper()
	l := at(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	nextMonth(t, dir)
	o.IssueCard(t, "A-2", "C-2", "ann", "C-1")
	o.MakeCard(t, "A-3", "C-3", "bob", "")
	l.Close()
}

// nextMonth has the log begin a new month with its next entry, as if another program had.
func nextMonth(t testing.TB, dir string) {
	t.Helper()
	conn := raw(t, dir)
	defer conn.Close(context.Background())
	for _, s := range []string{
		"SELECT open_month((max(month) + interval '1 month')::date) FROM month",
		"INSERT INTO month SELECT max(month) + interval '1 month', (SELECT size FROM log) FROM month",
		"UPDATE log SET epoch = epoch + 1, holder = 'another'",
	} {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// reading opens the ledger without the right to write, as one does that only looks.
func reading(t testing.TB, dir string) *postgres.Ledger {
	t.Helper()
	o := options(t, dir)
	o.ReadOnly, o.Signer = true, nil
	l, err := postgres.Open(t.Context(), address(t, dir), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
