package sm

import (
	"context"

	"github.com/tamthe/tamthe/apdu"
)

// Channel is the terminal's end: a Transmitter that protects what it sends through
// another one. It serves one goroutine at a time and must not be copied.
type Channel struct {
	next apdu.Transmitter
	end  end
}

// New opens a channel over t. It takes over k's slices and wipes them when it closes.
// Keys of wrong sizes make a channel that is closed from the beginning.
func New(t apdu.Transmitter, k Keys) *Channel { panic("todo") }

// Transmit protects c, sends it and returns the answer after its protection was
// verified. A refusal that the chip protected is an ordinary Response.
//
// Any other outcome closes the channel: ErrProtection for an answer that isn't protected
// rightly, the error of the transmitter below for no answer. A command that can't be
// protected because it is too long is apdu.ErrTooLong and leaves the channel open.
// After the end it is ErrClosed.
func (h *Channel) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	panic("todo")
}

// Switch sends first as the first command under new keys, through the same transmitter,
// and returns the channel that goes on with them once the answer's protection is
// verified. It takes over k's slices. h is closed in any case, for the chip has left its
// keys; with an error there is no channel at all.
func (h *Channel) Switch(ctx context.Context, k Keys, first apdu.Command) (*Channel, apdu.Response, error) {
	panic("todo")
}

// Close forgets the keys. It may be called more than once.
func (h *Channel) Close() { panic("todo") }

// MaxResponse returns the most answer data in octets whose protected form stays within
// l: the largest Le of use.
func (h *Channel) MaxResponse(l apdu.Limits) int { panic("todo") }

// MaxCommand returns the most command data in octets that stay within l once protected,
// with a Le.
func (h *Channel) MaxCommand(l apdu.Limits) int { panic("todo") }
