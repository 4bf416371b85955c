package intake

import (
	"context"
	"errors"
	"slices"
)

// Follow brings the cases that the desk has up to what the ledger says. Several programs may
// do so at once: each step of the ledger is one event of its case, at the ledger's own time.
// Where the two contradict each other, the ledger is right.
func Follow(ctx context.Context, store Store, l Ledger) error {
	for range 1 << 20 { // each round of many entries; another program's is not this one's
		from, err := store.Followed(ctx)
		if err != nil {
			return err
		}
		steps, to, err := l.Steps(ctx, from)
		if err != nil || to == from {
			return err
		}
		changed, err := walk(ctx, store, steps)
		if err != nil {
			return err
		}
		if err := store.Follow(ctx, from, to, changed); err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return ErrConflict
}

// walk is what steps make of the cases that they are about, version after version.
func walk(ctx context.Context, store Store, steps []Step) (changed []Case, err error) {
	for _, s := range steps {
		i := slices.IndexFunc(changed, func(c Case) bool { return c.App == s.App })
		var c Case
		if i < 0 {
			if c, err = store.Of(ctx, s.App); errors.Is(err, ErrUnknown) {
				continue // enrolled at the desk
			} else if err != nil {
				return nil, err
			}
		} else {
			for _, one := range changed {
				if one.App == s.App {
					c = one
				}
			}
			c.Version++
		}
		if c.State == s.State {
			continue
		}
		c.State, c.Why, c.Since = s.State, s.Why, s.At
		changed = append(changed, c)
	}
	return changed, nil
}
