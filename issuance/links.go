package issuance

import (
	"fmt"
	"slices"
	"strings"
)

// The checks of the table that look beyond one stream.

// isFirst: the first entry of a log is signed by the key that it enrols.
func isFirst(b *Book, s *Subject, e *Entry) error {
	if b.founded {
		return fmt.Errorf("%w: the log has a first entry already", ErrLink)
	}
	if !slices.Contains(strings.Split(e.Fields["roles"], ","), string(Admin)) {
		return fmt.Errorf("%w: the first operator must be %s", ErrEntry, Admin)
	}
	if OperatorStream(e.Operator) != e.Stream {
		return fmt.Errorf("%w: the first operator signs its own enrolment", ErrOperator)
	}
	return isItsKey(b, s, e)
}

// isItsKey: an operator's stream bears the name of its key.
func isItsKey(_ *Book, _ *Subject, e *Entry) error {
	_, id, err := parseKeyField(e.Fields["key"])
	if err != nil {
		return err
	}
	if OperatorStream(id) != e.Stream {
		return fmt.Errorf("%w: %s is not the stream of key %s", ErrEntry, e.Stream, id)
	}
	return nil
}

// isAnotherKey: nobody can revoke the key by which they act, or the last
// administrator could lock everyone out by one slip.
func isAnotherKey(_ *Book, _ *Subject, e *Entry) error {
	if OperatorStream(e.Operator) == e.Stream {
		return fmt.Errorf("%w: a key cannot revoke itself", ErrFourEyes)
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
	if !slices.Contains([]Phase{Active, Suspended, Revoked}, old.Phase) {
		return fmt.Errorf("%w: card %s is %s and cannot be replaced", ErrLink, id, orAbsent(old.Phase))
	}
	want := valueOf(e.Hold, HoldApplication)
	if valueOf(old.Held, HoldCard) != want && valueOf(old.Gave, HoldCard) != want {
		return fmt.Errorf("%w: card %s is of another person or document type", ErrLink, id)
	}
	return nil
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
	if c.Phase != Spoiled {
		return fmt.Errorf("%w: card %s of this application is %s", ErrLink, id, orAbsent(c.Phase))
	}
	return nil
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

// isForApplication: the application names this card, and approved this content.
func isForApplication(b *Book, _ *Subject, e *Entry) error {
	a, err := b.subject(Application(e.Fields["application"]))
	if err != nil {
		return err
	}
	if a.Phase != Personalising || a.Fields["card"] != e.Stream.ID {
		return fmt.Errorf("%w: application %s is not personalising card %s", ErrLink, a.Stream.ID, e.Stream.ID)
	}
	if a.Commitments[Content] != e.Commitments[Content] {
		return fmt.Errorf("card %s: %w", e.Stream.ID, ErrChanged)
	}
	return nil
}

func claimsItsCardID(_ *Book, _ *Subject, e *Entry) error {
	if valueOf(e.Claims, ClaimCardID) != e.Fields["cardid"] {
		return fmt.Errorf("%w: the claimed card identity is not the field's", ErrEntry)
	}
	return nil
}

// isDue: the card's application waits for it, the holder is the applicant, and the card
// that it replaces is no longer in force.
func isDue(b *Book, s *Subject, e *Entry) error {
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

// hasSuccessor: the successor is ready to be delivered and was made to replace this card.
func hasSuccessor(b *Book, s *Subject, e *Entry) error {
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

// valueOf is the value of the first claim of a kind, empty if there is none.
func valueOf(list []Claim, kind ClaimKind) string {
	for _, c := range list {
		if c.Kind == kind {
			return c.Value
		}
	}
	return ""
}

func orAbsent(p Phase) string {
	if p == Absent {
		return "not there"
	}
	return string(p)
}
