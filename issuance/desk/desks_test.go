package desk

import (
	"errors"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/perso"
)

// TestTwoDesksForOneApplication: two desks take up the same application at once, each with
// a chip of its own. One makes the card; the chip of the other is as blank as before.
func TestTwoDesksForOneApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for round := range 4 {
		app := r.approved(t, enrolment(round))
		chips := []*virtual.Chip{blank(), blank()}
		var cards [2]string
		var errs [2]error
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				cards[i], errs[i] = r.through(r.store).Personalise(t.Context(), app, insert(chips[i]), r.plan())
			})
		}
		wg.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		loser := 1 - winner
		if errs[winner] != nil || !lost(errs[loser]) || cards[loser] != "" && cards[loser] != cards[winner] {
			t.Fatalf("%v: %v", cards, errs)
		}
		r.issuedOnce(t, app, cards[winner], chips[winner])
		next := r.approved(t, enrolment(100+round))
		r.issuedOnce(t, next, r.personalised(t, next, chips[loser], r.plan()), chips[loser])
	}
	r.sound(t)
}

// lost says whether the error is that of a desk which came too late.
func lost(err error) bool {
	var wrong *perso.WrongChipError
	var transition *issuance.TransitionError
	var held *ledger.LeaseError
	return errors.As(err, &held) || errors.As(err, &wrong) || errors.As(err, &transition) || errors.Is(err, issuance.ErrLink) || errors.Is(err, issuance.ErrConflict)
}

// TestDesksSideBySide: desks that work on different applications do not hinder each other.
func TestDesksSideBySide(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			c := blank()
			app, err := r.through(r.store).Enrol(t.Context(), enrolment(i))
			if err == nil {
				binh := *r.binh
				err = binh.Approve(t.Context(), app)
			}
			card := ""
			if err == nil {
				card, err = r.through(r.store).Personalise(t.Context(), app, insert(c), r.plan())
			}
			if err != nil {
				t.Errorf("desk %d: %v", i, err)
				return
			}
			r.issuedOnce(t, app, card, c)
		})
	}
	wg.Wait()
	r.sound(t)
}

// TestOnePersonAtTwoDesks: of several enrolments of one person at once, one is taken.
func TestOnePersonAtTwoDesks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { _, errs[i] = r.through(r.store).Enrol(t.Context(), enrolment(1)) })
	}
	wg.Wait()
	taken := 0
	for _, err := range errs {
		var duplicate *issuance.DuplicateError
		switch {
		case err == nil:
			taken++
		case !errors.As(err, &duplicate):
			t.Error(err)
		}
	}
	if taken != 1 {
		t.Errorf("%d applications for one person", taken)
	}
}
