package intake

import (
	"context"
	"errors"
	"time"
)

// Follow brings the cases that the desk has up to what the ledger says. Several programs may
// do so at once.
func Follow(ctx context.Context, store Store, l Ledger, now time.Time) error {
	for range 1 << 20 { // steps, each of many entries; another program's step is not this one's
		from, err := store.Followed(ctx)
		if err != nil {
			return err
		}
		apps, to, err := l.Touched(ctx, from)
		if err != nil || to == from {
			return err
		}
		var changed []Case
		for _, app := range apps {
			c, moved, err := stand(ctx, store, l, app, now)
			if err != nil {
				return err
			}
			if moved {
				changed = append(changed, c)
			}
		}
		if err := store.Follow(ctx, from, to, changed); err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return ErrConflict
}

// stand is the case of an application as the ledger says, and whether that is new.
func stand(ctx context.Context, store Store, l Ledger, app string, now time.Time) (Case, bool, error) {
	c, err := store.Of(ctx, app)
	if errors.Is(err, ErrUnknown) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	state, why, ok, err := l.Standing(ctx, app)
	if err != nil || !ok || state == c.State && why == c.Why {
		return c, false, err
	}
	c.State, c.Why, c.Since = state, why, now.UTC().Truncate(time.Microsecond)
	return c, true, nil
}
