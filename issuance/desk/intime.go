package desk

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/signing"
)

// ErrStaleList means that nothing is signed because the authority's revocation list is
// missing, past its time, or does not tell what was revoked two days ago. It is the signing
// service's own error: the office asks first, before a blank card is taken.
var ErrStaleList = signing.ErrStaleCRL

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
