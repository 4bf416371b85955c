package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Leases is what the suite of leases asks of a store.
type Leases interface {
	Lease(ctx context.Context, subject, holder string, d time.Duration) (ledger.Lease, error)
	Renew(ctx context.Context, l ledger.Lease, d time.Duration) (ledger.Lease, error)
	Release(ctx context.Context, l ledger.Lease) error
	Leases(ctx context.Context, subjects ...string) ([]ledger.Lease, error)
}

// RunLeases holds a store to what leases are, on the clock that it has. Two handles of one
// ledger are given; a and b may be the same.
func RunLeases(t *testing.T, a, b Leases) {
	for name, f := range map[string]func(*testing.T, Leases, Leases){
		"held": leaseHeld, "over": leaseOver, "given back": leaseGivenBack, "again": leaseAgain, "bounds": leaseBounds, "race": leaseRace,
	} {
		t.Run(name, func(t *testing.T) { f(t, a, b) })
	}
}

// brief is a lease's time for tests that wait until it is over.
const brief = 40 * time.Millisecond

func take(t *testing.T, s Leases, subject, holder string, d time.Duration) ledger.Lease {
	t.Helper()
	l, err := s.Lease(t.Context(), subject, holder, d)
	if err != nil {
		t.Fatal(err)
	}
	if l.Subject != subject || l.Holder != holder || l.Epoch == 0 || l.Left != d {
		t.Fatalf("%+v", l)
	}
	return l
}

// wantHeld checks that the error names who has it.
func wantHeld(t *testing.T, err error, holder string, lost bool) {
	t.Helper()
	held, ok := errors.AsType[*ledger.LeaseError](err)
	if !ok || held.Holder != holder || held.Lost != lost || held.Subject == "" || holder != "" && held.Until.IsZero() {
		t.Errorf("%v: %+v, not of %q", err, held, holder)
	}
}

func leaseHeld(t *testing.T, a, b Leases) {
	mine := take(t, a, "held", "an", time.Minute)
	_, err := b.Lease(t.Context(), "held", "binh", time.Minute)
	wantHeld(t, err, "an", false)
	if mine, err = a.Renew(t.Context(), mine, 2*time.Minute); err != nil || mine.Left != 2*time.Minute {
		t.Errorf("%+v: %v", mine, err)
	}
	_, err = b.Renew(t.Context(), ledger.Lease{Subject: "held", Holder: "binh", Epoch: mine.Epoch}, time.Minute)
	wantHeld(t, err, "an", true)
	if err := b.Release(t.Context(), ledger.Lease{Subject: "held", Holder: "binh", Epoch: mine.Epoch}); err != nil {
		t.Error(err)
	}
	list, err := b.Leases(t.Context(), "nothing", "held")
	if err != nil || len(list) != 1 || list[0].Holder != "an" || list[0].Epoch != mine.Epoch || list[0].Left <= time.Minute || list[0].Left > 2*time.Minute {
		t.Errorf("%+v: %v", list, err)
	}
	if err := a.Release(t.Context(), mine); err != nil {
		t.Error(err)
	}
	theirs := take(t, b, "held", "binh", time.Minute)
	if theirs.Epoch <= mine.Epoch {
		t.Errorf("epoch %d after %d", theirs.Epoch, mine.Epoch)
	}
	if err := b.Release(t.Context(), theirs); err != nil {
		t.Error(err)
	}
	if all, err := a.Leases(t.Context(), "held"); err != nil || len(all) != 0 {
		t.Errorf("%+v: %v", all, err)
	}
}

// leaseOver: a lease that nobody renews is over; who had it is told, and can't take it away
// from whoever has it now. One that nobody took meanwhile is renewed.
func leaseOver(t *testing.T, a, b Leases) {
	mine := take(t, a, "over", "an", brief)
	time.Sleep(2 * brief)
	list, err := b.Leases(t.Context(), "over")
	if err != nil || len(list) != 1 || list[0].Left > 0 {
		t.Errorf("%+v: %v", list, err)
	}
	if mine, err = a.Renew(t.Context(), mine, brief); err != nil {
		t.Error(err)
	}
	time.Sleep(2 * brief)
	theirs := take(t, b, "over", "binh", time.Minute)
	if theirs.Epoch <= mine.Epoch {
		t.Errorf("epoch %d after %d", theirs.Epoch, mine.Epoch)
	}
	_, err = a.Renew(t.Context(), mine, time.Minute)
	wantHeld(t, err, "binh", true)
	if err := a.Release(t.Context(), mine); err != nil {
		t.Error(err)
	}
	_, err = a.Lease(t.Context(), "over", "an", time.Minute)
	wantHeld(t, err, "binh", false)
	if err := b.Release(t.Context(), theirs); err != nil {
		t.Error(err)
	}
}

// leaseGivenBack: who slept while another took it and gave it back is told all the same.
func leaseGivenBack(t *testing.T, a, b Leases) {
	mine := take(t, a, "back", "an", brief)
	time.Sleep(2 * brief)
	if err := b.Release(t.Context(), take(t, b, "back", "binh", time.Minute)); err != nil {
		t.Error(err)
	}
	_, err := a.Renew(t.Context(), mine, time.Minute)
	wantHeld(t, err, "", true)
}

// leaseAgain: its holder gets it anew, and what they had before is lost.
func leaseAgain(t *testing.T, a, b Leases) {
	first := take(t, a, "again", "an", time.Minute)
	second := take(t, b, "again", "an", time.Minute)
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d", second.Epoch, first.Epoch)
	}
	_, err := a.Renew(t.Context(), first, time.Minute)
	wantHeld(t, err, "an", true)
	if err := a.Release(t.Context(), first); err != nil {
		t.Error(err)
	}
	if _, err := b.Renew(t.Context(), second, time.Minute); err != nil {
		t.Error(err)
	}
}

func leaseBounds(t *testing.T, a, _ Leases) {
	for _, x := range []struct {
		subject, holder string
		d               time.Duration
	}{{"", "an", time.Minute}, {"bounds", "", time.Minute}, {"bounds", "an", 0}, {"bounds", "an", -time.Second}, {"bounds", "an", ledger.MaxLease + 1}} {
		if _, err := a.Lease(t.Context(), x.subject, x.holder, x.d); !errors.Is(err, ledger.ErrLease) {
			t.Errorf("%+v: %v", x, err)
		}
		if _, err := a.Renew(t.Context(), ledger.Lease{Subject: x.subject, Holder: x.holder, Epoch: 1}, x.d); !errors.Is(err, ledger.ErrLease) {
			t.Errorf("%+v: %v", x, err)
		}
	}
	_, err := a.Renew(t.Context(), ledger.Lease{Subject: "bounds", Holder: "an", Epoch: 1}, time.Minute)
	wantHeld(t, err, "", true)
}

// leaseRace: of many who want it at once one has it at a time, and epochs only grow.
func leaseRace(t *testing.T, a, b Leases) {
	var inside, epoch atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		s := []Leases{a, b}[i%2]
		wg.Go(func() {
			for n := 0; n < 5; {
				l, err := s.Lease(t.Context(), "race", fmt.Sprint("desk ", i), time.Minute)
				if _, held := errors.AsType[*ledger.LeaseError](err); held {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				n++
				if inside.Add(1) != 1 || epoch.Swap(int64(l.Epoch)) >= int64(l.Epoch) {
					t.Errorf("desk %d has it beside another, or under epoch %d again", i, l.Epoch)
				}
				inside.Add(-1)
				if err := s.Release(t.Context(), l); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
