package issuance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// memory is a ledger in memory: the rules and nothing else.
type memory map[issuance.StreamID][]issuance.Entry

func (m memory) Stream(_ context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	return m[s], nil
}

func (m memory) Append(ctx context.Context, at issuance.Head, entries ...issuance.Entry) error {
	state, err := issuance.Load(ctx, m, issuance.About(entries...)...)
	for i := 0; err == nil && i < len(entries); i++ {
		state, err = state.Apply(entries[i])
	}
	if err == nil {
		err = state.Complete()
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		m[e.Stream] = append(m[e.Stream], e)
	}
	return nil
}

func newOffice(t *testing.T) (*ledgertest.Office, memory) {
	t.Helper()
	m := memory{}
	o := ledgertest.NewOffice(t, m)
	o.Found(t)
	return o, m
}

func phase(t *testing.T, o *ledgertest.Office, id issuance.StreamID) issuance.Phase {
	t.Helper()
	s, err := issuance.Load(t.Context(), o.Ledger, id)
	if err != nil {
		t.Fatal(err)
	}
	return s.Subject(id).Phase
}

func TestLifeOfACard(t *testing.T) {
	o, _ := newOffice(t)
	app, card := issuance.Application("A-1"), issuance.Card("C-1")
	at := func(a, c issuance.Phase) {
		t.Helper()
		if got := phase(t, o, app); got != a {
			t.Errorf("application is %q, not %q", got, a)
		}
		if got := phase(t, o, card); got != c {
			t.Errorf("card is %q, not %q", got, c)
		}
	}
	o.Must(t, o.Enrol("A-1", "ann", ""))
	at(issuance.Enrolled, issuance.Absent)
	o.Must(t, o.Approve("A-1"))
	at(issuance.Approved, issuance.Absent)
	o.Must(t, o.Begin("A-1", "C-1")...)
	at(issuance.Personalising, issuance.Allocated)
	phases := []issuance.Phase{
		issuance.Rotating, issuance.Keyed, issuance.Prepared, issuance.Signed,
		issuance.Writing, issuance.Written, issuance.Locking, issuance.Locked,
	}
	for i, s := range o.Journal("A-1", "C-1") {
		o.Must(t, s)
		at(issuance.Personalising, phases[i])
	}
	o.Must(t, o.Check("C-1"))
	at(issuance.Personalising, issuance.Checked)
	o.Must(t, o.Deliver("A-1", "C-1", "ann", "")...)
	at(issuance.Issued, issuance.Active)

	o.IssueCard(t, "A-2", "C-2", "ann", "C-1")
	at(issuance.Issued, issuance.Superseded)
}

// supersedeNone leaves out the step that takes an old card out of force.
func supersedeNone(steps []ledgertest.Step) []ledgertest.Step {
	return slices.DeleteFunc(steps, func(s ledgertest.Step) bool { return s.Act == issuance.Supersede })
}

