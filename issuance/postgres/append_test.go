package postgres_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

func options(t testing.TB, dir string) postgres.Options {
	s, v := ledgertest.LogKey(t)
	return postgres.Options{Signer: s, Verifier: v, Checkpoints: filepath.Join(dir, "checkpoints")}
}

// open opens the ledger of a database, and makes it there the first time.
func open(t testing.TB, dsn, dir string) *postgres.Ledger {
	t.Helper()
	o := options(t, dir)
	l, err := postgres.Open(t.Context(), dsn, o)
	if errors.Is(err, ledger.ErrMissing) {
		l, err = postgres.Create(t.Context(), dsn, ledgertest.Origin, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestTakeOver: two programs append in turns, and each goes on where the other was.
func TestTakeOver(t *testing.T) {
	dsn := pgtest.Database(t)
	a, b := open(t, dsn, t.TempDir()), open(t, dsn, t.TempDir())
	o := ledgertest.NewOffice(t, a)
	o.Found(t)
	for i, name := range []string{"A-1", "A-2", "A-3", "A-4"} {
		o.Ledger = []issuance.Ledger{b, a}[i%2]
		o.Must(t, o.Enrol(name, name, ""))
		o.Must(t, o.Approve(name))
	}
	for _, l := range []*postgres.Ledger{a, b} {
		entries, err := l.Stream(t.Context(), issuance.Application("A-4"))
		if err != nil || len(entries) != 2 {
			t.Errorf("%d entries: %v", len(entries), err)
		}
	}
	s, _ := ledgertest.LogKey(t)
	if _, err := postgres.Create(t.Context(), dsn, ledgertest.Origin, postgres.Options{Signer: s}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second ledger in one database: %v", err)
	}
}
