package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestLeaseUncommitted: whoever takes a lease, and does not end its transaction, keeps nobody waiting
// who wants it too.
func TestLeaseUncommitted(t *testing.T) {
	q := newQueue(t)
	_, thief := q.role("tamthe_desk")
	l := q.desk(time.Minute)
	tx := q.flooded(thief, "SELECT take_lease('application/A-1', 'thief', $1)", time.Minute)
	defer rollback(tx)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if _, err := l.Lease(ctx, "application/A-1", "an", time.Minute); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("somebody takes it: %v", err)
	}
	rollback(tx)
	mine, err := l.Lease(t.Context(), "application/A-1", "an", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	own := q.flooded(q.dsn, "SELECT FROM lease FOR UPDATE")
	defer rollback(own)
	if _, err := l.Renew(ctx, mine, time.Minute); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("somebody locks it, renewed: %v", err)
	}
	if err := l.Release(ctx, mine); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("somebody locks it, given back: %v", err)
	}
}

// TestLeaseUnanswered: a server that takes the question and says nothing, as one does whose standbys
// are all away, is waited for as long as Options.Busy says.
func TestLeaseUnanswered(t *testing.T) {
	q := newQueue(t)
	l := q.desk(time.Second)
	q.exec(`CREATE OR REPLACE FUNCTION take_lease(s text, h text, d interval) RETURNS SETOF lease LANGUAGE sql SECURITY DEFINER SET search_path = tamthe, pg_catalog
		AS 'SELECT pg_sleep(3600); SELECT * FROM lease'`)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if _, err := l.Lease(ctx, "application/A-1", "an", time.Minute); !errors.Is(err, ledger.ErrAway) || ctx.Err() != nil {
		t.Errorf("it does not answer: %v", err)
	}
}

// TestReadLocked: a look-up waits for a lock no longer than Options.Busy.
func TestReadLocked(t *testing.T) {
	q := newQueue(t)
	l := q.desk(time.Second)
	tx := q.flooded(q.dsn, "LOCK TABLE lease IN ACCESS EXCLUSIVE MODE")
	defer rollback(tx)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if _, err := l.Leases(ctx); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("the table is locked: %v", err)
	}
}
