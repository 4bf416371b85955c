package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// TestRace: processes that all hold the log key claim the same applications in one database.
func TestRace(t *testing.T) {
	race := ledgertest.TheRace(func(t testing.TB, dsn string) ledgertest.RaceStore {
		s, v := ledgertest.LogKey(t)
		o := postgres.Options{Signer: s, Verifier: v, Busy: time.Minute, Readers: 1}
		l, err := postgres.Open(t.Context(), dsn, o)
		if errors.Is(err, ledger.ErrMissing) {
			l, err = postgres.Create(t.Context(), dsn, ledgertest.Origin, o)
		}
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	dsn := ""
	if !ledgertest.Racing() {
		dsn = pgtest.Database(t)
	}
	race.Run(t, dsn)
}
