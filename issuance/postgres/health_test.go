package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

func TestHealth(t *testing.T) {
	dsn := pgtest.Database(t)
	l := open(t, dsn, t.TempDir())
	if h, err := l.Health(t.Context()); err != nil || h.Size != 0 || !h.Last.IsZero() || h.Queue == nil || h.Queue.Waiting != 0 || h.Queue.Worker != "" || h.Queue.Silent != 0 || h.Queue.Left {
		t.Errorf("%+v: %v", h, err)
	}
	ledgertest.NewOffice(t, l).Found(t)
	if _, err := l.Lease(t.Context(), "a", "an", time.Minute); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, text := range []string{
		"INSERT INTO tamthe.submission (id, body, at) VALUES (sha256('x'), 'x', now() - interval '1 hour'), (sha256('y'), 'y', now())",
		"UPDATE tamthe.queue SET holder = 'somebody', epoch = epoch + 1, beat = now() - interval '1 minute'",
	} {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	h, err := l.Health(t.Context())
	if err != nil || h.Size == 0 || time.Since(h.Last) > time.Hour || h.Epoch == 0 || h.Sequencer == "" || h.Held != 1 || h.Over != 0 || h.Trip <= 0 {
		t.Errorf("%+v: %v", h, err)
	}
	if h.Off.Abs() > h.Trip { // one machine, one clock
		t.Errorf("the clock of the same machine is %s off, in an answer that took %s", h.Off, h.Trip)
	}
	if q := h.Queue; q == nil || q.Waiting != 2 || q.Oldest < 59*time.Minute || q.Worker != "somebody" || q.Epoch != 1 || q.Silent < 59*time.Second || q.Left {
		t.Errorf("%+v", q)
	}
}
