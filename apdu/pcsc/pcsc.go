// Package pcsc reaches cards through PC/SC: it lists readers, waits for a card and opens
// it as an apdu.Wire.
//
// It is the only importer of the PC/SC binding and closes that one's pitfalls behind its
// own names. Without cgo, or built with the tag nopcsc, everything returns ErrUnavailable.
package pcsc

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors that callers branch on. Errors of a Card are those of package apdu:
// apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout and apdu.ErrAbandoned.
var (
	// ErrUnavailable says that this program was built without PC/SC.
	ErrUnavailable = errors.New("built without PC/SC")
	// ErrNoService says that the PC/SC service (pcscd) doesn't run or doesn't answer.
	ErrNoService = errors.New("the PC/SC service is not running")
	// ErrDenied says that the PC/SC service refuses this user (polkit).
	ErrDenied = errors.New("the PC/SC service refuses this user")
	// ErrNoReader says that there is no reader, or none of that name.
	ErrNoReader = errors.New("no card reader")
	// ErrNoCard says that the reader is empty.
	ErrNoCard = errors.New("no card in the reader")
	// ErrBusy says that another program holds the card for itself.
	ErrBusy = errors.New("another program holds the card")
	// ErrUnresponsive says that there is a card that doesn't talk: it lies the wrong way,
	// is dirty, or is no chip card.
	ErrUnresponsive = errors.New("the card does not respond")
)

// Reader is a card reader and what it saw last.
type Reader struct {
	Name string // as the PC/SC service gives it; unique at any one time
	Card bool   // a card is present
	Busy bool   // another program holds the card for itself
	Mute bool   // a card is present but does not answer
	ATR  []byte // the card's answer to reset, nil without a card or from a mute one
}

// AmbiguousError says that several readers have a card, or match a name.
type AmbiguousError struct {
	Readers []Reader // at least two
}

// Error lists the readers' names.
func (e *AmbiguousError) Error() string {
	names := make([]string, len(e.Readers))
	for i, r := range e.Readers {
		names[i] = fmt.Sprintf("%q", r.Name)
	}
	return "more than one card reader: " + strings.Join(names, ", ")
}

// Protocol is how the reader talks to the card.
type Protocol string

// The protocols of ISO/IEC 7816-3. Contactless cards appear as T=1.
const (
	T0 Protocol = "T=0"
	T1 Protocol = "T=1"
)

// Options are how a card is opened. The zero value shares the reader and waits half a
// minute for each answer.
type Options struct {
	// Exclusive refuses the card to every other program, and fails with ErrBusy if one
	// has it open. Without it other programs may have the card open, but what they send
	// waits until ours is closed.
	Exclusive bool
	// Timeout is how long one exchange may take; 0 is 30 seconds.
	Timeout time.Duration
	// EstablishTimeout is how long the service may take to answer, and how long another
	// program may keep the card; 0 is 5 seconds each.
	EstablishTimeout time.Duration
}

const (
	defaultTimeout          = 30 * time.Second
	defaultEstablishTimeout = 5 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.EstablishTimeout <= 0 {
		o.EstablishTimeout = defaultEstablishTimeout
	}
	return o
}
