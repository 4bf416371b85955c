package ledgertest

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/issuance"
)

func testFirst(t *testing.T, b *bench) {
	o := b.office
	first := o.Init()[0]
	first.Act = issuance.Enrol
	delete(first.Fields, "logkey")
	delete(first.Fields, "with")
	at, entries, err := o.Build(t.Context(), false, o.Init()...)
	if err != nil {
		t.Fatal(err)
	}
	early := entries[0]
	early.Act, early.Fields = issuance.Enrol, first.Fields
	if err := early.Sign(o.Root.Key); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Append(t.Context(), at, early); !errors.Is(err, issuance.ErrLink) && !errors.Is(err, issuance.ErrOperator) {
		t.Errorf("another act before the first: %v", err)
	}
	if err := b.store.Append(t.Context(), at, entries[0]); !errors.Is(err, issuance.ErrLink) {
		t.Errorf("one founder without the other: %v", err)
	}
	if err := b.store.Append(t.Context(), at, entries...); err != nil {
		t.Fatal(err)
	}
	usurper := NewOffice(t, b.store)
	usurper.Root = NewOfficer("usurper", "p-u", issuance.Admin)
	b.refused(t, "a second first entry", isError(issuance.ErrLink), usurper.Init()...)
}

func testAtomic(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	taken := o.Enrol("A-3", "ann", "")
	b.refused(t, "the last of three", isDuplicate(issuance.HoldApplication, issuance.Application("A-1")),
		o.Enrol("A-2", "bob", ""), o.Approve("A-1"), taken)
	for _, id := range []issuance.StreamID{issuance.Application("A-2"), issuance.Application("A-3")} {
		if e, err := b.store.Stream(t.Context(), id); err != nil || len(e) > 0 {
			t.Errorf("%s is there: %v", id, err)
		}
	}
	if s, err := b.store.Claimed(t.Context(), o.Enrol("A-2", "bob", "").Hold[0]); err != nil || !s.IsZero() {
		t.Errorf("a hold was kept by %v, %v", s, err)
	}
	o.Must(t, o.Enrol("A-2", "bob", ""), o.Approve("A-1"))
}

