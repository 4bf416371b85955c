package postgres

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres/submission"
)

// TestFenced: a sequencer that is taken over after it took something from the queue neither
// appends it nor tells of it.
func TestFenced(t *testing.T) {
	q := newQueue(t)
	s := &sequencer{
		l: q.log, o: Sequencing{Lease: 5 * time.Second, Logger: slog.New(slog.DiscardHandler)},
		strikes: map[[32]byte]int{}, shares: map[string]int{},
	}
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	if err := s.stage(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	body, err := submission.Marshal(q.build(q.office.Enrol("A-1", "ann", "")))
	if err != nil {
		t.Fatal(err)
	}
	q.exec("INSERT INTO tamthe.submission (id, body) VALUES ($1, $2)", idOf(body), body)
	group, err := s.take(t.Context(), c)
	if err != nil || len(group) != 1 {
		t.Fatalf("%d taken, %v", len(group), err)
	}
	q.exec("UPDATE tamthe.queue SET epoch = epoch + 1")
	if err := s.judge(t.Context(), group); !errors.Is(err, ledger.ErrFenced) || group[0].settled {
		t.Errorf("appended: %v", err)
	}
	if e, err := q.log.Stream(t.Context(), issuance.Application("A-1")); err != nil || len(e) > 0 {
		t.Errorf("%d entries, %v", len(e), err)
	}
	group[0].settled, group[0].err = true, issuance.ErrConflict
	if err := s.settle(t.Context(), c, group); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("told: %v", err)
	}
	var told int
	if err := c.QueryRow(t.Context(), "SELECT count(*) FROM outcome").Scan(&told); err != nil || told > 0 {
		t.Errorf("%d outcomes, %v", told, err)
	}
	if n := q.waiting(); n != 1 {
		t.Errorf("%d wait", n)
	}
}
