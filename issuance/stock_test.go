package issuance_test

import (
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// blanks is an act about some blanks of a batch.
func blanks(o *ledgertest.Office, act issuance.Act, batch, at string, first, last, count uint64) ledgertest.Step {
	return ledgertest.Step{
		Stream: issuance.Stock(batch), Act: act, By: o.Keeper,
		Fields: map[string]string{"at": at, "first": fmt.Sprint(first), "last": fmt.Sprint(last), "count": fmt.Sprint(count)},
	}
}

// TestRanges: an act is about as many blanks as it says, each where it says.
func TestRanges(t *testing.T) {
	o, _ := newOffice(t)
	for what, s := range map[string]ledgertest.Step{
		"too few":             blanks(o, issuance.Receive, "B-2", "here", 1, 10, 9),
		"too many":            blanks(o, issuance.Receive, "B-2", "here", 1, 10, 11),
		"backwards":           blanks(o, issuance.Receive, "B-2", "here", 10, 1, 0),
		"past the last":       blanks(o, issuance.Receive, "B-2", "here", issuance.MaxBlank, issuance.MaxBlank+1, 2),
		"a number with zeros": with(blanks(o, issuance.Receive, "B-2", "here", 1, 10, 10), map[string]string{"first": "01"}),
		"no number":           with(blanks(o, issuance.Receive, "B-2", "here", 1, 10, 10), map[string]string{"last": "x"}),
	} {
		refused(t, o, what, issuance.ErrEntry, s)
	}
	o.Must(t, with(blanks(o, issuance.Receive, "B-2", "here", 1, 10, 10), map[string]string{"transport": "t-1"}))
	refused(t, o, "with another transport key", issuance.ErrLink,
		with(blanks(o, issuance.Receive, "B-2", "here", 11, 20, 10), map[string]string{"transport": "t-2"}))
	refused(t, o, "moved to where they are", issuance.ErrEntry,
		with(blanks(o, issuance.Move, "B-2", "here", 1, 5, 5), map[string]string{"to": "here"}))
	refused(t, o, "received twice", issuance.ErrLink, blanks(o, issuance.Receive, "B-2", "here", 10, 12, 3))
	refused(t, o, "moved from elsewhere", issuance.ErrLink,
		with(blanks(o, issuance.Move, "B-2", "there", 1, 5, 5), map[string]string{"to": "here"}))
	missing := with(blanks(o, issuance.Spoil, "B-2", "here", 1, 2, 2), map[string]string{"reason": "missing"})
	refused(t, o, "missing, by one", issuance.ErrFourEyes, missing)
	destroy := blanks(o, issuance.Destroy, "B-2", "here", 3, 3, 1)
	destroy.Second = &o.KeeperMate
	refused(t, o, "destroyed while good", issuance.ErrLink, destroy)
}

// TestBlankOfACard: a card is made of a blank that is in stock where it is made.
func TestBlankOfACard(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, blanks(o, issuance.Receive, "B-2", "there", 1, 10, 10))
	o.Must(t, with(blanks(o, issuance.Spoil, "B-2", "there", 4, 4, 1), map[string]string{"reason": "damaged"}))
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	of := func(at string, number, claimed uint64) []ledgertest.Step {
		steps := o.Begin("A-1", "C-1")
		steps[1].Fields["batch"], steps[1].Fields["blank"], steps[1].Fields["at"] = "B-2", fmt.Sprint(number), at
		steps[1].Claims[1] = issuance.ClaimOfBlank("B-2", claimed)
		return steps
	}
	refused(t, o, "of a blank elsewhere", issuance.ErrLink, of("here", 1, 1)...)
	refused(t, o, "of a blank that was never received", issuance.ErrLink, of("there", 11, 11)...)
	refused(t, o, "of a spoiled blank", issuance.ErrLink, of("there", 4, 4)...)
	refused(t, o, "of another blank than it claims", issuance.ErrEntry, of("there", 1, 2)...)
	o.Must(t, of("there", 1, 1)...)
}

// TestDaysAddUp: a day is closed without a gap, once, and begins with what the last ended with.
func TestDaysAddUp(t *testing.T) {
	o, _ := newOffice(t)
	day := func(date string, opening, received, used, spoiled, moved, closing int) ledgertest.Step {
		return ledgertest.Step{
			Stream: issuance.StreamID{Kind: issuance.KindDay, ID: "here"}, Act: issuance.Close, By: o.Keeper,
			Fields: map[string]string{
				"closed": date, "opening": fmt.Sprint(opening), "received": fmt.Sprint(received), "used": fmt.Sprint(used),
				"spoiled": fmt.Sprint(spoiled), "moved": fmt.Sprint(moved), "closing": fmt.Sprint(closing),
			},
		}
	}
	refused(t, o, "a first day that begins with some", issuance.ErrGap, day("2026-03-02", 1, 10, 0, 0, 0, 11))
	refused(t, o, "one is gone", issuance.ErrGap, day("2026-03-02", 0, 10, 3, 1, 2, 3))
	refused(t, o, "one is too many", issuance.ErrGap, day("2026-03-02", 0, 10, 3, 1, 2, 5))
	refused(t, o, "no number", issuance.ErrEntry, with(day("2026-03-02", 0, 10, 3, 1, 2, 4), map[string]string{"used": "03"}))
	refused(t, o, "a number beyond all blanks", issuance.ErrEntry, with(day("2026-03-02", 0, 0, 0, 0, 0, 0), map[string]string{"received": "1152921504606846976"}))
	o.Must(t, day("2026-03-02", 0, 10, 3, 1, 2, 4))
	refused(t, o, "the same day again", issuance.ErrLink, day("2026-03-02", 4, 0, 0, 0, 0, 4))
	refused(t, o, "a day before", issuance.ErrLink, day("2026-03-01", 4, 0, 0, 0, 0, 4))
	refused(t, o, "counted on a day that is closed", issuance.ErrLink, ledgertest.Step{
		Stream: issuance.StreamID{Kind: issuance.KindDay, ID: "here"}, Act: issuance.Count, By: o.Keeper,
		Fields: map[string]string{"batch": "b-1", "day": "2026-03-02", "count": "4"},
	})
	refused(t, o, "begins with another number", issuance.ErrGap, day("2026-03-03", 5, 0, 0, 0, 0, 5))
	o.Must(t, day("2026-03-03", 4, 0, 0, 0, 0, 4))
}
