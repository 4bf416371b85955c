package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// noon is a day amid a month, the last of its year.
var noon = time.Date(2027, 12, 15, 12, 0, 0, 0, time.UTC)

// clocked founds a ledger on a server whose clock shows noon.
func clocked(t *testing.T) *served {
	t.Helper()
	server := pgtest.NewClocked(t)
	server.SetClock(t, noon)
	return foundOn(t, server)
}

// appending is the ledger as a program has it that may append, and is not its owner.
func (s *served) appending(t *testing.T) *postgres.Ledger {
	t.Helper()
	s.mu.Lock()
	s.n++
	user := fmt.Sprint("appends_", s.n)
	s.mu.Unlock()
	s.exec(t, "CREATE ROLE "+user+" LOGIN IN ROLE tamthe_sequencer")
	l, err := postgres.Open(t.Context(), s.server.DSN(s.database(), user), s.options(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// month is that of the newest entry.
func (s *served) month(t *testing.T) (month string) {
	t.Helper()
	err := s.admin(t).QueryRow(t.Context(), "SELECT to_char(month, 'YYYY-MM') FROM tamthe.entry ORDER BY idx DESC LIMIT 1").Scan(&month)
	if err != nil {
		t.Fatal(err)
	}
	return month
}

// TestClock (F6): the server's clock goes a day ahead and a day back, within a month and over
// the end of one. Whoever appends goes on; an entry is taken in the month that the clock shows,
// or in the newest there is: months never go back.
func TestClock(t *testing.T) {
	s := clocked(t)
	went := s.appending(t)
	const old, next = "2027-12", "2028-01"
	end := time.Date(2027, 12, 31, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		to   time.Time
		want string
	}{
		{"as it is", noon, old},
		{"a day ahead", noon.AddDate(0, 0, 1), old},
		{"back again", noon, old},
		{"a day back", noon.AddDate(0, 0, -1), old},
		{"a month that was over", noon.AddDate(0, -1, 0), old},
		{"the month's last day", end, old},
		{"a day ahead, in the next", end.AddDate(0, 0, 1), next},
		{"a day back, in the month before", end, next},
		{"two days back", end.AddDate(0, 0, -1), next},
		{"the next again", end.AddDate(0, 0, 1), next},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.server.SetClock(t, c.to)
			// The one that went on appending, one that comes anew, and the first again: it
			// finds that another has appended.
			for who, by := range []*postgres.Ledger{went, s.appending(t), went} {
				if err := s.enrol(t.Context(), by); err != nil {
					t.Errorf("%d: %v", who, err)
				}
				if got := s.month(t); got != c.want {
					t.Errorf("%d: taken in %s, not %s", who, got, c.want)
				}
			}
			s.sound(t)
		})
	}
}

// TestClockAtWork: the clock jumps while eight programs append. Each append holds, or is
// refused by one of the ledger's names.
func TestClockAtWork(t *testing.T) {
	s := clocked(t)
	stop := make(chan struct{})
	var work sync.WaitGroup
	for range 8 {
		by := s.appending(t)
		work.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := s.enrol(t.Context(), by); err != nil && !errors.Is(err, ledger.ErrBusy) && !errors.Is(err, ledger.ErrAway) {
					t.Error(err)
				}
			}
		})
	}
	for i := range times(20, 200) {
		before := s.kept()
		s.server.SetClock(t, noon.AddDate(0, 0, []int{1, -1, 17, -1, 18, 0, 49, 16}[i%8]))
		for s.kept() < before+20 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
	}
	close(stop)
	work.Wait()
	s.sound(t)
	var back int
	err := s.admin(t).QueryRow(t.Context(), "SELECT count(*) FROM (SELECT month < lag(month) OVER (ORDER BY idx) AS back FROM tamthe.entry) e WHERE back").Scan(&back)
	if err != nil || back > 0 {
		t.Errorf("months went back %d times: %v", back, err)
	}
	t.Logf("%d entries while the clock jumped", s.kept())
}

// kept is how many appends held.
func (s *served) kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acked)
}

