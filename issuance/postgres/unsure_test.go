package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestRetireUnsure: where the wait for the standby is cancelled, a failover may take back that
// the ledger was ended. Nobody is told that it was.
func TestRetireUnsure(t *testing.T) {
	s := serve(t)
	admin := s.admin(t)
	set := func(names string) {
		for _, text := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + names + "'", "SELECT pg_reload_conf()"} {
			if _, err := admin.Exec(context.Background(), text); err != nil {
				t.Error(err)
			}
		}
	}
	set("nobody")
	t.Cleanup(func() { set("") }) // else the database could not be dropped
	for held := 0; held == 0; {   // until commits wait for it
		go s.store.Checkpoint(t.Context())
		time.Sleep(20 * time.Millisecond)
		held = cancelWaits(t, admin)
	}
	retired := make(chan error, 1)
	go func() { retired <- s.store.Retire(t.Context(), func() error { return nil }) }()
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		select {
		case err := <-retired:
			if !errors.Is(err, ledger.ErrAway) {
				t.Errorf("it was ended for good: %v", err)
			}
			return
		default:
		}
		cancelWaits(t, admin)
	}
}

// cancelWaits cancels all waits for the standby, and returns how many those were.
func cancelWaits(t *testing.T, admin *pgx.Conn) (n int) {
	t.Helper()
	err := admin.QueryRow(t.Context(), "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
