package issuance_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// older writes what a program of rule book 1 would have: one administrator, and another
// operator of a role. It asks no rules, for nothing is written under book 1 any more.
func older(t *testing.T, roles ...issuance.Role) (*ledgertest.Office, memory, []issuance.Entry) {
	t.Helper()
	m := memory{}
	o := ledgertest.NewOffice(t, m)
	first := o.Init()[0]
	delete(first.Fields, "with")
	second := o.Hire(ledgertest.NewOfficer("old", "p-old", roles...))
	second.Second = nil
	_, entries, err := o.Build(t.Context(), true, first, second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		entries[i].Rules = 1
		if err := entries[i].Sign(o.Root.Key); err != nil {
			t.Fatal(err)
		}
		m[entries[i].Stream] = append(m[entries[i].Stream], entries[i])
	}
	return o, m, entries
}

// audit judges entries as whoever holds the whole log does, and gives what is wrong.
func audit(entries ...issuance.Entry) (found []error) {
	hashes := make([][32]byte, len(entries))
	for i, e := range entries {
		leaf, err := e.Leaf()
		if err != nil {
			return []error{err}
		}
		hashes[i] = issuance.LeafHash(leaf)
	}
	issuance.NewBook(ledgertest.Origin).Audit(entries, hashes, func(_ int, err error) { found = append(found, err) })
	return found
}

// TestBooks: entries of book 1 are good history, nothing new is written under it, and a log
// that went on to book 2 never goes back.
func TestBooks(t *testing.T) {
	o, m, old := older(t, issuance.Registrar)
	if found := audit(old...); found != nil {
		t.Errorf("an older log: %v", found)
	}
	if _, err := issuance.Load(t.Context(), m, old[1].Stream); err != nil {
		t.Error(err)
	}
	third := o.Hire(ledgertest.NewOfficer("third", "p-3rd", issuance.Clerk))
	third.Second = nil
	_, late, err := o.Build(t.Context(), true, third)
	if err != nil {
		t.Fatal(err)
	}
	e := late[0]
	for rules, want := range map[uint16]error{1: issuance.ErrEntry, 2: issuance.ErrFourEyes, 3: issuance.ErrEntry, 0: issuance.ErrEntry} {
		e.Rules = rules
		if err := e.Sign(o.Root.Key); err != nil {
			t.Fatal(err)
		}
		if err := m.Append(t.Context(), nil, e); !errors.Is(err, want) {
			t.Errorf("book %d appended: %v", rules, err)
		}
		if found := audit(append(slices.Clone(old), e)...); rules != 1 && (len(found) != 1 || !errors.Is(found[0], want)) {
			t.Errorf("book %d audited: %v", rules, found)
		}
	}

	_, pair, err := o.Build(t.Context(), true, pairSteps(o, o.Mate)...)
	if err != nil {
		t.Fatal(err)
	}
	if found := audit(append(slices.Clone(old), pair...)...); found != nil {
		t.Errorf("book 2 after book 1: %v", found)
	}
	e.Rules = 1
	if err := e.Sign(o.Root.Key); err != nil {
		t.Fatal(err)
	}
	if found := audit(append(append(slices.Clone(old), pair...), e)...); len(found) != 1 || !errors.Is(found[0], issuance.ErrEntry) {
		t.Errorf("book 1 after book 2: %v", found)
	}
}

// pairSteps let the only administrator of an older log take a second one.
func pairSteps(o *ledgertest.Office, second ledgertest.Officer) []ledgertest.Step {
	enrol := o.Hire(second)
	enrol.Second = &second
	return []ledgertest.Step{
		{
			Stream: issuance.OperatorStream(o.Root.ID), Act: issuance.Pair, By: o.Root,
			Fields: map[string]string{"with": second.ID.String()},
		},
		enrol,
	}
}

// pair appends, knowing all operators as a store does.
func pair(t *testing.T, m memory, o *ledgertest.Office, steps ...ledgertest.Step) error {
	t.Helper()
	_, entries, err := o.Build(t.Context(), true, steps...)
	if err != nil {
		t.Fatal(err)
	}
	return m.appendKnowing(t.Context(), entries...)
}