func testRepeat(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.Know(t, "ann", "bob", "zoe")
	at, entries, err := o.Build(t.Context(), false, o.Enrol("A-1", "ann", ""), o.Enrol("A-2", "bob", ""))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := b.store.Append(t.Context(), at, entries...); err != nil {
			t.Fatal(err)
		}
	}
	if e, _ := b.store.Stream(t.Context(), issuance.Application("A-1")); len(e) != 1 {
		t.Errorf("%d entries", len(e))
	}
	for name, changed := range map[string][]issuance.Entry{
		"half of them":   entries[:1:1],
		"the other half": {entries[0], b.other(t)},
		"behind another": {b.other(t), entries[0]},
	} {
		err := b.store.Append(t.Context(), nil, changed...)
		if name == "half of them" && err != nil || name != "half of them" && !errors.Is(err, issuance.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := entries[1]
	e.Attach = nil
	if err := e.Sign(o.Registrar.Key); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Append(t.Context(), nil, e); !errors.Is(err, issuance.ErrConflict) {
		t.Errorf("another entry of the same identity: %v", err)
	}
}

// other is an entry that the store has not seen.
func (b *bench) other(t *testing.T) issuance.Entry {
	t.Helper()
	_, entries, err := b.office.Build(t.Context(), false, b.office.Enrol("A-9", "zoe", ""))
	if err != nil {
		t.Fatal(err)
	}
	return entries[len(entries)-1]
}

func testConflict(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	at, late, err := o.Build(t.Context(), false, o.Approve("A-1"))
	if err != nil {
		t.Fatal(err)
	}
	o.Must(t, Step{Stream: issuance.Application("A-1"), Act: issuance.Change, By: o.Registrar, Made: "A-1"})
	if err := b.store.Append(t.Context(), at, late...); !errors.Is(err, issuance.ErrConflict) {
		t.Errorf("the stream moved: %v", err)
	}
	at, late, err = o.Build(t.Context(), false, o.Enrol("A-2", "bob", ""))
	if err != nil {
		t.Fatal(err)
	}
	at[issuance.Application("A-1")] = 2
	o.Must(t, o.Approve("A-1"))
	if err := b.store.Append(t.Context(), at, late...); !errors.Is(err, issuance.ErrConflict) {
		t.Errorf("a stream that was only read moved: %v", err)
	}
	at[issuance.Application("A-1")] = 3
	at[issuance.Card("C-404")] = 1
	if err := b.store.Append(t.Context(), at, late...); !errors.Is(err, issuance.ErrConflict) {
		t.Errorf("a stream that does not exist: %v", err)
	}
	delete(at, issuance.Card("C-404"))
	if err := b.store.Append(t.Context(), at, late...); err != nil {
		t.Error(err)
	}
}

// testRules: the store judges by itself, whatever the caller did.
func testRules(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	double := NewOfficer("double", o.Registrar.Person, issuance.Approver)
	o.Must(t, o.Hire(double))
	approve := o.Approve("A-1")
	approve.By = double
	b.refused(t, "one person twice", isError(issuance.ErrFourEyes), approve)
	approve.By = o.Registrar
	b.refused(t, "without the role", isError(issuance.ErrRole), approve)
	approve.By = NewOfficer("stranger", "p-x", issuance.Approver)
	b.refused(t, "by a stranger", isError(issuance.ErrOperator), approve)
	approve = o.Approve("A-1")
	approve.Made = "another portrait"
	b.refused(t, "of something else", isError(issuance.ErrChanged), approve)
	b.refused(t, "out of order", isTransition, o.Begin("A-1", "C-1")...)
	o.Must(t, o.Approve("A-1"))
	b.refused(t, "half of two acts", isError(issuance.ErrLink), o.Begin("A-1", "C-1")[0])
	forged := o.Approve("A-1")
	forged.By.Key = o.Clerk.Key
	if _, _, err := o.Build(t.Context(), true, forged); !errors.Is(err, issuance.ErrOperator) {
		t.Errorf("signed by a key that the entry does not name: %v", err)
	}
	_, entries, err := o.Build(t.Context(), true, o.Begin("A-1", "C-1")...)
	if err != nil {
		t.Fatal(err)
	}
	entries[1].Signature = slices.Clone(entries[0].Signature)
	if err := b.store.Append(t.Context(), nil, entries...); !errors.Is(err, issuance.ErrSignature) {
		t.Errorf("a signature of another entry: %v", err)
	}
	other := b.other(t)
	other.Origin = "other.test"
	if err := other.Sign(o.Registrar.Key); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Append(t.Context(), nil, other); !errors.Is(err, issuance.ErrEntry) {
		t.Errorf("an entry of another log: %v", err)
	}
}

func testUnique(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.MakeCard(t, "A-1", "C-1", "ann", "")
	b.refused(t, "a second application", isDuplicate(issuance.HoldApplication, issuance.Application("A-1")), o.Enrol("A-2", "ann", ""))
	o.Must(t, o.Deliver("A-1", "C-1", "ann", "")...)

	o.Must(t, o.Enrol("A-2", "bob", ""))
	o.Must(t, o.Approve("A-2"))
	begin := o.Begin("A-2", "C-2")
	begin[1].Claims[0].Value = "chip-of-C-1"
	b.refused(t, "a chip twice", isDuplicate(issuance.ClaimChip, issuance.Card("C-1")), begin...)
	o.Must(t, o.Begin("A-2", "C-2")...)
	journal := o.Journal("A-2", "C-2")
	o.Must(t, journal[0])
	journal[1].Claims[1].Value = Digest("aa C-1")
	b.refused(t, "a chip's key twice", isDuplicate(issuance.ClaimChipKey, issuance.Card("C-1")), journal[1])
	o.Must(t, o.Journal("A-2", "C-2")[1])
	journal[2].Fields["cardid"], journal[2].Claims[0].Value = Digest("id C-1"), Digest("id C-1")
	b.refused(t, "a card's identity twice", isDuplicate(issuance.ClaimCardID, issuance.Card("C-1")), journal[2])

	namesake := NewOfficer("clerk", "p-99", issuance.Clerk)
	namesake.Key, namesake.ID = NewOfficer("namesake", "", "").Key, NewOfficer("namesake", "", "").ID
	b.refused(t, "a name twice", isDuplicate(issuance.HoldName, issuance.OperatorStream(o.Clerk.ID)), o.Hire(namesake))

	// a second card in force for one person, by an application that replaces nothing
	o.MakeCard(t, "A-3", "C-3", "ann", "")
	b.refused(t, "two cards in force", isDuplicate(issuance.HoldCard, issuance.Card("C-1")), o.Deliver("A-3", "C-3", "ann", "")...)
}

func testReleased(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	hold := Holder(issuance.HoldCard, "ann")[0]
	wants := func(want issuance.StreamID) {
		t.Helper()
		if got, err := b.store.Claimed(t.Context(), hold); err != nil || got != want {
			t.Errorf("%v holds the person's card, %v", got, err)
		}
	}
	wants(issuance.Card("C-1"))
	o.IssueCard(t, "A-2", "C-2", "ann", "C-1")
	wants(issuance.Card("C-2"))
	o.Must(t, o.Revoke("C-2", "ann"))
	wants(issuance.StreamID{})
	o.Must(t, Step{
		Stream: issuance.OperatorStream(o.Clerk.ID), Act: issuance.Revoke, By: o.Root, Second: &o.Mate,
		Fields: map[string]string{"reason": "left"}, Release: o.Hire(o.Clerk).Hold,
	})
	o.Clerk = NewOfficer("clerk-2", "p-5", issuance.Clerk)
	o.Clerk.Name = "clerk"
	o.Must(t, o.Hire(o.Clerk))
	if got, err := b.store.Claimed(t.Context(), issuance.Claim{Kind: issuance.ClaimChip, Value: "chip-of-C-1"}); err != nil || got != issuance.Card("C-1") {
		t.Errorf("a claim was released: %v, %v", got, err)
	}
}

// rivals is how many contend for one thing.
const rivals = 16

// contend lets rivals append what build gives them at once, all decided on the same
// state, and wants one to win and the others to lose as said.
func contend(t *testing.T, b *bench, build func(i int) (issuance.Head, []issuance.Entry, error), lose func(error) bool) {
	t.Helper()
	var start, done sync.WaitGroup
	start.Add(1)
	results := make([]error, rivals)
	for i := range rivals {
		at, entries, err := build(i)
		if err != nil {
			t.Fatal(err)
		}
		done.Go(func() {
			start.Wait()
			results[i] = b.store.Append(context.Background(), at, entries...)
		})
	}
	start.Done()
	done.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !lose(err):
			t.Errorf("lost with: %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d winners", won)
	}
}

