package issuance_test

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// linked expects a refusal because streams disagree.
func linked(t *testing.T, o *ledgertest.Office, what string, steps ...ledgertest.Step) {
	t.Helper()
	if err := o.Do(t.Context(), steps...); !errors.Is(err, issuance.ErrLink) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestHalves: acts that go together are refused alone.
func TestHalves(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	begin := o.Begin("A-1", "C-1")
	linked(t, o, "personalise without a card", begin[0])
	linked(t, o, "allocate without the application", begin[1])
	linked(t, o, "the halves in the wrong order", begin[1], begin[0])
	o.Must(t, begin...)
	for _, s := range o.Journal("A-1", "C-1") {
		o.Must(t, s)
	}
	o.Must(t, o.Check("C-1"))
	deliver := o.Deliver("A-1", "C-1", "ann", "")
	linked(t, o, "deliver without closing the application", deliver[0])
	linked(t, o, "close the application without delivery", deliver[1])
	o.Must(t, deliver...)

	o.MakeCard(t, "A-2", "C-2", "ann", "C-1")
	deliver = o.Deliver("A-2", "C-2", "ann", "C-1")
	linked(t, o, "supersede alone", deliver[0])
	linked(t, o, "deliver without superseding", deliver[1:]...)
	o.Must(t, deliver...)
}

func TestForeignStreams(t *testing.T) {
	o, _ := newOffice(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	o.IssueCard(t, "A-2", "C-2", "bob", "")
	linked(t, o, "replace another person's card", o.Enrol("A-3", "bob", "C-1"))
	linked(t, o, "replace a card that is not there", o.Enrol("A-3", "bob", "C-404"))
	o.Must(t, o.Revoke("C-1", "ann"))
	linked(t, o, "replace another person's revoked card", o.Enrol("A-3", "bob", "C-1"))

	o.MakeCard(t, "A-3", "C-3", "ann", "C-1")
	stranger := o.Deliver("A-3", "C-3", "bob", "C-2")
	linked(t, o, "supersede a card that it was not made for", stranger...)

	o.Must(t, o.Enrol("A-4", "eve", ""))
	o.Must(t, o.Approve("A-4"))
	begin := o.Begin("A-4", "C-4")
	begin[1].Fields["application"] = "A-3"
	linked(t, o, "allocate for another application", begin...)
}

// TestSecondCard: an application may get another card only when the first is spoiled.
func TestSecondCard(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	o.Must(t, o.Begin("A-1", "C-1")...)
	linked(t, o, "two cards for one application", o.Begin("A-1", "C-2")...)
	cancel := ledgertest.Step{
		Stream: issuance.Application("A-1"), Act: issuance.Cancel, By: o.Registrar,
		Fields:  map[string]string{"reason": "withdrawn"},
		Release: o.Enrol("A-1", "ann", "").Hold,
	}
	linked(t, o, "cancel with a card in the making", cancel)
	spoil := ledgertest.Step{
		Stream: issuance.Card("C-1"), Act: issuance.Spoil, By: o.Personaliser,
		Fields: map[string]string{"reason": "torn"},
	}
	o.Must(t, spoil)
	o.Must(t, o.Begin("A-1", "C-2")...)
	spoil.Stream = issuance.Card("C-2")
	o.Must(t, spoil)
	o.Must(t, cancel)
	if _, ok := errors.AsType[*issuance.TransitionError](o.Do(t.Context(), o.Begin("A-1", "C-3")...)); !ok {
		t.Error("a cancelled application gets a card")
	}
}

// TestMustCarry: what an act must bring along is required, and nothing else is taken.
func TestMustCarry(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-0", "zoe", ""))
	o.Know(t, "ann")
	for name, change := range map[string]func(*ledgertest.Step){
		"no document type":     func(s *ledgertest.Step) { delete(s.Fields, "doctype") },
		"an unknown field":     func(s *ledgertest.Step) { s.Fields["surname"] = "nguyen" },
		"a name in a field":    func(s *ledgertest.Step) { s.Fields["reason"] = "NguyenVanAn" },
		"no commitment":        func(s *ledgertest.Step) { s.Made = "" },
		"no hold":              func(s *ledgertest.Step) { s.Hold = nil },
		"another hold":         func(s *ledgertest.Step) { s.Hold[0].Kind = issuance.HoldCard },
		"half of its holds":    func(s *ledgertest.Step) { s.Hold = s.Hold[:1] },
		"two holds":            func(s *ledgertest.Step) { s.Hold = append(s.Hold, issuance.Claim{Kind: issuance.HoldCard, Value: "x"}) },
		"a claim":              func(s *ledgertest.Step) { s.Claims = []issuance.Claim{{Kind: issuance.ClaimChip, Value: "x"}} },
		"a release":            func(s *ledgertest.Step) { s.Release = s.Hold },
		"a name of a stranger": func(s *ledgertest.Step) { s.Stream.ID = "Nguyễn" },
	} {
		s := o.Enrol("A-1", "ann", "")
		change(&s)
		if err := o.Do(t.Context(), s); !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	approve := o.Approve("A-0")
	approve.Release = o.Enrol("A-0", "zoe", "").Hold
	if err := o.Do(t.Context(), approve); !errors.Is(err, issuance.ErrEntry) {
		t.Errorf("approve gives the person up: %v", err)
	}
}

func TestVerdict(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	o.Must(t, o.Approve("A-1"))
	o.Must(t, o.Begin("A-1", "C-1")...)
	for _, s := range o.Journal("A-1", "C-1") {
		o.Must(t, s)
	}
	for _, verdict := range []string{"", "refer", "refuse"} {
		s := o.Check("C-1")
		s.Fields["verdict"] = verdict
		if verdict == "" {
			delete(s.Fields, "verdict")
		}
		if err := o.Do(t.Context(), s); !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("verdict %q: %v", verdict, err)
		}
	}
	s := o.Check("C-1")
	delete(s.Fields, "report")
	if err := o.Do(t.Context(), s); !errors.Is(err, issuance.ErrEntry) {
		t.Errorf("no report: %v", err)
	}
	if _, ok := errors.AsType[*issuance.TransitionError](o.Do(t.Context(), o.Deliver("A-1", "C-1", "ann", "")...)); !ok {
		t.Error("a card that was not checked is delivered")
	}
}

func TestSuspend(t *testing.T) {
	o, _ := newOffice(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	act := func(a issuance.Act) ledgertest.Step {
		reason := map[issuance.Act]string{issuance.Suspend: "detention", issuance.Resume: "released"}[a]
		return ledgertest.Step{Stream: issuance.Card("C-1"), Act: a, By: o.Revoker, Fields: map[string]string{"reason": reason}}
	}
	o.Must(t, act(issuance.Suspend))
	o.Must(t, act(issuance.Resume))
	o.Must(t, act(issuance.Suspend))
	o.Must(t, o.Revoke("C-1", "ann"))
	if _, ok := errors.AsType[*issuance.TransitionError](o.Do(t.Context(), act(issuance.Resume))); !ok {
		t.Error("a revoked card is resumed")
	}
	keep := o.Revoke("C-1", "ann")
	keep.Release = nil
	o.IssueCard(t, "A-2", "C-2", "bob", "")
	keep.Stream = issuance.Card("C-2")
	if err := o.Do(t.Context(), keep); !errors.Is(err, issuance.ErrEntry) {
		t.Errorf("revoked and still held: %v", err)
	}
}
