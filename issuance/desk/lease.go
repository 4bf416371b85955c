package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Leases say which desk works on an application or a chip. Every store keeps them, on a
// clock of its own.
type Leases interface {
	// Lease gives a subject to a holder for so long. If another has it the error is
	// *ledger.LeaseError.
	Lease(ctx context.Context, subject, holder string, d time.Duration) (ledger.Lease, error)
	// Renew makes a lease run from now for so long. One that somebody took over is
	// *ledger.LeaseError, Lost.
	Renew(ctx context.Context, l ledger.Lease, d time.Duration) (ledger.Lease, error)
	// Release gives a lease back, unless somebody took it over.
	Release(ctx context.Context, l ledger.Lease) error
	// Leases lists the leases of subjects, or all; those that are over too.
	Leases(ctx context.Context, subjects ...string) ([]ledger.Lease, error)
}

// leaseTime is how long a desk that says nothing keeps others from what it works on.
const leaseTime = 30 * time.Second

// chipSubject names a chip as its claim in the ledger does, in hexadecimal.
func chipSubject(chip string) string { return "chip/" + chip }

// subjectsOf are what is leased for work on a card: its application, and its chip once the
// ledger has one for it.
func subjectsOf(app string, card issuance.Subject) []string {
	list := []string{issuance.Application(app).String()}
	for _, c := range card.Claimed {
		if c.Kind == issuance.ClaimChip {
			list = append(list, chipSubject(c.Value))
		}
	}
	return list
}

// seat is an office's name among those that hold leases. A copy of the office has another.
type seat struct {
	of   *Office
	name string
}

// alone does an act that cuts into the work on an application or its card while nobody works
// on it.
func (o *Office) alone(ctx context.Context, stream issuance.StreamID, act issuance.Act, do func() error) error {
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	subject := s.state.Subject(stream)
	if known(subject) != nil || s.may(stream, act, nil) != nil {
		return do() // which says what is wrong
	}
	app := stream.ID
	if stream.Kind == issuance.KindCard {
		app = subject.Fields["application"]
	}
	t, err := s.lease(ctx, subjectsOf(app, subject)...)
	if err != nil {
		return err
	}
	defer t.end(ctx)
	return do()
}

// holder names the office and its operator for whoever finds something taken.
func (o *Office) holder(s *session) string {
	if o.seat.of != o {
		o.seat = seat{o, newName("")}
	}
	me, _ := s.state.Operator(s.me)
	return fmt.Sprintf("%s at %s, %s", me.Name, o.Place, o.seat.name)
}

// tenure is what an office holds while it works: before each step that touches something it
// asks still.
type tenure struct {
	o      *Office
	holder string
	time   time.Duration
	held   []hold
	lost   error // why it must not go on, for good
}

// hold is a lease, and when it was asked for by the desk's own clocks.
type hold struct {
	ledger.Lease
	asked time.Time
}

// lease takes the subjects for an operator's work. The leases have to be given back with end.
func (s *session) lease(ctx context.Context, subjects ...string) (*tenure, error) {
	t := &tenure{o: s.o, holder: s.o.holder(s), time: s.o.LeaseTime}
	if t.time == 0 {
		t.time = leaseTime
	}
	for _, subject := range subjects {
		if err := t.take(ctx, subject); err != nil {
			t.end(ctx)
			return nil, err
		}
	}
	return t, nil
}

// take takes one more subject, unless it is held already.
func (t *tenure) take(ctx context.Context, subject string) error {
	if slices.ContainsFunc(t.held, func(h hold) bool { return h.Subject == subject }) {
		return t.still(ctx)
	}
	asked := time.Now()
	l, err := t.o.Store.Lease(ctx, subject, t.holder, t.time)
	if err != nil {
		return err
	}
	t.held = append(t.held, hold{l, asked})
	return nil
}

// still refuses to go on if somebody may have taken over what is held here. A lease of which
// a third has gone is renewed; one that cannot be, because the store does not answer, is
// good for another third.
func (t *tenure) still(ctx context.Context) error {
	if t.lost != nil {
		return t.lost
	}
	for i := range t.held {
		h := &t.held[i]
		gone := elapsed(h.asked)
		if gone < t.time/3 {
			continue
		}
		asked := time.Now()
		l, err := t.renew(ctx, h.Lease, max(t.time*2/3-gone, t.time/3))
		switch _, other := errors.AsType[*ledger.LeaseError](err); {
		case other:
			t.lost = err
			return err
		case err == nil:
			h.Lease, h.asked = l, asked
		case elapsed(h.asked) > t.time*2/3:
			return err
		}
	}
	return nil
}

// renew asks for no longer than the chip can be kept waiting.
func (t *tenure) renew(ctx context.Context, l ledger.Lease, wait time.Duration) (ledger.Lease, error) {
	short, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	l, err := t.o.Store.Renew(short, l, t.time)
	if short.Err() != nil && ctx.Err() == nil && err != nil {
		err = fmt.Errorf("%w: %w", ledger.ErrBusy, err)
	}
	return l, err
}

// end gives back what is held, whatever became of the work and of its context. What can't be
// given back is over soon.
func (t *tenure) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.time)
	defer cancel()
	for _, h := range t.held {
		_ = t.o.Store.Release(ctx, h.Lease)
	}
	t.held = nil
}

// elapsed is the time since then by the clock that is ahead: one of them stops while the
// machine sleeps, and the other can be set.
func elapsed(then time.Time) time.Duration {
	return max(time.Since(then), time.Now().Round(0).Sub(then.Round(0)))
}

// tenant is a chip that nothing is sent to unless its desk still holds it.
type tenant struct {
	Chip
	t *tenure
}

func (c tenant) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if err := c.t.still(ctx); err != nil {
		return nil, err
	}
	return c.Chip.Exchange(ctx, b)
}

func (c tenant) Reset(ctx context.Context) error {
	if err := c.t.still(ctx); err != nil {
		return err
	}
	return c.Chip.Reset(ctx)
}

// heldBy is the lease that somebody works under on one of the subjects, nil if nobody does.
func heldBy(ctx context.Context, store Store, subjects ...string) (*ledger.Lease, error) {
	list, err := store.Leases(ctx, subjects...)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		if l.Left > 0 {
			return &l, nil
		}
	}
	return nil, nil
}
