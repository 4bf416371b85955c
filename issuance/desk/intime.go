package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// longestMaking is how long a card may take from the allocation of its chip to its lock.
const longestMaking = 24 * time.Hour

// ErrStaleList means that nothing is signed because the authority's revocation list is
// missing, past its time, or does not tell what was revoked two days ago.
var ErrStaleList = errors.New("the revocation list is out of date")

// StuckError means that a card was begun too long ago to be gone on with. It must be
// spoiled; its application then gets another card on a new chip, and the keys and the SOD
// of this one stand in the ledger as void.
type StuckError struct {
	Card  string
	Begun time.Time
}

// Error says since when, and what to do.
func (e *StuckError) Error() string {
	return fmt.Sprintf("card %s was begun at %s and is not finished: spoil it and take a new chip", e.Card, e.Begun.UTC().Format(time.RFC3339))
}

// stuck says whether a card that is not locked yet is to be given up.
func (o *Office) stuck(ctx context.Context, card issuance.Subject) error {
	history, err := o.Store.Stream(ctx, card.Stream)
	if err != nil {
		return err
	}
	if len(history) == 0 || card.Phase == issuance.Locked || o.Now().Sub(history[0].Time) <= longestMaking {
		return nil
	}
	return &StuckError{Card: card.Stream.ID, Begun: history[0].Time}
}

// listInTime makes sure that whoever meets what is signed now can learn what was revoked.
func (o *Office) listInTime(ctx context.Context) error {
	keys, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return err
	}
	s, err := o.crlStatus(ctx, keys)
	if err != nil {
		return err
	}
	switch s.State {
	case "missing", "stale", "overdue":
		return fmt.Errorf("%w: it is %s", ErrStaleList, s.State)
	}
	return nil
}
