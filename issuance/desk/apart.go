package desk

import (
	"context"

	"github.com/tamthe/tamthe/issuance"
)

// claimedAnywhere finds who has a claim, in the ledger and then in the logs of the desks
// that work apart. stream is zero if nobody has.
func (o *Office) claimedAnywhere(ctx context.Context, c issuance.Claim) (store Store, stream issuance.StreamID, err error) {
	for _, store := range append([]Store{o.Store}, o.Apart...) {
		stream, err := store.Claimed(ctx, c)
		if err != nil || !stream.IsZero() {
			return store, stream, err
		}
	}
	return nil, issuance.StreamID{}, nil
}

// recalled says whether the office put a card of another desk's log out of force. That the office
// knows a card of that name is not enough: a desk names its cards as it likes.
func (o *Office) recalled(ctx context.Context, apart Store, card issuance.StreamID) (bool, error) {
	here, err := o.Store.Stream(ctx, card)
	if err != nil || len(here) == 0 || here[0].Act != issuance.Recall {
		return false, err
	}
	there, err := apart.Stream(ctx, card)
	return len(there) > 0 && there[0].Origin == here[0].Fields["origin"], err
}

// heldApart finds the card of a desk that works apart by which something is held, unless
// the office has put it out of force.
func (o *Office) heldApart(ctx context.Context, c issuance.Claim) (issuance.StreamID, error) {
	for _, store := range o.Apart {
		stream, err := store.Claimed(ctx, c)
		if err != nil {
			return issuance.StreamID{}, err
		}
		if stream.IsZero() {
			continue
		}
		out, err := o.recalled(ctx, store, stream)
		if err != nil {
			return issuance.StreamID{}, err
		}
		if !out {
			return stream, nil
		}
	}
	return issuance.StreamID{}, nil
}

// cardApart finds a card that only a desk apart knows; store is nil where there is none.
func (o *Office) cardApart(ctx context.Context, id string) (store Store, card issuance.Subject, err error) {
	stream := issuance.Card(id)
	if here, err := o.Store.Stream(ctx, stream); err != nil || len(here) > 0 {
		return nil, card, err
	}
	for _, store := range o.Apart {
		entries, err := store.Stream(ctx, stream)
		if err != nil {
			return nil, card, err
		}
		if len(entries) == 0 {
			continue
		}
		s, err := issuance.Load(ctx, store, stream)
		return store, s.Subject(stream), err
	}
	return nil, card, nil
}

// recall puts a card of another desk's log out of force. One for which nothing was signed
// is ErrUnknown.
func (o *Office) recall(ctx context.Context, apart Store, card issuance.Subject, reason string) error {
	id := card.Fields["cardid"]
	if id == "" {
		return known(issuance.Subject{Stream: card.Stream})
	}
	entries, err := apart.Stream(ctx, card.Stream)
	if err != nil {
		return err
	}
	return o.do(ctx, card.Stream, issuance.Recall, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"cardid": id, "origin": entries[0].Origin, "reason": reason}
		e.Claims = []issuance.Claim{{Kind: issuance.ClaimCardID, Value: id}}
		for _, c := range card.Claimed {
			if c.Kind == issuance.ClaimStatus {
				e.Claims = append(e.Claims, c)
			}
		}
		return nil
	})
}
