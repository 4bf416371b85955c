package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
)

// ErrStaleList means that nothing is signed because the authority's revocation list is
// missing, past its time, or does not tell what was revoked two days ago.
var ErrStaleList = errors.New("the revocation list is out of date")

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
