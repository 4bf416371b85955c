package issuance

import (
	"fmt"
	"slices"
)

// applicationRules are those of one request for one card (Law 26/2023 Art. 23, 24).
var applicationRules = []rule{
	{
		kind: KindApplication, act: Enrol, to: Enrolled, role: []Role{Registrar},
		need: []string{"doctype", "reason", "subject", "ordinal"}, extra: []string{"profile", "replaces"},
		only: map[string][]string{"reason": EnrolReasons()}, commit: true, every: []ClaimKind{HoldApplication},
		check: checks(isTheirs, replacesOwnCard, firstReplacesNone),
	},
	{
		kind: KindApplication, act: Change, from: []Phase{Enrolled, Differing, Approved}, to: Enrolled, role: []Role{Registrar},
		extra: []string{"reason"}, only: map[string][]string{"reason": EnrolReasons()}, commit: true,
	},
	{
		kind: KindApplication, act: Confirm, from: []Phase{Enrolled, Differing}, to: Enrolled, role: []Role{Registrar, Approver},
		need: []string{"outcome", "request"}, only: map[string][]string{"outcome": {"match", "explainable"}}, commit: true, agree: true,
		check: nowBySomebodyElse,
	},
	{
		kind: KindApplication, act: Differ, from: []Phase{Enrolled, Differing}, to: Differing, role: []Role{Registrar, Approver},
		need: []string{"outcome", "request"}, only: map[string][]string{"outcome": {"mismatch", "unknown"}}, commit: true, agree: true,
	},
	{
		kind: KindApplication, act: Accept, from: []Phase{Differing}, to: Enrolled, role: []Role{Approver}, apart: []Act{Enrol, Change, Differ},
		need: []string{"reason"}, only: map[string][]string{"reason": acceptReasons}, commit: true, agree: true,
	},
	{
		kind: KindApplication, act: Search, from: []Phase{Enrolled, Differing}, to: unchanged, role: []Role{Registrar, Approver},
		need: []string{"outcome", "request"}, only: map[string][]string{"outcome": {"none"}}, commit: true, agree: true,
	},
	{
		kind: KindApplication, act: Suspect, from: []Phase{Enrolled, Differing}, to: Suspected, role: []Role{Registrar, Approver},
		need: []string{"outcome", "request"}, only: map[string][]string{"outcome": {"hit"}}, commit: true, agree: true,
	},
	{
		kind: KindApplication, act: Clear, from: []Phase{Suspected}, to: Enrolled, role: []Role{Approver}, apart: []Act{Enrol, Change, Suspect},
		need: []string{"reason"}, only: map[string][]string{"reason": clearReasons}, commit: true, agree: true,
	},
	{
		kind: KindApplication, act: Approve, from: []Phase{Enrolled}, to: Approved, role: []Role{Approver},
		apart: []Act{Enrol, Change}, commit: true, agree: true, check: hasNumber,
	},
	{
		kind: KindApplication, act: Reject, from: []Phase{Enrolled, Differing, Suspected, Approved}, to: Rejected, role: []Role{Approver},
		need: []string{"reason"}, only: map[string][]string{"reason": rejectReasons}, release: []ClaimKind{HoldApplication},
	},
	{
		kind: KindApplication, act: Cancel, from: []Phase{Enrolled, Differing, Suspected, Approved, Personalising}, to: Cancelled, role: []Role{Registrar},
		need: []string{"reason"}, only: map[string][]string{"reason": cancelReasons}, release: []ClaimKind{HoldApplication}, check: noCardInTheMaking,
	},
	{
		kind: KindApplication, act: Personalise, from: []Phase{Approved, Personalising}, to: Personalising, role: []Role{Personaliser},
		apart: []Act{Approve}, need: []string{"card"}, commit: true, agree: true, check: checks(noCardInTheMaking, hasNumber),
		owes: func(e *Entry) []due { return []due{{Card(e.Fields["card"]), Allocate}} },
	},
	{
		kind: KindApplication, act: Issue, from: []Phase{Personalising}, to: Issued, role: []Role{Clerk},
		same: []string{"card"}, release: []ClaimKind{HoldApplication}, check: cardIsActive,
	},
	{
		kind: KindApplication, act: Complain, from: []Phase{Issued}, to: Disputed, role: []Role{Clerk},
		need: []string{"reason"}, only: map[string][]string{"reason": complainReasons},
	},
	{
		kind: KindApplication, act: Settle, from: []Phase{Disputed}, to: Issued, role: []Role{Approver}, apart: []Act{Complain},
		need: []string{"outcome"}, only: map[string][]string{"outcome": {"upheld", "dismissed"}},
	},
	{
		kind: KindApplication, act: Shred, from: []Phase{Issued, Rejected, Cancelled}, to: Shredded, role: []Role{Custodian}, two: always,
		need: []string{"reason"}, only: map[string][]string{"reason": {"retention", "request", "order"}},
	},
}

