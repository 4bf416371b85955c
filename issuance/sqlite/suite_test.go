package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func options(t testing.TB, dir string) sqlite.Options {
	s, v := ledgertest.LogKey(t)
	return sqlite.Options{Signer: s, Verifier: v, Checkpoints: filepath.Join(dir, "checkpoints")}
}

func open(t testing.TB, dir string) *sqlite.Ledger {
	t.Helper()
	path := filepath.Join(dir, "ledger.db")
	l, err := sqlite.Open(t.Context(), path, options(t, dir))
	if errors.Is(err, ledger.ErrMissing) {
		l, err = sqlite.Create(t.Context(), path, ledgertest.Origin, options(t, dir))
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSuite(t *testing.T) {
	ledgertest.Run(t, func(t testing.TB, dir string) ledgertest.Store { return open(t, dir) })
}
