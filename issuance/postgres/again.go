package postgres

import (
	"context"
	"math/rand/v2"
	"time"
)

// Between two tries: short, for one that was disturbed by another, then longer, for a server
// that has gone.
const (
	shortest = 10 * time.Millisecond
	longest  = time.Second
)

// again does something until what stops it is nothing that passes, for so long at the most.
// It must be safe to repeat: the server may have done it, and its answer was lost.
func again(ctx context.Context, long time.Duration, do func() error) error {
	end := time.Now().Add(long)
	for wait := shortest; ; wait = min(2*wait, longest) {
		err := do()
		if err == nil || !passing(err) || ctx.Err() != nil {
			return err
		}
		pause := wait/2 + rand.N(wait) // those who were thrown out together are not to come back together
		if time.Now().Add(pause).After(end) {
			return err
		}
		if sleep(ctx, pause); ctx.Err() != nil {
			return err
		}
	}
}
