package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// TestRace: processes at one file claim the same applications.
func TestRace(t *testing.T) {
	ledgertest.TheRace(func(t testing.TB, dir string) ledgertest.RaceStore {
		s, v := ledgertest.LogKey(t)
		path, o := filepath.Join(dir, "ledger.db"), sqlite.Options{Signer: s, Verifier: v, Busy: time.Minute}
		l, err := sqlite.Open(t.Context(), path, o)
		if errors.Is(err, ledger.ErrMissing) {
			l, err = sqlite.Create(t.Context(), path, ledgertest.Origin, o)
		}
		if err != nil {
			t.Fatal(err)
		}
		return l
	}).Run(t, t.TempDir())
}