// The reasons for which a card is asked for.
var (
	issueReasons = []string{"first"}
	// replaceReasons are those of Law 26/2023 Art. 24.1.
	replaceReasons = []string{"age", "name", "birth", "features", "sex", "wrong-data", "unit", "renumbered", "request"}
	// reissueReasons are those of Art. 24.2.
	reissueReasons = []string{"lost", "damaged", "nationality"}

	// acceptReasons are why an application is right though the register says otherwise: papers
	// show it, the register was corrected and has yet to show it, or a court or office ordered it.
	acceptReasons = []string{"documents", "register-late", "order"}

	// clearReasons are why somebody whom the biometric register finds is another person than the
	// applicant: a twin, one who looks alike, or the applicant's own record under another name.
	clearReasons = []string{"twin", "another-person", "own-record"}

	// rejectReasons are why the office refuses (form CC03).
	rejectReasons = []string{"identity", "documents", "data-mismatch", "not-entitled", "duplicate", "portrait", "wrong-office"}
	cancelReasons = []string{"withdrawn", "mistake", "died", "outlived", "renumbered"}

	complainReasons = []string{"wrong-data", "print", "chip", "portrait", "other"}
)

// EnrolReasons lists the reasons for which a card may be asked for: a first card, one in
// place of another (Law 26/2023 Art. 24.1), one issued again (Art. 24.2).
func EnrolReasons() []string { return slices.Concat(issueReasons, replaceReasons, reissueReasons) }

// ReissueReasons lists the reasons for which a card is issued again (Art. 24.2).
func ReissueReasons() []string { return slices.Clone(reissueReasons) }

// AcceptReasons lists the reasons for which an application is right though the register of
// the population says otherwise.
func AcceptReasons() []string { return slices.Clone(acceptReasons) }

// ClearReasons lists the reasons for which whom the biometric register finds is no obstacle.
func ClearReasons() []string { return slices.Clone(clearReasons) }

// RejectReasons lists the reasons for which an application may be refused.
func RejectReasons() []string { return slices.Clone(rejectReasons) }

// checks asks one question after the other.
func checks(list ...func(*Book, *Subject, *Entry) error) func(*Book, *Subject, *Entry) error {
	return func(b *Book, s *Subject, e *Entry) error {
		for _, check := range list {
			if err := check(b, s, e); err != nil {
				return err
			}
		}
		return nil
	}
}

// firstReplacesNone: who asks for the first card has none to give back.
func firstReplacesNone(_ *Book, _ *Subject, e *Entry) error {
	if e.Fields["replaces"] != "" && slices.Contains(issueReasons, e.Fields["reason"]) {
		return fmt.Errorf("%w: a card for the reason %q replaces none", ErrEntry, e.Fields["reason"])
	}
	return nil
}

// replacesOwnCard: what an application is to replace is a card of the same person and
// document type, handed over once and not replaced since.
func replacesOwnCard(b *Book, _ *Subject, e *Entry) error {
	id, ok := e.Fields["replaces"]
	if !ok {
		return nil
	}
	old, err := b.subject(Card(id))
	if err != nil {
		return err
	}
	if !slices.Contains([]Phase{Active, Suspended, Revoked, Returned, Destroyed}, old.Phase) || len(old.Actors[Supersede]) > 0 {
		return fmt.Errorf("%w: card %s is %s and cannot be replaced", ErrLink, id, orAbsent(old.Phase))
	}
	for _, c := range slices.Concat(old.Held, old.Gave) {
		if c.Kind == HoldCard && slices.Contains(e.Hold, Claim{HoldApplication, c.Value}) {
			return nil
		}
	}
	return fmt.Errorf("%w: card %s is of another person or document type", ErrLink, id)
}

// nowBySomebodyElse: what the register contradicted, only somebody else says that it confirms
// by now than whoever brought the application in or asked before.
func nowBySomebodyElse(b *Book, s *Subject, e *Entry) error {
	if s.Phase != Differing {
		return nil
	}
	return b.differ(s, []Act{Enrol, Change, Differ}, e)
}

// noCardInTheMaking: of an application's cards only the last may be anything but spoiled.
func noCardInTheMaking(b *Book, s *Subject, _ *Entry) error {
	id, ok := s.Fields["card"]
	if !ok {
		return nil
	}
	c, err := b.subject(Card(id))
	if err != nil {
		return err
	}
	if c.Phase != Spoiled && !neverDelivered(c) {
		return fmt.Errorf("%w: card %s of this application is %s", ErrLink, id, orAbsent(c.Phase))
	}
	return nil
}

// neverDelivered reports whether a card was destroyed that was nobody's.
func neverDelivered(c *Subject) bool {
	return c.Phase == Destroyed && len(c.Actors[Deliver]) == 0
}

func cardIsActive(b *Book, s *Subject, _ *Entry) error {
	c, err := b.subject(Card(s.Fields["card"]))
	if err != nil {
		return err
	}
	if c.Phase != Active {
		return fmt.Errorf("%w: card %s of this application is %s", ErrLink, c.Stream.ID, orAbsent(c.Phase))
	}
	return nil
}

// CancelReasons lists why an application may be withdrawn.
func CancelReasons() []string { return slices.Clone(cancelReasons) }