func TestReplacingARevokedCardSupersedesNothing(t *testing.T) {
	o, _ := newOffice(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	o.Must(t, o.Revoke("C-1", "ann"))
	o.MakeCard(t, "A-2", "C-2", "ann", "C-1")
	o.Must(t, supersedeNone(o.Deliver("A-2", "C-2", "ann", "C-1"))...)
}

// TestRepeats: what a cut may leave behind may be done again; what must happen once may not.
func TestRepeats(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	o.Must(t, o.Begin("A-1", "C-1")...)
	again := map[issuance.Act]bool{issuance.Rotate: true, issuance.Generate: true, issuance.Write: true, issuance.Lock: true}
	for _, s := range o.Journal("A-1", "C-1") {
		o.Must(t, s)
		err := o.Do(t.Context(), s)
		if _, refused := errors.AsType[*issuance.TransitionError](err); again[s.Act] != (err == nil) || !again[s.Act] && !refused {
			t.Errorf("%s again: %v", s.Act, err)
		}
	}
}

func TestTransitionErrorSaysWhatIsPossible(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	err := o.Do(t.Context(), o.Approve("A-1"))
	e, ok := errors.AsType[*issuance.TransitionError](err)
	if !ok {
		t.Fatal(err)
	}
	want := []issuance.Act{issuance.Change, issuance.Reject, issuance.Cancel, issuance.Personalise}
	if e.Phase != issuance.Approved || e.Act != issuance.Approve || !slices.Equal(e.Possible, want) {
		t.Errorf("%+v", e)
	}
	if got := e.Error(); got != "application A-1 is approved: approve is not possible (possible: change, reject, cancel, personalise)" {
		t.Error(got)
	}
	err = o.Do(t.Context(), o.Check("C-404"))
	if err == nil || !strings.Contains(err.Error(), "card C-404 is not there: check is not possible (possible: allocate, recall)") {
		t.Error(err)
	}
}

func TestFourEyes(t *testing.T) {
	o, _ := newOffice(t)
	// one person with two keys and every role, and another key of the inspector's person
	all := []issuance.Role{issuance.Registrar, issuance.Approver, issuance.Personaliser, issuance.Signer, issuance.Inspector, issuance.Clerk}
	one, two := ledgertest.NewOfficer("bo-1", "p-bo", all...), ledgertest.NewOfficer("bo-2", "p-bo", all...)
	o.Must(t, o.Hire(one), o.Hire(two))
	by := func(f ledgertest.Officer, s ledgertest.Step) ledgertest.Step { s.By = f; return s }
	refused := func(what string, steps ...ledgertest.Step) {
		t.Helper()
		if err := o.Do(t.Context(), steps...); !errors.Is(err, issuance.ErrFourEyes) {
			t.Errorf("%s: %v", what, err)
		}
	}

	o.Must(t, by(one, o.Enrol("A-1", "ann", "")))
	refused("approver = registrar", by(one, o.Approve("A-1")))
	refused("approver = registrar, by another key", by(two, o.Approve("A-1")))

	o.Must(t, o.Enrol("A-2", "eve", ""))
	change := ledgertest.Step{Stream: issuance.Application("A-2"), Act: issuance.Change, By: one, Made: "A-2"}
	o.Must(t, change)
	refused("approver changed it", by(two, o.Approve("A-2")))
	change.By = o.Registrar
	o.Must(t, change)
	refused("approver changed it before another did", by(two, o.Approve("A-2")))
	o.Must(t, o.Approve("A-2"))

	o.Must(t, o.Enrol("A-3", "joe", ""))
	o.Must(t, by(one, o.Approve("A-3")))
	begin := o.Begin("A-3", "C-3")
	refused("personaliser = approver", by(two, begin[0]), by(two, begin[1]))
	refused("personaliser = approver, second half", begin[0], by(two, begin[1]))
	o.Must(t, begin...)
	journal := o.Journal("A-3", "C-3")
	refused("approver goes on", by(two, journal[0]))
	o.Must(t, journal[0])
	o.Must(t, by(o.Personaliser, journal[1]))

	o.Must(t, o.Begin("A-2", "C-2")...)
	for _, s := range o.Journal("A-2", "C-2") {
		if s.Act == issuance.Write {
			s.By = one
		}
		o.Must(t, s)
	}
	refused("inspector wrote the files", by(two, o.Check("C-2")))
	o.Must(t, o.Check("C-2"))
}

func TestTwoSignatures(t *testing.T) {
	o, _ := newOffice(t)
	mate := ledgertest.NewOfficer("colleague", "p-99", issuance.Registrar)
	same := ledgertest.NewOfficer("same", o.Registrar.Person, issuance.Registrar)
	o.Must(t, o.Hire(mate), o.Hire(same))
	s := o.Enrol("A-1", "ann", "")
	s.Second = &same
	if err := o.Do(t.Context(), s); !errors.Is(err, issuance.ErrFourEyes) {
		t.Errorf("two keys of one person: %v", err)
	}
	s.Second = &o.Approver
	if err := o.Do(t.Context(), s); !errors.Is(err, issuance.ErrRole) {
		t.Errorf("second without the role: %v", err)
	}
	s.Second = &mate
	o.Must(t, s)
	state, err := issuance.Load(t.Context(), o.Ledger, s.Stream)
	if err != nil {
		t.Fatal(err)
	}
	if got := state.Subject(s.Stream).Actors[issuance.Enrol]; len(got) != 2 {
		t.Errorf("%d actors", len(got))
	}
}

func TestContent(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	swapped := o.Approve("A-1")
	swapped.Made = "another portrait"
	if err := o.Do(t.Context(), swapped); !errors.Is(err, issuance.ErrChanged) {
		t.Errorf("approved something else: %v", err)
	}
	o.Must(t, o.Approve("A-1"))
	change := ledgertest.Step{Stream: issuance.Application("A-1"), Act: issuance.Change, By: o.Registrar, Made: "another portrait"}
	o.Must(t, change)
	if _, ok := errors.AsType[*issuance.TransitionError](o.Do(t.Context(), o.Begin("A-1", "C-1")...)); !ok {
		t.Error("a change did not void the approval")
	}
	o.Must(t, swapped)
	if err := o.Do(t.Context(), o.Begin("A-1", "C-1")...); !errors.Is(err, issuance.ErrChanged) {
		t.Errorf("made what was approved before: %v", err)
	}
	begin := o.Begin("A-1", "C-1")
	begin[0].Made = "another portrait"
	if err := o.Do(t.Context(), begin...); !errors.Is(err, issuance.ErrChanged) {
		t.Errorf("allocated for something else: %v", err)
	}
	begin[1].Made = "another portrait"
	o.Must(t, begin...)
	journal := o.Journal("A-1", "C-1")
	o.Must(t, journal[0])
	o.Must(t, journal[1])
	if err := o.Do(t.Context(), journal[2]); !errors.Is(err, issuance.ErrChanged) {
		t.Errorf("prepared something else: %v", err)
	}
	journal[2].Made = "another portrait"
	o.Must(t, journal[2])
	journal[3].Fields["cardid"] = ledgertest.Digest("another")
	if err := o.Do(t.Context(), journal[3]); !errors.Is(err, issuance.ErrChanged) {
		t.Errorf("signed something else: %v", err)
	}
}
