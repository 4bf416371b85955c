package postgres_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// served is a ledger on a server of the test's own, to which things happen.
type served struct {
	server *pgtest.Cluster
	dsn    string
	store  *postgres.Ledger
	test   *ledgertest.Office

	mu    sync.Mutex
	n     int
	acked []issuance.StreamID // what an append was said to have kept
}

// serve founds a ledger on a new server.
func serve(t *testing.T, settings ...string) *served {
	t.Helper()
	return foundOn(t, pgtest.New(t, settings...))
}

// foundOn founds a ledger on a server.
func foundOn(t *testing.T, server *pgtest.Cluster) *served {
	t.Helper()
	s := &served{server: server}
	s.dsn = s.server.Database(t)
	store, err := postgres.Create(t.Context(), s.dsn, ledgertest.Origin, s.options(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s.store, s.test = store, ledgertest.NewOffice(t, store)
	s.test.Found(t)
	return s
}

// options are those of a program that waits so long.
func (s *served) options(t testing.TB, busy time.Duration) postgres.Options {
	signer, _ := ledgertest.LogKey(t)
	return postgres.Options{Signer: signer, Checkpoints: t.TempDir(), Busy: busy}
}

// open is the ledger as another program has it, which waits so long.
func (s *served) open(t testing.TB, busy time.Duration) *postgres.Ledger {
	t.Helper()
	l, err := postgres.Open(t.Context(), s.dsn, s.options(t, busy))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// enrol appends somebody's application through a handle and notes what came of it.
func (s *served) enrol(ctx context.Context, by issuance.Ledger) error {
	s.mu.Lock()
	s.n++
	name := fmt.Sprint(s.n)
	o := *s.test
	s.mu.Unlock()
	o.Ledger = by
	step := o.Enrol("A-"+name, name, "")
	err := o.Do(ctx, step)
	if err == nil {
		s.mu.Lock()
		s.acked = append(s.acked, step.Stream)
		s.mu.Unlock()
	}
	return err
}

// sound: what was acknowledged is there, once, and the ledger passes its audit. So it does
// as a program finds it that comes anew.
func (s *served) sound(t *testing.T) {
	t.Helper()
	l := s.open(t, 20*time.Second)
	for _, id := range s.acked {
		if e, err := l.Stream(t.Context(), id); err != nil || len(e) != 1 {
			t.Errorf("%s was acknowledged: %d entries, %v", id, len(e), err)
		}
	}
	report, err := l.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Errorf("the ledger is not sound: %v", report.Findings)
	}
}

// admin is a connection of the server's administrator.
func (s *served) admin(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.dsn+" options='-c default_transaction_read_only=off'")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// exec has the administrator say something to the server.
func (s *served) exec(t testing.TB, sql string) {
	t.Helper()
	if _, err := s.admin(t).Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// times is how often something is done: few times, or many in a soak.
func times(few, many int) int {
	if os.Getenv("TAMTHE_SOAK") != "" {
		return many
	}
	return few
}
