package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// TestClockOfQueue: the server's clock jumps while desks hand in. What is handed in is appended
// once, by one sequencer or by the one that takes over from it; and one that died is not taken
// for one that works, though its last sign of life seems to be yet to come.
func TestClockOfQueue(t *testing.T) {
	noon := time.Date(2027, 12, 31, 12, 0, 0, 0, time.UTC)
	server := pgtest.NewClocked(t)
	server.SetClock(t, noon)
	q := foundQueue(t, server.Database(t))
	desk := q.desk(30 * time.Second)
	q.office.Ledger = desk
	q.exec("UPDATE tamthe.queue SET holder = 'dead', epoch = epoch + 1, beat = clock_timestamp()")
	if err := desk.Present(t.Context()); err != nil {
		t.Errorf("a sequencer works: %v", err)
	}
	server.SetClock(t, noon.AddDate(0, 0, -1))
	if err := desk.Present(t.Context()); !errors.Is(err, ledger.ErrAway) {
		t.Errorf("one that will have worked: %v", err)
	}
	if h, err := q.log.Health(t.Context()); err != nil || h.Queue.Silent <= ledger.Unheard {
		t.Errorf("one that will have worked: %+v, %v", h.Queue, err)
	}
	server.SetClock(t, noon)
	at, entries := q.build(q.office.Enrol("A-waits", "waits", ""))
	waits := make(chan error, 1)
	go func() { waits <- desk.Append(t.Context(), at, entries...) }()
	for q.waiting() == 0 {
		sleep(t.Context(), firstPoll)
	}
	server.SetClock(t, noon.AddDate(0, 0, 1)) // nobody would wait for that submission any more
	q.sequence(Sequencing{})
	if err := <-waits; err != nil {
		t.Errorf("handed in before the clock went ahead: %v", err)
	}
	for i, days := range []int{0, -1, 1, 0} {
		server.SetClock(t, noon.AddDate(0, 0, days))
		name := string(rune('a' + i))
		q.office.Must(t, q.office.Enrol("A-"+name, name, ""))
		if e, err := q.log.Stream(t.Context(), q.office.Enrol("A-"+name, name, "").Stream); err != nil || len(e) != 1 {
			t.Errorf("%d entries: %v", len(e), err)
		}
	}
	if err := desk.Present(t.Context()); err != nil {
		t.Errorf("a sequencer works: %v", err)
	}
	if e, err := q.log.Stream(t.Context(), entries[0].Stream); err != nil || len(e) != 1 {
		t.Errorf("%d entries: %v", len(e), err)
	}
	if n := q.waiting(); n > 0 {
		t.Errorf("%d are left in the queue", n)
	}
	if report, err := q.log.Verify(t.Context(), nil); err != nil || !report.OK() {
		t.Errorf("the ledger is not sound: %v, %v", report, err)
	}
}
