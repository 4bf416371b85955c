package desk

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// shut is a ledger that can be read while nobody appends.
type shut struct{ Store }

func (shut) Present(context.Context) error { return fmt.Errorf("the centre: %w", ledger.ErrAway) }

// TestAwayBeforeChip: where nobody would append, no command is sent to the chip.
func TestAwayBeforeChip(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, s := r.approved(t, enrolment(1)), insert(blank())
	card, err := r.through(shut{r.store}).Personalise(t.Context(), app, s, r.plan())
	wantError(t, "nobody appends", err, ledger.ErrAway)
	if s.n > 0 || card != "" {
		t.Errorf("%d commands to the chip, card %q", s.n, card)
	}
	r.wantPhase(t, issuance.Application(app), issuance.Approved)
	r.personalised(t, app, s.chip, r.plan())
}

// late is a ledger at the end of a queue: its at-th append comes to nothing that the desk
// learns of, and is done when, counted from there, the desk appends for the behind-th time.
type late struct {
	Store
	at, behind, n int
	waits         func() error
}

func (l *late) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	l.n++
	if l.waits != nil && l.n == l.at+l.behind {
		do := l.waits
		l.waits = nil
		if err := do(); err != nil && !errors.Is(err, issuance.ErrConflict) {
			if _, ok := errors.AsType[*issuance.TransitionError](err); !ok {
				return err
			}
		}
	}
	if l.n == l.at {
		l.waits = func() error { return l.Store.Append(ctx, at, e...) }
		return fmt.Errorf("no outcome yet: %w", ledger.ErrAway)
	}
	return l.Store.Append(ctx, at, e...)
}

// TestLateAppend: an append of which the desk heard nothing is done at last, before the desk
// takes the card up again or while it is at it. The card is made once.
func TestLateAppend(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cuts := 0
	for at := 1; ; at++ {
		app, c := r.approved(t, enrolment(100+10*at)), blank()
		l := &late{Store: r.store, at: at, behind: 1 + at%2}
		o := r.through(l)
		card, err := o.Personalise(t.Context(), app, insert(c), r.plan())
		if err == nil && l.n < at {
			break
		}
		cuts++
		wantError(t, fmt.Sprint("append ", at), err, ledger.ErrAway)
		for tries := 0; err != nil && tries < 4; tries++ {
			card, err = o.Personalise(t.Context(), app, insert(c), r.plan())
		}
		if err != nil {
			t.Fatalf("append %d was late: %v", at, err)
		}
		r.issuedOnce(t, app, card, c)
	}
	if cuts < 8 {
		t.Errorf("%d cuts", cuts)
	}
	r.sound(t)
}
