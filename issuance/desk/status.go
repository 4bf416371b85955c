package desk

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
)

// Status answers for the cards of this ledger: it is a verify.StatusSource.
//
// A card is known by the hash of what was signed. One that is personalised and not yet
// delivered is StateUndelivered.
func (o *Office) Status(ctx context.Context, c verify.CardRef) (verify.StatusAnswer, error) {
	state, err := o.state(ctx, c.ID)
	if err != nil {
		return verify.StatusAnswer{}, err
	}
	return verify.StatusAnswer{State: state, AsOf: o.Now(), Exact: true, Source: "the ledger"}, nil
}

func (o *Office) state(ctx context.Context, id verify.CardID) (verify.State, error) {
	store, stream, err := o.claimedAnywhere(ctx, issuance.Claim{Kind: issuance.ClaimCardID, Value: id.String()})
	if err != nil {
		return verify.StateUnknown, err
	}
	if stream.IsZero() {
		return verify.StateUnknown, nil
	}
	s, err := issuance.Load(ctx, store, stream)
	if err != nil {
		return verify.StateUnknown, err
	}
	card := s.Subject(stream)
	if card.Fields["cardid"] != id.String() { // the look-up is a table beside the log
		return verify.StateUnknown, fmt.Errorf("%s is not card %s: %w", stream, id, issuance.ErrChanged)
	}
	return stateOf(card), nil
}

// stateOf is what a card's stream says of it to who holds the card. One that was taken
// back or destroyed is what it was before.
func stateOf(card issuance.Subject) verify.State {
	switch card.Phase {
	case issuance.Active:
		return verify.StateActive
	case issuance.Suspended:
		return verify.StateSuspended
	case issuance.Superseded:
		return verify.StateSuperseded
	case issuance.Returned, issuance.Destroyed:
		if len(card.Actors[issuance.Supersede]) > 0 {
			return verify.StateSuperseded
		}
		return verify.StateRevoked
	case issuance.Revoked, issuance.Spoiled, issuance.Failed:
		return verify.StateRevoked
	case issuance.Absent:
		return verify.StateUnknown
	}
	return verify.StateUndelivered
}
