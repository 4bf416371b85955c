// Package apdu holds the commands and answers of ISO/IEC 7816-4 and carries them to
// a card: Command, Response and Status, and a Link that speaks them over any Wire.
//
// Three kinds of bad news stay apart. No answer is an error of Transmit. A refusal is
// a Status, part of an ordinary Response. What a card's data are worth is nobody's
// business here.
package apdu

import (
	"context"
	"errors"
	"fmt"
)

// Transmitter sends one command and returns the card's whole answer. An answer that is
// not OK is a Response, not an error: an error says that there was no answer, or none
// that may be believed. Implementations serve one goroutine at a time and keep no
// slice of the command.
type Transmitter interface {
	Transmit(context.Context, Command) (Response, error)
}

// Wire carries one encoded command to a card and brings its answer back: data and the
// two status octets. It keeps no slice that is given to it, and what it returns belongs
// to the caller. After an exchange was given up half-way it returns ErrAbandoned only.
type Wire interface {
	Exchange(ctx context.Context, b []byte) ([]byte, error)
}

// What may happen to a wire. Errors of a Wire wrap one of these where it applies.
var (
	// ErrAbandoned says that an earlier exchange was cancelled or timed out before its
	// answer came, so that no later answer could be told from that one.
	ErrAbandoned = errors.New("the connection was abandoned in the middle of an exchange")
	// ErrRemoved says that the card is gone.
	ErrRemoved = errors.New("the card was removed")
	// ErrReset says that another program reset the card: every session with the chip is
	// lost and the protocol must start again from its beginning.
	ErrReset = errors.New("the card was reset by another program")
	// ErrTimeout says that no answer came in time.
	ErrTimeout = errors.New("the card did not answer in time")
)

// Errors of encoding and decoding.
var (
	// ErrTooLong says that a command, or the answer that it asks for, is larger than
	// the card or the reader takes.
	ErrTooLong = errors.New("longer than the card or the reader takes")
	// ErrMalformed says that octets are no command or no answer, or that a Command's
	// fields can't be encoded.
	ErrMalformed = errors.New("malformed")
)

// Do sends c through t and splits the answer. The data are returned whatever the status
// is: a warning often comes with data. The error is t's own, and nothing else.
func Do(ctx context.Context, t Transmitter, c Command) ([]byte, Status, error) {
	r, err := t.Transmit(ctx, c)
	if err != nil {
		return nil, 0, err
	}
	return r.Data, r.Status, nil
}

// Response is a card's answer.
type Response struct {
	Data   []byte // may be empty, at most MaxLe octets
	Status Status
}

// ParseResponse splits an encoded answer of 2 to MaxLe+2 octets; anything else is
// ErrMalformed. Data is a part of b.
func ParseResponse(b []byte) (Response, error) {
	if len(b) < 2 || len(b) > MaxLe+2 {
		return Response{}, fmt.Errorf("answer of %d octets: %w", len(b), ErrMalformed)
	}
	n := len(b) - 2
	return Response{Data: b[:n:n], Status: Status(b[n])<<8 | Status(b[n+1])}, nil
}

// Bytes encodes the answer in a new slice: the data and two octets of status.
func (r Response) Bytes() []byte {
	b := make([]byte, 0, len(r.Data)+2)
	return append(append(b, r.Data...), byte(r.Status>>8), byte(r.Status))
}

// Err is nil for OK and the Status otherwise.
func (r Response) Err() error { return r.Status.Err() }
