// Package auth holds the authentication protocols of chip documents: Basic Access
// Control, PACE, Chip Authentication and Active Authentication, with the chip's end of
// each beside the terminal's.
//
// What one step learns is the next step's argument, so that a wrong order does not
// compile: PACE and BAC give the channel that Chip1 and Active work through.
//
// The chip's ends (BACChip, PACEChip, ChipAuthChip, ActiveChip) are state machines
// without transport: a command goes in, a response comes out, and at the end keys. The
// response that comes with keys is sent as all before it; the channel under the new
// keys begins with the command after it.
package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

var (
	// ErrWrongPassword says that the chip refused the password. A *PasswordError tells
	// how many tries are left where the chip says so.
	ErrWrongPassword = errors.New("wrong password")
	// ErrBlocked says that the chip takes this password no more, or that its last try
	// would be spent.
	ErrBlocked = errors.New("the password is blocked")
	// ErrSuspended says that the PIN has one try left, which the chip takes only after the
	// CAN: PACE with the CAN, and then PACE with the PIN through its channel.
	ErrSuspended = errors.New("the PIN is suspended")
	// ErrPassword says that the password is none that the protocol can use: empty, or a
	// CAN where BAC needs the MRZ.
	ErrPassword = errors.New("the password does not fit the protocol")
	// ErrUnsupported says that the chip asks for a variant that this package lacks.
	ErrUnsupported = errors.New("not supported")
	// ErrProtocol says that the chip answered with success and against the protocol: the
	// chip is broken or false.
	ErrProtocol = errors.New("the chip breaks the protocol")
	// ErrSignature says that the chip's signature is not one of its key over our
	// challenge.
	ErrSignature = errors.New("the chip's signature is wrong")
	// ErrSigner says that the terminal's key, in an HSM or behind a service, did not sign.
	ErrSigner = errors.New("the terminal's key does not sign")
)

// PasswordError is ErrWrongPassword with what the chip said.
type PasswordError struct {
	Password string      // "CAN" or "MRZ"
	Status   apdu.Status // the chip's refusal
}

// Error names the password and the tries left, if the chip says so.
func (e *PasswordError) Error() string {
	if n, ok := e.TriesLeft(); ok {
		return fmt.Sprintf("wrong %s, %d tries left", e.Password, n)
	}
	return "wrong " + e.Password
}

// TriesLeft returns how many more tries the chip allows, if it says so.
func (e *PasswordError) TriesLeft() (int, bool) { return e.Status.TriesLeft() }

// Is makes it ErrWrongPassword.
func (e *PasswordError) Is(target error) bool { return target == ErrWrongPassword }

// do sends c and returns the data of an answer that is OK. All other answers are a
// *apdu.StatusError, warnings too: no step of these protocols goes on after one.
func do(ctx context.Context, t apdu.Transmitter, c apdu.Command) ([]byte, error) {
	data, status, err := apdu.Do(ctx, t, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := c.Refused(status); err != nil {
		return nil, err
	}
	return data, nil
}

// draw returns n random octets in a slice of its own, or a copy of fixed where a worked
// example fixes them.
func draw(fixed []byte, n int) []byte {
	b := make([]byte, n)
	if fixed != nil {
		copy(b, fixed)
		return b
	}
	rand.Read(b) // never fails, see its documentation
	return b
}
