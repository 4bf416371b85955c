//go:build cgo && !nopcsc

package pcsc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ebfe/scard"
)

// errLate says that a call into the service did not return in time.
var errLate = errors.New("no answer in time")

// within calls f in a goroutine and waits for it until ctx is done or d has passed. No
// call into the PC/SC library can be interrupted: one that is given up goes on in its
// goroutine until the service answers or ends, and then its result goes to undo.
func within[T any](ctx context.Context, d time.Duration, f func() (T, error), undo func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	done, gaveUp := make(chan result), make(chan struct{})
	go func() {
		value, err := f()
		select {
		case done <- result{value, err}:
		case <-gaveUp:
			if err == nil {
				undo(value)
			}
		}
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		close(gaveUp)
		return none, ctx.Err()
	case <-timer.C:
		close(gaveUp)
		return none, errLate
	}
}

// establish reaches the service. A service that can't start leaves its clients waiting
// in its socket's queue for ever, hence the time limit.
func establish(ctx context.Context, d time.Duration) (*scard.Context, error) {
	c, err := within(ctx, d, scard.EstablishContext, func(c *scard.Context) { c.Release() })
	if errors.Is(err, errLate) {
		return nil, fmt.Errorf("%w: no answer within %v", ErrNoService, d)
	}
	return c, refusal(err)
}

// refusal says what a failure to reach the service means. Once reached, a service that
// hangs up has ended; before that it wants no such client.
func refusal(err error) error {
	if errors.Is(err, scard.ErrSecurityViolation) {
		return ErrDenied
	}
	return problem(err)
}