func (m memory) appendKnowing(ctx context.Context, entries ...issuance.Entry) error {
	var all []issuance.StreamID
	for id := range m {
		if id.Kind == issuance.KindOperator {
			all = append(all, id)
		}
	}
	state, err := issuance.LoadAll(ctx, m, issuance.KindOperator, all, issuance.About(entries...)...)
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

// TestPair: the only administrator of an older log takes a second one, once, and nobody
// else gets in that way.
func TestPair(t *testing.T) {
	o, m, _ := older(t, issuance.Registrar)
	steps := pairSteps(o, o.Mate)
	refused := func(what string, want error, steps ...ledgertest.Step) {
		t.Helper()
		if err := pair(t, m, o, steps...); !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("alone", issuance.ErrLink, steps[0])
	refused("without the act", issuance.ErrOperator, steps[1])
	same := ledgertest.NewOfficer("same", o.Root.Person, issuance.Admin)
	refused("with another key of one's own", issuance.ErrFourEyes, pairSteps(o, same)...)
	clerk := ledgertest.NewOfficer("clerk", "p-5", issuance.Clerk)
	refused("with somebody who is no administrator", issuance.ErrRole, pairSteps(o, clerk)...)
	another := pairSteps(o, o.Mate)
	another[0].Stream = issuance.OperatorStream(ledgertest.NewOfficer("old", "p-old").ID)
	refused("in the name of another operator", issuance.ErrOperator, another...)
	registrar := pairSteps(o, o.Mate)
	old := ledgertest.NewOfficer("old", "p-old", issuance.Registrar)
	registrar[0].By, registrar[0].Stream = old, issuance.OperatorStream(old.ID)
	refused("by a registrar", issuance.ErrRole, registrar...)
	unsigned := pairSteps(o, o.Mate)
	unsigned[1].Second = nil
	refused("not signed by the second", issuance.ErrFourEyes, unsigned...)

	_, entries, err := o.Build(t.Context(), true, steps...)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Append(t.Context(), nil, entries...); !errors.Is(err, issuance.ErrLink) {
		t.Errorf("judged by somebody who does not know every operator: %v", err)
	}
	if err := pair(t, m, o, steps...); err != nil {
		t.Fatal(err)
	}
	o.Must(t, o.Hire(o.Clerk)) // from now on by two
	refused("again", issuance.ErrFourEyes, pairSteps(o, ledgertest.NewOfficer("x", "p-x", issuance.Admin))...)

	// A log with two administrators of book 1 is not for one of them.
	o, m, _ = older(t, issuance.Admin)
	refused = func(what string, want error, steps ...ledgertest.Step) {
		t.Helper()
		if err := pair(t, m, o, steps...); !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("beside another administrator", issuance.ErrFourEyes, pairSteps(o, o.Mate)...)
}

// TestFounders: a log begins with two administrators, two persons, or not at all.
func TestFounders(t *testing.T) {
	o := ledgertest.NewOffice(t, memory{})
	for what, c := range map[string]struct {
		change func(steps []ledgertest.Step) []ledgertest.Step
		want   error
	}{
		"one":            {func(s []ledgertest.Step) []ledgertest.Step { return s[:1] }, issuance.ErrLink},
		"nobody is with": {func(s []ledgertest.Step) []ledgertest.Step { delete(s[0].Fields, "with"); return s[:1] }, issuance.ErrEntry},
		"another than named": {func(s []ledgertest.Step) []ledgertest.Step {
			other := ledgertest.NewOfficer("other", "p-o", issuance.Admin)
			hire := o.Hire(other)
			hire.Second = &other
			return []ledgertest.Step{s[0], hire}
		}, issuance.ErrOperator},
		"one person": {func(s []ledgertest.Step) []ledgertest.Step {
			s[1].Fields["person"] = o.Root.Person
			return s
		}, issuance.ErrFourEyes},
		"no administrator": {func(s []ledgertest.Step) []ledgertest.Step {
			s[1].Fields["roles"] = "clerk"
			return s
		}, issuance.ErrRole},
		"not signed by the second": {func(s []ledgertest.Step) []ledgertest.Step { s[1].Second = nil; return s }, issuance.ErrFourEyes},
	} {
		if err := o.Do(t.Context(), c.change(o.Init())...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	o.Must(t, o.Init()...)
}

// TestBook1Links: what tied streams together under book 1 still judges its entries: an older
// log in which somebody went around it is found out.
func TestBook1Links(t *testing.T) {
	o, m, log := older(t, issuance.Registrar)
	for _, f := range []ledgertest.Officer{o.Registrar, o.Approver, o.Personaliser, o.Inspector, o.Clerk, o.Revoker, o.Custodian} {
		log = before(t, o, m, log, o.Hire(f))
	}
	o.Signer = o.Personaliser
	key := o.Certify("ds-001", "5")
	delete(key[1].Fields, "cap")
	log = before(t, o, m, log, key...)
	found := func(what string, want error, log []issuance.Entry) {
		t.Helper()
		if list := audit(log...); len(list) == 0 || !errors.Is(list[0], want) {
			t.Errorf("%s: %v, not %v", what, list, want)
		}
	}
	// each wrong turn is taken in a copy of the ledger
	astray := func(steps ...ledgertest.Step) []issuance.Entry {
		return before(t, o, maps.Clone(m), slices.Clone(log), steps...)
	}
	made := func(app, card, person, replaces string) {
		t.Helper()
		log = before(t, o, m, log, o.Enrol(app, person, replaces), o.Approve(app))
		log = before(t, o, m, log, o.Begin(app, card)...)
		log = before(t, o, m, log, o.Journal(app, card)...)
	}
	found("a key that revokes itself", issuance.ErrFourEyes, astray(ledgertest.Step{
		Stream: issuance.OperatorStream(o.Root.ID), Act: issuance.Revoke, By: o.Root, Fields: map[string]string{"reason": "left"},
		Release: []issuance.Claim{{Kind: issuance.HoldName, Value: o.Root.Name}},
	}))

	made("A-1", "C-1", "ann", "")
	log = before(t, o, m, log, o.Check("C-1"))
	stolen := o.Deliver("A-1", "C-1", "eve", "")
	stolen[1].Release = oldHold(issuance.HoldApplication, "ann")
	found("delivered to another person", issuance.ErrLink, astray(stolen[0]))
	log = before(t, o, m, log, o.Deliver("A-1", "C-1", "ann", "")...)
	if list := audit(log...); list != nil {
		t.Fatalf("nothing was wrong: %v", list)
	}
	found("replaces another person's card", issuance.ErrLink, astray(o.Enrol("A-2", "bob", "C-1")))
	made("A-2", "C-2", "ann", "C-1")
	found("superseded by a card that was not checked", issuance.ErrLink, astray(o.Deliver("A-2", "C-2", "ann", "C-1")[0]))
	log = before(t, o, m, log, o.Check("C-2"))
	found("delivered beside the card that it replaces", issuance.ErrLink, astray(supersedeNone(o.Deliver("A-2", "C-2", "ann", "C-1"))...))
	log = before(t, o, m, log, o.Deliver("A-2", "C-2", "ann", "C-1")...)
	if list := audit(log...); list != nil {
		t.Errorf("nothing was wrong: %v", list)
	}
}

// TestTwoFirstEntries: whoever holds the whole log finds a second foundation in it.
func TestTwoFirstEntries(t *testing.T) {
	_, _, log := older(t, issuance.Registrar)
	other := ledgertest.NewOffice(t, memory{})
	other.Root = ledgertest.NewOfficer("usurper", "p-u", issuance.Admin)
	_, entries, err := other.Build(t.Context(), true, other.Init()...)
	if err != nil {
		t.Fatal(err)
	}
	if list := audit(append(slices.Clone(log), entries[0])...); len(list) == 0 || !errors.Is(list[0], issuance.ErrLink) {
		t.Errorf("%v", list)
	}
}