func testOneWinner(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.Must(t, o.Enrol("A-1", "ann", ""))
	contend(t, b, func(int) (issuance.Head, []issuance.Entry, error) {
		return o.Build(t.Context(), false, o.Approve("A-1"))
	}, isError(issuance.ErrConflict))
	if e, _ := b.store.Stream(t.Context(), issuance.Application("A-1")); len(e) != 2 {
		t.Errorf("%d entries", len(e))
	}
}

func testOnePerson(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.Know(t, "ann")
	contend(t, b, func(i int) (issuance.Head, []issuance.Entry, error) {
		return o.Build(t.Context(), false, o.Enrol("A-"+string(rune('a'+i)), "ann", ""))
	}, func(err error) bool {
		_, ok := errors.AsType[*issuance.DuplicateError](err)
		return ok
	})
}

func testAttachments(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	s := o.Enrol("A-1", "ann", "")
	s.Attach = append(s.Attach, issuance.Attachment{Name: "empty", Sealed: []byte{}}, issuance.Attachment{Name: "large", Sealed: make([]byte, issuance.MaxSealed)})
	o.Must(t, s)
	entries, err := b.store.Stream(t.Context(), s.Stream)
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	if len(e.Attach) != 3 {
		t.Fatalf("%d attachments", len(e.Attach))
	}
	for i, want := range map[int]int{0: 0, 1: issuance.MaxSealed, 2: len("sealed data of A-1")} {
		if e.Attach[i].Sealed != nil {
			t.Error("a stream brings sealed octets")
		}
		got, err := b.store.Attachment(t.Context(), e.ID, e.Attach[i].Name)
		if err != nil || len(got) != want {
			t.Errorf("%s: %d octets, %v", e.Attach[i].Name, len(got), err)
		}
	}
	for _, missing := range []struct {
		id   [16]byte
		name string
	}{{e.ID, "other"}, {issuance.NewID(), "person"}} {
		if _, err := b.store.Attachment(t.Context(), missing.id, missing.name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%x %s: %v", missing.id, missing.name, err)
		}
	}
	// an entry that was read back says nothing new
	if err := b.store.Append(t.Context(), nil, e); err != nil {
		t.Error(err)
	}
	o.Know(t, "bob")
	_, fresh, err := o.Build(t.Context(), false, o.Enrol("A-2", "bob", ""))
	if err != nil {
		t.Fatal(err)
	}
	fresh[0].Attach[0] = issuance.Attachment{Name: "person", Digest: e.Attach[2].Digest}
	if err := fresh[0].Sign(o.Registrar.Key); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Append(t.Context(), nil, fresh...); !errors.Is(err, issuance.ErrEntry) {
		t.Errorf("an attachment without its octets: %v", err)
	}
}
