package ledger

import (
	"errors"
	"fmt"
	"time"
)

// Lease says who works on something, an application or a chip, and until when nobody else
// should. It is beside the log: what an act may do is judged by the rules alone, so that a
// lease that is lost or taken too early does no harm. It spares a chip from being taken up
// by two desks.
type Lease struct {
	Subject string
	Holder  string
	Epoch   uint64        // greater each time that the subject is taken while its lease stands
	Until   time.Time     // by the store's clock
	Left    time.Duration // until then, when the store was asked; not above zero once it is over
}

// MaxLease is the longest time for which a lease is given. Nobody waits longer for one that
// its holder doesn't renew, wherever the store's clock is moved.
const MaxLease = 10 * time.Minute

// ErrLease means that a lease is asked for with no subject or holder, or for no or too long
// a time.
var ErrLease = errors.New("a lease is of something, for somebody, for at most ten minutes")

// LeaseError means that somebody else has the lease.
type LeaseError struct {
	Lease // of who has it; if Lost, only its subject where nobody has it any more
	// Lost says that whoever asks had it: they were silent for so long that it was over, and
	// somebody took the subject over. What they have in hand they must not go on with.
	Lost bool
}

// Error names the holder and the time.
func (e *LeaseError) Error() string {
	at := e.Until.UTC().Format(time.RFC3339)
	switch {
	case e.Lost && e.Holder == "":
		return e.Subject + " was taken over meanwhile, and given back"
	case e.Lost:
		return fmt.Sprintf("%s was taken over by %s, who has it until %s", e.Subject, e.Holder, at)
	}
	return fmt.Sprintf("%s is in the hands of %s until %s", e.Subject, e.Holder, at)
}

// CheckLease refuses what no store gives.
func CheckLease(subject, holder string, d time.Duration) error {
	if subject == "" || holder == "" || d <= 0 || d > MaxLease {
		return fmt.Errorf("%w: %q, %q, %s", ErrLease, subject, holder, d)
	}
	return nil
}
