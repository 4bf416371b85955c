package issuance_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// oldHold is how a person was known under book 1: by the keyed hash of the number alone.
func oldHold(kind issuance.ClaimKind, person string) []issuance.Claim {
	return slices.DeleteFunc(ledgertest.Holder(kind, person), func(c issuance.Claim) bool { return c.Value == "P-"+person+":id-card" })
}

// asBook1 makes of steps those that a program of book 1 would have done.
func asBook1(steps ...ledgertest.Step) []ledgertest.Step {
	for i := range steps {
		s := &steps[i]
		for _, name := range []string{"subject", "ordinal", "evidence", "batch", "blank", "at", "withdrawn"} {
			delete(s.Fields, name)
		}
		if s.Act == issuance.Deliver {
			delete(s.Fields, "holder")
		}
		drop := func(list []issuance.Claim) []issuance.Claim {
			return slices.DeleteFunc(slices.Clone(list), func(c issuance.Claim) bool {
				return c.Kind == issuance.ClaimUse || c.Kind == issuance.ClaimBlank || len(c.Value) > 2 && c.Value[:2] == "P-"
			})
		}
		s.Claims, s.Hold, s.Release, s.Second = drop(s.Claims), drop(s.Hold), drop(s.Release), nil
	}
	return steps
}

// before writes steps under book 1, unjudged, and gives the whole log so far.
func before(t *testing.T, o *ledgertest.Office, m memory, log []issuance.Entry, steps ...ledgertest.Step) []issuance.Entry {
	t.Helper()
	for _, s := range asBook1(steps...) {
		_, entries, err := o.Build(t.Context(), true, s)
		if err != nil {
			t.Fatal(err)
		}
		e := entries[0]
		e.Rules = 1
		if err := e.Sign(s.By.Key); err != nil {
			t.Fatal(err)
		}
		m[e.Stream] = append(m[e.Stream], e)
		log = append(log, e)
	}
	return log
}

// TestOldLedgerGoesOn: a ledger that book 1 left, with a card in force and one in the
// making, goes on under book 2: the holder keeps one card, and is known by the same number.
func TestOldLedgerGoesOn(t *testing.T) {
	o, m, log := older(t, issuance.Registrar)
	for _, f := range []ledgertest.Officer{o.Registrar, o.Approver, o.Personaliser, o.Signer, o.Inspector, o.Clerk, o.Custodian} {
		hire := o.Hire(f)
		if f.Name == "signer" { // book 1 knows no such role
			continue
		}
		log = before(t, o, m, log, hire)
	}
	key := o.Certify("ds-001", "5")
	delete(key[1].Fields, "cap")
	log = before(t, o, m, log, key...)
	old := *o
	old.Signer = o.Personaliser
	make1 := func(app, card, person string, journal int) {
		t.Helper()
		log = before(t, &old, m, log, old.Enrol(app, person, ""), old.Approve(app))
		log = before(t, &old, m, log, old.Begin(app, card)...)
		log = before(t, &old, m, log, old.Journal(app, card)[:journal]...)
	}
	make1("A-1", "C-1", "ann", 8)
	log = before(t, &old, m, log, old.Check("C-1"))
	log = before(t, &old, m, log, old.Deliver("A-1", "C-1", "ann", "")...)
	make1("A-2", "C-2", "bob", 2) // its keys are made, nothing is signed yet
	if found := audit(log...); found != nil {
		t.Fatalf("an older log: %v", found)
	}

	if err := pair(t, m, o, pairSteps(o, o.Mate)...); err != nil {
		t.Fatal(err)
	}
	o.Must(t, o.Hire(o.Signer), o.Hire(o.CustodianMate), o.Hire(o.Keeper))
	o.Must(t, o.Stock()...)

	// bob's card is finished under the new rules; the old document signer has a cap by now
	for _, s := range o.Journal("A-2", "C-2")[2:] {
		if s.Act == issuance.Prepare {
			for n, want := range map[string]error{"ds-001:100001": issuance.ErrCap, "ds-001:0": issuance.ErrEntry, "ds-002:1": issuance.ErrEntry} {
				s.Claims[1].Value = n
				if err := o.Do(t.Context(), s); !errors.Is(err, want) {
					t.Errorf("use %s: %v", n, err)
				}
			}
			s.Claims[1].Value = "ds-001:1"
		}
		o.Must(t, s)
	}
	o.Must(t, o.Check("C-2"))
	deliver := o.Deliver("A-2", "C-2", "bob", "")
	deliver[0].Hold, deliver[1].Release = oldHold(issuance.HoldCard, "bob"), oldHold(issuance.HoldApplication, "bob")
	o.Must(t, deliver...)

	// ann is registered now; what she applies for holds what her old card does, so that a
	// store lets her have no second one
	enrol := o.Enrol("A-3", "ann", "")
	if !slices.Contains(enrol.Hold, oldHold(issuance.HoldApplication, "ann")[0]) {
		t.Error("the old hold is not met")
	}
	linked(t, o, "somebody else replaces her card", o.Enrol("A-4", "eve", "C-1"))
	o.Must(t, o.Enrol("A-3", "ann", "C-1"))
	o.Must(t, o.Approve("A-3"))
	o.Must(t, o.Begin("A-3", "C-3")...)
	for _, s := range o.Journal("A-3", "C-3") {
		if s.Act == issuance.Prepare {
			s.Claims[1].Value = "ds-001:2"
		}
		o.Must(t, s)
	}
	o.Must(t, o.Check("C-3"))
	hand := o.Deliver("A-3", "C-3", "ann", "C-1")
	hand[0].Release = oldHold(issuance.HoldCard, "ann")
	o.Must(t, hand...)
	if got := phase(t, o, issuance.Card("C-1")); got != issuance.Superseded {
		t.Error(got)
	}
}

