package verify

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// State is what the issuer says about a card, as in lists of card status. The zero value
// says nothing.
type State = status.State

// The states of a card.
const (
	StateUnknown     = status.Unknown     // the source has no record of the card
	StateUndelivered = status.Undelivered // made, not yet in the holder's hands
	StateActive      = status.Active
	StateSuspended   = status.Suspended
	StateSuperseded  = status.Superseded // replaced by a newer card
	StateRevoked     = status.Revoked
)

// StatusSource tells what an issuer says about a card. An error means that there was no
// answer; no record of the card is an answer with StateUnknown.
type StatusSource interface {
	Status(ctx context.Context, card CardRef) (StatusAnswer, error)
}

// CardRef is all by which a list of card status may know a card.
type CardRef struct {
	ID   CardID
	Ref  *lds.StatusReference // list and index that the SOD signs; nil if it carries none
	Keys [][32]byte           // SHA-256 of EF.DG14 and EF.DG15, where the SOD lists them and they are known

	Country      string // of the issuer, two letters; "" if no chain tells
	DocumentType string // document code of the MRZ in DG1: I, ID, P; "" if it was not read
}

// StatusAnswer is what a source says of a card.
type StatusAnswer struct {
	State      State
	AsOf       time.Time // when the issuer said so
	NextUpdate time.Time // when the issuer says more at the latest; zero if it does not tell
	Exact      bool      // false: another card may be meant; an exact list has to confirm it
	Source     string    // which list, for people
}

// StatusLists answers from signed lists of card status.
func StatusLists(s *status.Source) StatusSource { return statusLists{s} }

type statusLists struct{ *status.Source }

// Status implements [StatusSource].
func (l statusLists) Status(_ context.Context, c CardRef) (StatusAnswer, error) {
	a, err := l.Lookup(status.Card{ID: c.ID, Ref: c.Ref, Keys: c.Keys, Country: c.Country, DocumentType: c.DocumentType})
	if err != nil {
		return StatusAnswer{}, err
	}
	return StatusAnswer{State: a.State, AsOf: a.AsOf, NextUpdate: a.NextUpdate, Exact: a.Exact, Source: a.Source}, nil
}

// askStatus asks for the card's status. The error is that of a ctx that ended.
func (a *assessment) askStatus(ctx context.Context) error {
	if a.o.Status == nil || a.sod == nil {
		return nil
	}
	var s statusAnswer
	s.StatusAnswer, s.err = a.o.Status.Status(ctx, a.cardRef())
	a.ev.status = &s
	return ctx.Err()
}

// cardRef names the card to a source of status. Nothing in it proves anything before the
// SOD's signature does.
func (a *assessment) cardRef() CardRef {
	c := CardRef{ID: a.sod.CardID(), Country: a.chain.Issuer.Country}
	if ref, ok := a.sod.StatusReference(); ok {
		c.Ref = &ref
	}
	if a.facts.zone != nil {
		c.DocumentType = a.facts.zone.Document
	}
	for _, n := range []int{14, 15} {
		raw, read := a.ev.files[lds.Group(n)]
		want, listed := a.sod.Object.GroupHash(n)
		switch {
		case !listed:
		case read:
			c.Keys = append(c.Keys, sha256.Sum256(raw))
		case a.sod.Object.Hash == crypto.SHA256 && len(want) == sha256.Size:
			c.Keys = append(c.Keys, [32]byte(want))
		}
	}
	return c
}

// judgeStatus judges what the issuer says about this card.
func (a *assessment) judgeStatus() {
	none := a.chain.Issuer.Status == pki.None
	answer := a.ev.status
	switch {
	case a.sod == nil:
	case answer == nil && none:
		a.set(CheckStatus, Absent, ReasonStatusNotPublished, "")
	case answer == nil:
		a.set(CheckStatus, NotRun, ReasonStatusNotAsked, "")
	case none && (answer.err != nil || answer.State == StateUnknown):
		a.set(CheckStatus, Absent, ReasonStatusNotPublished, "")
	case errors.Is(answer.err, pki.ErrRollback):
		a.record(Check{ID: CheckStatus, Outcome: Undetermined, Reason: ReasonStatusRollback, Detail: answer.err.Error(), Err: answer.err})
	case answer.err != nil:
		a.record(Check{ID: CheckStatus, Outcome: Undetermined, Reason: ReasonStatusUnavailable, Detail: answer.err.Error(), Err: answer.err})
	default:
		a.state(answer.StatusAnswer)
	}
}

// against are the reasons that states which speak against a card lead to.
var against = map[State]Reason{
	StateUndelivered: ReasonCardUndelivered, StateSuspended: ReasonCardSuspended,
	StateSuperseded: ReasonCardSuperseded, StateRevoked: ReasonCardRevoked,
}

// state judges an answer. A card that was revoked is revoked however old the answer.
func (a *assessment) state(answer StatusAnswer) {
	detail := answer.detail(a.o.At)
	reason, bad := against[answer.State]
	switch {
	case bad && answer.Exact:
		a.set(CheckStatus, Failed, reason, detail)
	case bad:
		a.set(CheckStatus, Undetermined, ReasonStatusProbable, detail)
	case answer.State != StateActive:
		a.set(CheckStatus, Undetermined, ReasonStatusUnknown, detail)
	case answer.stale(a.o.At, a.o.Policy.StatusAge):
		a.set(CheckStatus, Undetermined, ReasonStatusStale, detail)
	default:
		a.set(CheckStatus, Passed, "", detail)
	}
}

// stale says whether the answer is older than may be, or the issuer has said more since.
func (s StatusAnswer) stale(at time.Time, most time.Duration) bool {
	return most > 0 && at.Sub(s.AsOf) > most || !s.NextUpdate.IsZero() && at.After(s.NextUpdate)
}

// detail says how old the answer is and where it comes from.
func (s StatusAnswer) detail(at time.Time) string {
	if s.AsOf.IsZero() {
		return s.Source
	}
	d := fmt.Sprintf("as of %s, %d hours old", s.AsOf.UTC().Format(time.RFC3339), int(at.Sub(s.AsOf).Hours()))
	if !s.NextUpdate.IsZero() {
		d += ", next by " + s.NextUpdate.UTC().Format(time.RFC3339)
	}
	if s.Source != "" {
		d += ", " + s.Source
	}
	return d
}
