package desk

import (
	"context"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// later is another program at the rig's ledger, whose clock is ahead by so much.
func (r *rig) later(t testing.TB, d time.Duration) *sqlite.Ledger {
	t.Helper()
	o := r.options(t)
	o.Clock = func() time.Time { return time.Now().Add(d) }
	l := must(sqlite.Open(t.Context(), r.path("ledger.db"), o))(t)
	t.Cleanup(func() { check(t, l.Close()) })
	return l
}

// expire takes and gives back whatever is leased, as if time had gone by.
func (r *rig) expire(t testing.TB) {
	t.Helper()
	l := r.later(t, time.Hour)
	for _, x := range must(l.Leases(t.Context()))(t) {
		check(t, l.Release(t.Context(), must(l.Lease(t.Context(), x.Subject, "the test", time.Second))(t)))
	}
}

// wantLeases checks how many leases there are.
func (r *rig) wantLeases(t testing.TB, n int) []ledger.Lease {
	t.Helper()
	list := must(r.store.Leases(t.Context()))(t)
	if len(list) != n {
		t.Errorf("%d leases, not %d: %+v", len(list), n, list)
	}
	return list
}

// before calls f before the n-th command to the chip.
func (s *slot) before(n int, f func()) {
	s.exchange = func(ctx context.Context, i int, b []byte) ([]byte, error) {
		if i == n {
			f()
		}
		return s.chip.Exchange(ctx, b)
	}
}

// TestLeaseKeepsOthersAway: while a desk makes a card, another desk is told who has the
// application, with what it does to it refused before its own chip hears anything.
func TestLeaseKeepsOthersAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.approved(t, enrolment(1))
	s, other := insert(blank()), insert(blank())
	s.before(20, func() {
		for what, do := range map[string]func() error{
			"personalise": func() error {
				_, err := r.through(r.store).Personalise(t.Context(), app, other, r.plan())
				return err
			},
			"cancel": func() error { return r.through(r.store).Cancel(t.Context(), app, "withdrawn") },
			"spoil": func() error {
				return r.through(r.store).Spoil(t.Context(), must(r.an.Application(t.Context(), app))(t).Card, "damaged")
			},
		} {
			held := wantType[*ledger.LeaseError](t, what, do())
			if held == nil || held.Lost || held.Subject != "application/"+app || held.Left <= 0 || held.Holder == "" {
				t.Errorf("%s: %+v", what, held)
			}
		}
		a := must(r.binh.Application(t.Context(), app))(t)
		if c := must(r.binh.Card(t.Context(), a.Card))(t); a.Lease == nil || c.Lease == nil || a.Lease.Holder != c.Lease.Holder {
			t.Errorf("nobody is shown to work on %s: %+v, %+v", app, a.Lease, c.Lease)
		}
		r.wantLeases(t, 2)
	})
	card := must(r.an.Personalise(t.Context(), app, s, r.plan()))(t)
	if other.n != 0 {
		t.Errorf("the other desk sent %d commands to its chip", other.n)
	}
	r.wantLeases(t, 0)
	r.issuedOnce(t, app, card, s.chip)
}

// TestLeaseOfAChip: a chip that another desk has in hand, under whichever application, is
// left alone.
func TestLeaseOfAChip(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, c := r.approved(t, enrolment(1)), blank()
	r.through(&faulty{Store: r.store, at: 4}).Personalise(t.Context(), app, insert(c), r.plan())
	r.wantLeases(t, 0) // who failed has given them back
	card := must(issuance.Load(t.Context(), r.store, issuance.Application(app)))(t).Subject(issuance.Card(must(r.an.Application(t.Context(), app))(t).Card))
	chip := subjectsOf(app, card)[1]
	mine := must(r.store.Lease(t.Context(), chip, "somebody", time.Minute))(t)
	s := insert(c)
	_, err := r.an.Personalise(t.Context(), app, s, r.plan())
	if held := wantType[*ledger.LeaseError](t, "a chip in other hands", err); held == nil || held.Holder != "somebody" {
		t.Errorf("%+v", held)
	}
	if s.n != 0 {
		t.Errorf("%d commands were sent", s.n)
	}
	r.wantLeases(t, 1)
	check(t, r.store.Release(t.Context(), mine))
	r.issuedOnce(t, app, r.personalised(t, app, c, r.plan()), c)
}