// TestReplays: what was signed once is good for that one place in the log only, and two
// signatures are two persons' own.
func TestReplays(t *testing.T) {
	o, m := newOffice(t)
	o.Know(t, "ann", "bob")
	o.Must(t, o.Enrol("A-1", "ann", ""))
	at, approval, err := o.Build(t.Context(), false, o.Approve("A-1"))
	if err != nil {
		t.Fatal(err)
	}
	change := ledgertest.Step{Stream: issuance.Application("A-1"), Act: issuance.Change, By: o.Registrar, Made: "another portrait"}
	o.Must(t, change)
	if err := m.Append(t.Context(), at, approval...); !errors.Is(err, issuance.ErrConflict) {
		t.Errorf("an approval from before a change: %v", err)
	}
	moved := approval[0]
	moved.Seq++
	moved.Prev = func() [32]byte {
		s, _ := issuance.Load(t.Context(), m, moved.Stream)
		return s.Subject(moved.Stream).Last
	}()
	if err := m.Append(t.Context(), nil, moved); !errors.Is(err, issuance.ErrSignature) {
		t.Errorf("moved behind the change: %v", err)
	}
	o.Must(t, o.Enrol("A-2", "bob", ""))
	other := approval[0]
	other.Stream = issuance.Application("A-2")
	if err := m.Append(t.Context(), nil, other); err == nil {
		t.Error("an approval of one application approved another")
	}

	// two persons, by their own signatures
	certify := o.Certify("ds-002", "5")[:1]
	_, entries, err := o.Build(t.Context(), false, certify...)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		change func(e *issuance.Entry)
		want   error
	}{
		"the second's is the first's":  {func(e *issuance.Entry) { e.SecondSignature = e.Signature }, issuance.ErrSignature},
		"the second's is of octets":    {func(e *issuance.Entry) { e.SecondSignature = make([]byte, 64) }, issuance.ErrSignature},
		"they changed places":          {func(e *issuance.Entry) { e.Signature, e.SecondSignature = e.SecondSignature, e.Signature }, issuance.ErrSignature},
		"the second is somebody else":  {func(e *issuance.Entry) { e.Second = o.KeeperMate.ID }, issuance.ErrRole},
		"the second is left out":       {func(e *issuance.Entry) { e.Second, e.SecondSignature = issuance.KeyID{}, nil }, issuance.ErrFourEyes},
		"it was signed for another ID": {func(e *issuance.Entry) { e.ID = issuance.NewID() }, issuance.ErrSignature},
	} {
		e := entries[0]
		c.change(&e)
		if err := m.Append(t.Context(), nil, e); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	same := ledgertest.NewOfficer("same", o.Custodian.Person, issuance.Custodian)
	o.Must(t, o.Hire(same))
	certify[0].Second = &same
	if err := o.Do(t.Context(), certify...); !errors.Is(err, issuance.ErrFourEyes) {
		t.Errorf("two keys of one person: %v", err)
	}
}
