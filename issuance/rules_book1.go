package issuance

import (
	"fmt"
	"slices"
)

// remarks1 are the fields that any act of book 1 may carry.
var remarks1 = []string{"desk", "program", "os", "attempt", "script", "evidence", "imported", "holder", "policy"}

// book1 is the rules of the first book. Nothing is written under it any more; what was
// stays good, and is judged by it as on its day. It is never changed.
var book1 = []rule{
	{
		kind: KindOperator, act: Init, to: Enrolled,
		need: []string{"key", "person", "name", "roles", "logkey"}, hold: []ClaimKind{HoldName}, check: isFirst,
	},
	{
		kind: KindOperator, act: Enrol, to: Enrolled, role: []Role{Admin},
		need: []string{"key", "person", "name", "roles"}, hold: []ClaimKind{HoldName}, check: isItsKey,
	},
	{
		kind: KindOperator, act: Revoke, from: []Phase{Enrolled}, to: Revoked, role: []Role{Admin},
		need: []string{"reason"}, release: []ClaimKind{HoldName}, check: isAnotherKey1,
	},

	{
		kind: KindApplication, act: Enrol, to: Enrolled, role: []Role{Registrar},
		need: []string{"doctype", "reason"}, extra: []string{"profile", "replaces"}, commit: true, hold: []ClaimKind{HoldApplication}, check: replacesOwnCard1,
	},
	{
		kind: KindApplication, act: Change, from: []Phase{Enrolled, Approved}, to: Enrolled, role: []Role{Registrar},
		extra: []string{"reason"}, commit: true,
	},
	{
		kind: KindApplication, act: Approve, from: []Phase{Enrolled}, to: Approved, role: []Role{Approver},
		apart: []Act{Enrol, Change}, commit: true, agree: true,
	},
	{
		kind: KindApplication, act: Reject, from: []Phase{Enrolled, Approved}, to: Rejected, role: []Role{Approver},
		need: []string{"reason"}, release: []ClaimKind{HoldApplication},
	},
	{
		kind: KindApplication, act: Cancel, from: []Phase{Enrolled, Approved, Personalising}, to: Cancelled, role: []Role{Registrar},
		need: []string{"reason"}, release: []ClaimKind{HoldApplication}, check: noCardInTheMaking,
	},
	{
		kind: KindApplication, act: Personalise, from: []Phase{Approved, Personalising}, to: Personalising, role: []Role{Personaliser},
		apart: []Act{Approve}, need: []string{"card"}, commit: true, agree: true, check: noCardInTheMaking,
		owes: func(e *Entry) []due { return []due{{Card(e.Fields["card"]), Allocate}} },
	},
	{
		kind: KindApplication, act: Issue, from: []Phase{Personalising}, to: Issued, role: []Role{Clerk},
		same: []string{"card"}, release: []ClaimKind{HoldApplication}, check: cardIsActive,
	},

	{
		kind: KindCard, act: Allocate, to: Allocated, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"application", "plan"}, extra: []string{"profile"}, commit: true,
		claim: []ClaimKind{ClaimChip}, may: []ClaimKind{ClaimCardSerial}, check: isForApplication,
	},
	{
		kind: KindCard, act: Rotate, from: []Phase{Allocated, Rotating}, to: Rotating, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"keyset"},
	},
	{
		kind: KindCard, act: Generate, from: []Phase{Rotating, Keyed}, to: Keyed, role: []Role{Personaliser}, apartBy: []Act{Approve},
		claim: []ClaimKind{ClaimChipKey},
	},
	{
		kind: KindCard, act: Prepare, from: []Phase{Keyed}, to: Prepared, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"cardid"}, extra: []string{"tbs", "ds"}, commit: true, agree: true,
		claim: []ClaimKind{ClaimCardID}, may: []ClaimKind{ClaimStatus}, check: claimsItsCardID,
	},
	{
		kind: KindCard, act: Sign, from: []Phase{Prepared}, to: Signed, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"sod", "ds"}, same: []string{"cardid"},
	},
	{
		kind: KindCard, act: Write, from: []Phase{Signed, Writing}, to: Writing, role: []Role{Personaliser}, apartBy: []Act{Approve},
		same: []string{"sod"},
	},
	{
		kind: KindCard, act: WriteDone, from: []Phase{Writing}, to: Written, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"readback"}, same: []string{"sod"},
	},
	{
		kind: KindCard, act: Lock, from: []Phase{Written, Locking}, to: Locking, role: []Role{Personaliser}, apartBy: []Act{Approve},
	},
	{
		kind: KindCard, act: LockDone, from: []Phase{Locking}, to: Locked, role: []Role{Personaliser}, apartBy: []Act{Approve},
	},
	{
		kind: KindCard, act: Check, from: []Phase{Locked, Checked}, to: Checked, role: []Role{Inspector},
		apart: []Act{Allocate, Rotate, Generate, Prepare, Sign, Write, WriteDone, Lock, LockDone},
		need:  []string{"report", "verdict"}, only: map[string][]string{"verdict": {"accept"}},
	},
	{
		kind: KindCard, act: Spoil, to: Spoiled, role: []Role{Personaliser, Inspector},
		from: []Phase{Allocated, Rotating, Keyed, Prepared, Signed, Writing, Written, Locking, Locked, Checked},
		need: []string{"reason"},
	},
	{
		kind: KindCard, act: Deliver, from: []Phase{Checked}, to: Active, role: []Role{Clerk},
		hold: []ClaimKind{HoldCard}, check: isDue1,
		owes: func(e *Entry) []due { return []due{{Application(e.Fields["application"]), Issue}} }, same: []string{"application"},
	},
	{
		kind: KindCard, act: Suspend, from: []Phase{Active}, to: Suspended, role: []Role{Revoker},
		need: []string{"reason"},
	},
	{
		kind: KindCard, act: Resume, from: []Phase{Suspended}, to: Active, role: []Role{Revoker},
		need: []string{"reason"},
	},
	{
		kind: KindCard, act: Revoke, from: []Phase{Active, Suspended}, to: Revoked, role: []Role{Revoker},
		need: []string{"reason"}, release: []ClaimKind{HoldCard},
	},
	{
		kind: KindCard, act: Supersede, from: []Phase{Active, Suspended}, to: Superseded, role: []Role{Clerk},
		need: []string{"successor"}, release: []ClaimKind{HoldCard}, check: hasSuccessor1,
		owes: func(e *Entry) []due { return []due{{Card(e.Fields["successor"]), Deliver}} },
	},

	{
		kind: KindKey, act: Generate, to: Generated, role: []Role{Custodian},
		need: []string{"usage", "public"}, extra: []string{"algorithm"},
	},
	{
		kind: KindKey, act: Prepare, from: []Phase{Generated, Preparing, InUse}, to: Preparing, role: []Role{Custodian},
		need: []string{"object", "tbs"}, extra: []string{"issuer"}, may: []ClaimKind{ClaimCertSerial},
	},
	{
		kind: KindKey, act: Issue, from: []Phase{Preparing}, to: InUse, role: []Role{Custodian},
		need: []string{"issued"}, same: []string{"object", "tbs"},
	},
	{
		kind: KindKey, act: Revoke, from: []Phase{Generated, Preparing, InUse}, to: Revoked, role: []Role{Custodian},
		need: []string{"reason"},
	},
}