// TestClockOfWaits: the clock goes back while an append waits for the log, so that the server
// would let it wait for a day. The program gives up by its own clock, and nothing was added.
func TestClockOfWaits(t *testing.T) {
	s := clocked(t)
	l := s.open(t, 5*time.Second)
	admin := s.admin(t)
	tx, err := admin.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM tamthe.log FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	go func() { waits <- s.enrol(t.Context(), l) }()
	looking := s.admin(t)
	for waiting := 0; waiting == 0; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-waits:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		if err := looking.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	s.server.SetClock(t, noon.AddDate(0, 0, -1))
	if err := <-waits; !errors.Is(err, ledger.ErrBusy) && !errors.Is(err, ledger.ErrAway) {
		t.Errorf("the log is held: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.enrol(t.Context(), l); err != nil {
		t.Errorf("the log is free: %v", err)
	}
	s.sound(t)
}

// TestClockOfLeases: a lease that the clock outruns is over, as it would be for whoever is
// silent for so long, and who had it is told; one that the clock leaves behind stands for no
// longer than any is given.
func TestClockOfLeases(t *testing.T) {
	s := clocked(t)
	l := s.store
	const subject = "application/A-1"
	take := func(holder string) (ledger.Lease, error) { return l.Lease(t.Context(), subject, holder, time.Minute) }
	mine, err := take("an")
	if err != nil {
		t.Fatal(err)
	}
	s.server.SetClock(t, noon.AddDate(0, 0, -1))
	if kept, err := l.Renew(t.Context(), mine, time.Minute); err != nil || kept.Epoch != mine.Epoch {
		t.Errorf("held on, a day back: %+v, %v", kept, err)
	}
	s.server.SetClock(t, noon)
	if kept, err := l.Renew(t.Context(), mine, time.Minute); err != nil || kept.Epoch != mine.Epoch {
		t.Errorf("held on, a day ahead, while nobody took it: %+v, %v", kept, err)
	}
	back := noon.AddDate(0, 0, -1)
	s.server.SetClock(t, back)
	var held *ledger.LeaseError
	if _, err := take("binh"); !errors.As(err, &held) || held.Holder != "an" || held.Left <= 0 || held.Left > ledger.MaxLease {
		t.Errorf("a day back, another takes it: %v: %+v", err, held)
	}
	s.server.SetClock(t, back.Add(ledger.MaxLease+time.Minute))
	taken, err := take("binh")
	if err != nil || taken.Epoch <= mine.Epoch {
		t.Errorf("stuck: %+v after %+v: %v", taken, mine, err)
	}
	s.lost(t, mine)
	s.server.SetClock(t, noon.AddDate(0, 0, 1))
	again, err := take("an")
	if err != nil || again.Epoch <= taken.Epoch {
		t.Errorf("a day ahead: %+v after %+v: %v", again, taken, err)
	}
	s.lost(t, taken)
	s.lost(t, mine) // of the same holder, long ago
	if err := l.Release(t.Context(), again); err != nil {
		t.Error(err)
	}
	s.server.SetClock(t, noon)
	if _, err := take("an"); err != nil {
		t.Errorf("given back, a day back: %v", err)
	}
	s.lost(t, mine)
	s.lost(t, again)
}

// lost: who had the lease neither holds it on nor gives it back.
func (s *served) lost(t *testing.T, mine ledger.Lease) {
	t.Helper()
	before, err := s.store.Leases(t.Context(), mine.Subject)
	if err != nil {
		t.Fatal(err)
	}
	var lost *ledger.LeaseError
	if _, err := s.store.Renew(t.Context(), mine, time.Minute); !errors.As(err, &lost) || !lost.Lost {
		t.Errorf("%+v is held on: %v", mine, err)
	}
	if err := s.store.Release(t.Context(), mine); err != nil {
		t.Error(err)
	}
	after, err := s.store.Leases(t.Context(), mine.Subject)
	if err != nil || len(after) != 1 || after[0].Epoch != before[0].Epoch || !after[0].Until.Equal(before[0].Until) {
		t.Errorf("%+v changed %+v to %+v: %v", mine, before, after, err)
	}
}
