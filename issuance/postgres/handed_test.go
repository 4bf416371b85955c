package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
)

// handed is the ledger as a desk without the log key has it, with a sequencer beside it.
type handed struct {
	*postgres.Ledger
	stop func() error
}

// Close ends both.
func (h handed) Close() error { return errors.Join(h.Ledger.Close(), h.stop()) }

// TestSuiteOfDesk: a desk that only hands in has a ledger like any other.
func TestSuiteOfDesk(t *testing.T) {
	ledgertest.Run(t, func(t testing.TB, dir string) ledgertest.Store {
		log := at(t, dir)
		ctx, cancel := context.WithCancel(context.Background())
		var work sync.WaitGroup
		var failed error
		work.Go(func() { failed = log.Sequence(ctx, postgres.Sequencing{Lease: time.Second}) })
		stop := sync.OnceValue(func() error {
			cancel()
			work.Wait()
			return errors.Join(failed, log.Close())
		})
		t.Cleanup(func() { stop() })
		dsn := address(t, dir)
		conn := as(t, dsn)
		const account = "CREATE ROLE tamthe_test_desk LOGIN IN ROLE tamthe_desk"
		if _, err := conn.Exec(t.Context(), account); err != nil && !strings.Contains(err.Error(), "exists") {
			t.Fatal(err)
		}
		_, v := ledgertest.LogKey(t)
		desk, err := postgres.Open(t.Context(), strings.Replace(dsn, "user=postgres", "user=tamthe_test_desk", 1), postgres.Options{Verifier: v, Busy: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return handed{desk, stop}
	})
}
