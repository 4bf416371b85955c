package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// alone has the server wait for a standby that never comes, and returns how the waits are
// cancelled, all that there are, and how the server is content with itself again.
func (s *served) alone(t *testing.T) (cancel func(), content func()) {
	t.Helper()
	admin := s.admin(t)
	set := func(names string) {
		for _, text := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + names + "'", "SELECT pg_reload_conf()"} {
			if _, err := admin.Exec(context.Background(), text); err != nil {
				t.Error(err)
			}
		}
	}
	set("nobody")
	content = func() { set("") }
	t.Cleanup(content)          // else the database could not be dropped
	for held := 0; held == 0; { // until commits wait for it
		go s.store.Checkpoint(t.Context())
		time.Sleep(20 * time.Millisecond)
		held = cancelWaits(t, admin)
	}
	return func() { cancelWaits(t, admin) }, content
}

// TestRetireUnsure: where the wait for the standby is cancelled, a failover may take back that
// the ledger was ended. Nobody is told that it was.
func TestRetireUnsure(t *testing.T) {
	s := serve(t)
	cancel, _ := s.alone(t)
	retired := make(chan error, 1)
	go func() { retired <- s.store.Retire(t.Context(), func() error { return nil }) }()
	if err := whileCancelled(retired, cancel); !errors.Is(err, ledger.ErrAway) {
		t.Errorf("it was ended for good: %v", err)
	}
}

// whileCancelled waits for something to end and cancels waits for the standby meanwhile.
func whileCancelled(ends <-chan error, cancel func()) error {
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		select {
		case err := <-ends:
			return err
		default:
			cancel()
		}
	}
}

// TestAppendUnsure: an append whose wait for the standby is cancelled is on the server's disk,
// which says so by a success with a warning. It is no acknowledgement, however often it is
// tried; once the server is content the same is acknowledged, and is there once.
func TestAppendUnsure(t *testing.T) {
	s := serve(t)
	l := s.open(t, time.Second)
	s.test.Ledger = l
	s.test.Must(t, s.test.Enrol("A-1", "ann", "")) // so that the next needs not look at the log first
	step := s.test.Enrol("A-2", "bob", "")
	at, entries, err := s.test.Build(t.Context(), false, step)
	if err != nil {
		t.Fatal(err)
	}
	cancel, content := s.alone(t)
	appended := make(chan error, 1)
	go func() { appended <- l.Append(t.Context(), at, entries...) }()
	if err := whileCancelled(appended, cancel); !errors.Is(err, ledger.ErrAway) {
		t.Errorf("acknowledged by one server: %v", err)
	}
	there := func() (n int) {
		if err := s.admin(t).QueryRow(t.Context(), "SELECT count(*) FROM tamthe.entry WHERE kind = $1 AND stream = $2", string(step.Stream.Kind), step.Stream.ID).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := there(); n != 1 {
		t.Errorf("%d entries on the server's disk: nothing was cancelled", n)
	}
	content()
	if err := l.Append(t.Context(), at, entries...); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if n := there(); n != 1 {
		t.Errorf("%d entries of one append", n)
	}
	s.sound(t)
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