// isAnotherKey1: nobody can revoke the key by which they act, or the last
// administrator could lock everyone out by one slip.
func isAnotherKey1(_ *Book, _ *Subject, e *Entry) error {
	if OperatorStream(e.Operator) == e.Stream {
		return fmt.Errorf("%w: a key cannot revoke itself", ErrFourEyes)
	}
	return nil
}

// replacesOwnCard1: what an application is to replace is a card of the same person and
// document type, handed over once and not replaced since.
func replacesOwnCard1(b *Book, _ *Subject, e *Entry) error {
	id, ok := e.Fields["replaces"]
	if !ok {
		return nil
	}
	old, err := b.subject(Card(id))
	if err != nil {
		return err
	}
	if !slices.Contains([]Phase{Active, Suspended, Revoked}, old.Phase) {
		return fmt.Errorf("%w: card %s is %s and cannot be replaced", ErrLink, id, orAbsent(old.Phase))
	}
	want := valueOf(e.Hold, HoldApplication)
	if valueOf(old.Held, HoldCard) != want && valueOf(old.Gave, HoldCard) != want {
		return fmt.Errorf("%w: card %s is of another person or document type", ErrLink, id)
	}
	return nil
}

// isDue1: the card's application waits for it, the holder is the applicant, and the card
// that it replaces is no longer in force.
func isDue1(b *Book, s *Subject, e *Entry) error {
	a, err := b.subject(Application(s.Fields["application"]))
	if err != nil {
		return err
	}
	if a.Phase != Personalising || a.Fields["card"] != s.Stream.ID {
		return fmt.Errorf("%w: application %s does not wait for card %s", ErrLink, a.Stream.ID, s.Stream.ID)
	}
	if valueOf(a.Held, HoldApplication) != valueOf(e.Hold, HoldCard) {
		return fmt.Errorf("%w: the card is delivered to another person than applied", ErrLink)
	}
	id, ok := a.Fields["replaces"]
	if !ok {
		return nil
	}
	old, err := b.subject(Card(id))
	if err != nil {
		return err
	}
	if old.Phase != Superseded && old.Phase != Revoked {
		return fmt.Errorf("%w: card %s, which this one replaces, is %s", ErrLink, id, orAbsent(old.Phase))
	}
	return nil
}

// hasSuccessor1: the successor is ready to be delivered and was made to replace this card.
func hasSuccessor1(b *Book, s *Subject, e *Entry) error {
	next, err := b.subject(Card(e.Fields["successor"]))
	if err != nil {
		return err
	}
	if next.Phase != Checked {
		return fmt.Errorf("%w: card %s is %s, not ready to replace another", ErrLink, next.Stream.ID, orAbsent(next.Phase))
	}
	a, err := b.subject(Application(next.Fields["application"]))
	if err != nil {
		return err
	}
	if a.Fields["replaces"] != s.Stream.ID {
		return fmt.Errorf("%w: card %s was not made to replace %s", ErrLink, next.Stream.ID, s.Stream.ID)
	}
	return nil
}