// TestFenced: a desk sleeps in the midst of a card for longer than its lease. Where another
// took the card over, it sends the chip nothing more, and records nothing; where nobody did,
// it goes on.
func TestFenced(t *testing.T) {
	t.Parallel()
	for _, at := range []int{2, 12, 30, 60, 75} {
		for _, taken := range []bool{true, false} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				app, c := r.approved(t, enrolment(1)), blank()
				sleeper := r.through(r.store)
				sleeper.LeaseTime = time.Second
				s := insert(c)
				size := int64(0)
				last := 0
				s.before(at, func() {
					time.Sleep(sleeper.LeaseTime + 100*time.Millisecond)
					if taken {
						for _, x := range must(r.store.Leases(t.Context()))(t) {
							l := must(r.store.Lease(t.Context(), x.Subject, "another", time.Minute))(t)
							if l.Epoch <= x.Epoch {
								t.Errorf("epoch %d after %d", l.Epoch, x.Epoch)
							}
						}
					}
					size, last = r.size(t), s.n
				})
				card, err := sleeper.Personalise(t.Context(), app, s, r.plan())
				if !taken {
					check(t, err)
					r.issuedOnce(t, app, card, c)
					return
				}
				if lost := wantType[*ledger.LeaseError](t, "a sleeper", err); lost == nil || !lost.Lost || lost.Holder != "another" {
					t.Errorf("%+v", lost)
				}
				if s.n != last || r.size(t) != size { // the command that it slept in went out
					t.Errorf("%d commands and %d entries after it woke up", s.n-last, r.size(t)-size)
				}
				r.expire(t)
				r.issuedOnce(t, app, r.personalised(t, app, c, r.plan()), c)
			})
		}
	}
}

// TestLeaseTolerates: a store that does not answer for a while does not end the work of a
// desk whose lease still runs, and one that stays away does.
func TestLeaseTolerates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := &mute{Store: r.store}
	o := r.through(m)
	o.LeaseTime = 300 * time.Millisecond
	s := must(o.begin(t.Context()))(t)
	h := must(s.lease(t.Context(), "application/A-1"))(t)
	m.mute = true
	for elapsed(h.held[0].asked) < o.LeaseTime/3 {
		time.Sleep(time.Millisecond)
	}
	asked := h.held[0].asked
	err := h.still(t.Context())
	if gone := elapsed(asked); err != nil && gone <= o.LeaseTime*2/3 {
		t.Errorf("after %v: %v", gone, err)
	}
	for elapsed(asked) < o.LeaseTime {
		time.Sleep(time.Millisecond)
	}
	wantError(t, "a lease that may be over", h.still(t.Context()), errFault)
	m.mute = false
	check(t, h.still(t.Context()))
	h.end(t.Context())
	r.wantLeases(t, 0)
}

// mute is a store that says nothing of leases for a while.
type mute struct {
	Store
	mute bool
}

func (m *mute) Renew(ctx context.Context, l ledger.Lease, d time.Duration) (ledger.Lease, error) {
	if m.mute {
		return ledger.Lease{}, errFault
	}
	return m.Store.Renew(ctx, l, d)
}

// TestLeaseClocks: the office's clock, a day off, changes nothing about leases.
func TestLeaseClocks(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		r := newRig(t)
		app := r.approved(t, enrolment(1))
		s := insert(blank())
		s.before(20, func() {
			o := r.through(r.store)
			o.Now = func() time.Time { return r.now.Add(off) }
			_, err := o.Personalise(t.Context(), app, insert(blank()), r.plan())
			wantType[*ledger.LeaseError](t, "a desk whose clock is "+off.String()+" off", err)
		})
		r.issuedOnce(t, app, must(r.an.Personalise(t.Context(), app, s, r.plan()))(t), s.chip)
	}
}

// TestSeats: an office and its copy are two among those that hold leases, and an office has
// its own lease anew.
func TestSeats(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := must(r.an.begin(t.Context()))(t)
	first := must(s.lease(t.Context(), "application/A-1"))(t)
	again := must(s.lease(t.Context(), "application/A-1"))(t)
	if again.held[0].Epoch <= first.held[0].Epoch {
		t.Errorf("epoch %d after %d", again.held[0].Epoch, first.held[0].Epoch)
	}
	o := r.through(r.store)
	_, err := must(o.begin(t.Context()))(t).lease(t.Context(), "application/A-1")
	wantType[*ledger.LeaseError](t, "a copy of the office", err)
	first.end(t.Context())
	r.wantLeases(t, 1)
	again.end(t.Context())
	r.wantLeases(t, 0)
}
