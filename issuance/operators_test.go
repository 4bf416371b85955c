package issuance_test

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

func TestOperators(t *testing.T) {
	o, m := newOffice(t)
	state, err := issuance.Load(t.Context(), m, issuance.OperatorStream(o.Clerk.ID))
	if err != nil {
		t.Fatal(err)
	}
	list := state.Operators()
	if len(list) != 3 || list[0].Name != "clerk" || list[1].Name != "mate" || list[2].Name != "root" {
		t.Errorf("%+v", list)
	}
	op, ok := state.Operator(o.Clerk.ID)
	if !ok || op.Key != o.Clerk.ID || op.Person != "p-5" || !op.May(issuance.Clerk) || op.May(issuance.Admin) {
		t.Errorf("%+v", op)
	}
	if _, ok := state.Operator(issuance.KeyID{1}); ok {
		t.Error("an unknown key is an operator")
	}
}

func TestOnlyEnrolledOperatorsAct(t *testing.T) {
	o, _ := newOffice(t)
	refused := func(what string, want error, steps ...ledgertest.Step) {
		t.Helper()
		if err := o.Do(t.Context(), steps...); !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	stranger := ledgertest.NewOfficer("stranger", "p-x", issuance.Admin, issuance.Registrar)
	s := o.Enrol("A-1", "ann", "")
	s.By = stranger
	refused("a stranger", issuance.ErrOperator, s)
	s.By = o.Approver
	refused("the wrong role", issuance.ErrRole, s)
	hire := o.Hire(stranger)
	hire.By, hire.Second = stranger, nil
	refused("a stranger enrols itself", issuance.ErrOperator, hire)
	hire.By, hire.Second = o.Root, &stranger
	refused("a stranger is the second of its own enrolment", issuance.ErrOperator, hire)
	hire = o.Hire(stranger)
	hire.By = o.Registrar
	refused("a registrar enrols", issuance.ErrRole, hire)
	hire = o.Hire(stranger)
	hire.Stream = issuance.OperatorStream(issuance.KeyID{1})
	refused("a key under another's name", issuance.ErrEntry, hire)
	for what, more := range map[string]issuance.Claim{
		"under two names": {Kind: issuance.HoldName, Value: "another"}, "with a card": {Kind: issuance.HoldCard, Value: "x"},
	} {
		hire = o.Hire(stranger)
		hire.Hold = append(hire.Hold, more)
		refused("enrolled "+what, issuance.ErrEntry, hire)
	}
	hire = o.Hire(stranger)
	hire.Fields["roles"] = "admin,king"
	refused("an unknown role", issuance.ErrEntry, hire)

	o.Must(t, o.Hire(stranger))
	revoke := ledgertest.Step{
		Stream: issuance.OperatorStream(stranger.ID), Act: issuance.Revoke, By: stranger, Second: &o.Mate,
		Fields: map[string]string{"reason": "left"}, Release: o.Hire(stranger).Hold,
	}
	refused("a key revokes itself", issuance.ErrFourEyes, revoke)
	s.By = stranger
	o.Must(t, s)
	revoke.By = o.Root
	o.Must(t, revoke)
	s = o.Enrol("A-2", "bob", "")
	s.By = stranger
	refused("a revoked operator", issuance.ErrOperator, s)
	if _, ok := errors.AsType[*issuance.TransitionError](o.Do(t.Context(), o.Hire(stranger))); !ok {
		t.Error("a revoked key is enrolled again")
	}
	o.Must(t, o.Approve("A-1")) // what was done before stands
}

func TestForgedSignatures(t *testing.T) {
	o, m := newOffice(t)
	o.Know(t, "ann", "bob")
	at, entries, err := o.Build(t.Context(), false, o.Enrol("A-1", "ann", ""))
	if err != nil {
		t.Fatal(err)
	}
	forge := func(what string, change func(*issuance.Entry)) {
		t.Helper()
		e := entries[0]
		change(&e)
		if err := m.Append(t.Context(), at, e); !errors.Is(err, issuance.ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	forge("another signature", func(e *issuance.Entry) { e.Signature = make([]byte, 64) })
	forge("another identity", func(e *issuance.Entry) { e.ID = issuance.NewID() })
	forge("another content", func(e *issuance.Entry) {
		e.Commitments = map[string][32]byte{issuance.Content: ledgertest.Commitment("x")}
	})
	forge("another person", func(e *issuance.Entry) { e.Hold = o.Enrol("A-1", "bob", "").Hold })
	forge("another attachment", func(e *issuance.Entry) {
		e.Attach = []issuance.Attachment{{Name: "person", Sealed: []byte("x")}}
	})
	forge("another operator", func(e *issuance.Entry) {
		mate := ledgertest.NewOfficer("colleague", "p-99", issuance.Registrar)
		o.Must(t, o.Hire(mate))
		e.Operator = mate.ID
	})
	if err := m.Append(t.Context(), at, entries...); err != nil {
		t.Error(err)
	}
	e := entries[0]
	if err := e.Sign(o.Approver.Key); !errors.Is(err, issuance.ErrOperator) {
		t.Errorf("signed by a key that the entry does not name: %v", err)
	}
}

func TestFirstEntry(t *testing.T) {
	m := memory{}
	o := ledgertest.NewOffice(t, m)
	for name, change := range map[string]func(*ledgertest.Step){
		"not an administrator": func(s *ledgertest.Step) { s.Fields["roles"] = "clerk" },
		"no log key":           func(s *ledgertest.Step) { delete(s.Fields, "logkey") },
	} {
		s := o.Init()
		change(&s[0])
		if err := o.Do(t.Context(), s...); !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := o.Init()
	s[0].By = o.Clerk
	if err := o.Do(t.Context(), s...); !errors.Is(err, issuance.ErrSignature) {
		t.Errorf("signed by another: %v", err)
	}
	s = o.Init()
	s[0].Second = &o.Mate
	if err := o.Do(t.Context(), s...); !errors.Is(err, issuance.ErrOperator) {
		t.Errorf("signed by a second, whom nobody enrolled: %v", err)
	}
	state := issuance.Begin(ledgertest.Origin)
	if _, err := state.Next(issuance.Card("C-1"), issuance.Allocate); err != nil {
		t.Error(err)
	}
	o.Found(t)
	other := ledgertest.NewOffice(t, m)
	other.Root = ledgertest.NewOfficer("usurper", "p-u", issuance.Admin)
	other.Mate = ledgertest.NewOfficer("accomplice", "p-v", issuance.Admin)
	err := other.Do(t.Context(), other.Init()...)
	if err != nil && !errors.Is(err, issuance.ErrLink) {
		t.Error(err)
	}
	if err == nil { // a ledger that only reads streams cannot know; whoever reads both does
		_, err := issuance.Load(t.Context(), m, issuance.OperatorStream(o.Root.ID), issuance.OperatorStream(other.Root.ID))
		if !errors.Is(err, issuance.ErrLink) {
			t.Errorf("two first entries: %v", err)
		}
	}
}

func TestNames(t *testing.T) {
	s := issuance.Card("C-1")
	if got, err := issuance.ParseStreamID(s.String()); err != nil || got != s {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"", "card", "card/", "/C-1", "Card/C-1", "card/C 1", "card/-1"} {
		if _, err := issuance.ParseStreamID(bad); !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	k := issuance.KeyID{1, 2}
	if got, err := issuance.ParseKeyID(k.String()); err != nil || got != k {
		t.Errorf("%v %v", got, err)
	}
	if _, err := issuance.ParseKeyID("00"); !errors.Is(err, issuance.ErrEntry) {
		t.Error(err)
	}
}

// TestStateDoesNotChange: Apply returns another state, and Head is what was read.
func TestStateDoesNotChange(t *testing.T) {
	o, _ := newOffice(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	app := issuance.Application("A-1")
	before, err := issuance.Load(t.Context(), o.Ledger, app, issuance.OperatorStream(o.Approver.ID))
	if err != nil {
		t.Fatal(err)
	}
	_, entries, err := o.Build(t.Context(), false, o.Approve("A-1"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := before.Apply(entries[0])
	if err != nil {
		t.Fatal(err)
	}
	if before.Subject(app).Phase != issuance.Enrolled || after.Subject(app).Phase != issuance.Approved {
		t.Error("Apply changed its receiver")
	}
	if before.Head()[app] != 1 || after.Head()[app] != 1 {
		t.Error("Apply moved the head")
	}
	sub := after.Subject(app)
	sub.Fields["doctype"] = "x"
	if after.Subject(app).Fields["doctype"] != "id-card" {
		t.Error("a subject is shared")
	}
	if _, err := before.Next(issuance.Card("C-1"), issuance.Allocate); !errors.Is(err, issuance.ErrLink) {
		t.Errorf("a stream that was not read: %v", err)
	}
}
