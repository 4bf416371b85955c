// Package sm is the secure messaging of chip documents (Doc 9303-11 §9.8, ISO/IEC
// 7816-4 §10): both ends of a channel that encrypts and authenticates every command and
// every answer under a counter.
//
// A channel closes at its first failure and forgets its keys. From then on it sends
// nothing, so that no command follows in the clear. What a card says without protection
// inside a session is a failure too, whatever it says: a bare 6A82 is ErrProtection and
// never "file not found".
package sm

import (
	"errors"

	"github.com/tamthe/tamthe/apdu"
)

var (
	// ErrProtection reports an answer, or a command at the chip's end, that is not
	// protected as it must be. The channel is closed.
	ErrProtection = errors.New("secure messaging: protection failed")
	// ErrClosed reports the use of a channel that was closed, by its owner or by a
	// failure.
	ErrClosed = errors.New("secure messaging: the channel is closed")
)

// BareError is inside ErrProtection where the answer was a status without protection and
// without data.
type BareError struct{ Status apdu.Status }

// Error names the status.
func (e *BareError) Error() string { return "an answer in the clear: " + e.Status.Error() }

// errObjects says that an answer is not made of the data objects that it must have.
var errObjects = errors.New("not the data objects of a protected answer")
