package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestInjected has the server refuse the last statement of appends as it would for its own
// reasons. What may pass is tried again until it does; the rest comes back by the ledger's own
// names; and nothing is ever half-done.
func TestInjected(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		code, what string
		passes     bool // it is tried again, so that the caller sees nothing of it
		want       error
	}{
		{"40001", "serialization failure", true, ledger.ErrBusy},
		{"40P01", "deadlock", true, ledger.ErrBusy},
		{"57P01", "administrator's shutdown", true, ledger.ErrAway},
		{"08006", "connection failure", true, ledger.ErrAway},
		{"25006", "read-only transaction", true, ledger.ErrReadOnly},
		{"55P03", "lock not available", false, ledger.ErrBusy},
		{"57014", "statement timeout", false, ledger.ErrBusy},
		{"53100", "disk full", false, ledger.ErrFull},
		{"XX001", "data corrupted", false, ledger.ErrDamaged},
	} {
		t.Run(c.what, func(t *testing.T) {
			inject(t, s, c.code, 2)
			err := s.enrol(t.Context(), s.store)
			if c.passes && err != nil || !c.passes && !errors.Is(err, c.want) {
				t.Errorf("twice: %v", err)
			}
			inject(t, s, c.code, 1<<30)
			if err := s.enrol(t.Context(), s.open(t, time.Second)); !errors.Is(err, c.want) {
				t.Errorf("for ever: %v, not %v", err, c.want)
			}
			s.exec(t, "DROP TRIGGER injected ON tamthe.log; DROP FUNCTION injected; DROP SEQUENCE injections")
			if err := s.enrol(t.Context(), s.store); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			s.sound(t)
		})
	}
}

// inject makes the next so many appends fail with a code.
func inject(t *testing.T, s *served, code string, n int) {
	t.Helper()
	s.exec(t, fmt.Sprintf(`DROP SEQUENCE IF EXISTS injections;
		CREATE SEQUENCE injections;
		CREATE OR REPLACE FUNCTION injected() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('public.injections') <= %d THEN
				RAISE EXCEPTION 'injected' USING ERRCODE = '%s';
			END IF;
			RETURN NEW;
		END $$;
		CREATE OR REPLACE TRIGGER injected BEFORE UPDATE ON tamthe.log FOR EACH ROW EXECUTE FUNCTION injected()`, n, code))
}

// TestLocked: somebody holds the log and does not let go. The append gives up as its program
// said, and is possible as soon as the other ends; who stands still is ended by the server.
func TestLocked(t *testing.T) {
	s := serve(t)
	l := s.open(t, time.Second)
	tx, err := s.admin(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM tamthe.log FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.enrol(t.Context(), l); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("the log is held: %v", err)
	}
	waits := make(chan error, 1)
	go func() { waits <- s.enrol(t.Context(), s.store) }()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; err != nil {
		t.Errorf("the log is free: %v", err)
	}
	s.sound(t)
}
