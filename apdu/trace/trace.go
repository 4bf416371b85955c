// Package trace records the commands and answers of an exchange as text, without the
// personal data that they carry, and plays such a record back.
package trace

import (
	"context"
	"errors"
	"io"

	"github.com/tamthe/tamthe/apdu"
)

// ErrDiverged says that a command was sent that the record does not hold at this place.
var ErrDiverged = errors.New("the command differs from the record")

// Recorder is a Transmitter that writes what passes through it.
type Recorder struct{}

// Record returns a Recorder over t that writes to w. It belongs above secure messaging.
func Record(t apdu.Transmitter, w io.Writer) *Recorder { panic("todo") }

// Transmit sends c and records it with its answer.
func (r *Recorder) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	panic("todo")
}

// Exchange is one command and its answer.
type Exchange struct {
	Command  apdu.Command
	Response apdu.Response
}

// Parse reads a record.
func Parse(r io.Reader) ([]Exchange, error) { panic("todo") }

// Player answers as a record says, and only to the recorded commands in their order. It
// is a Transmitter and a Wire.
type Player struct{}

// Play returns a Player of the exchanges.
func Play(x []Exchange) *Player { panic("todo") }

// Transmit answers c.
func (p *Player) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) { panic("todo") }

// Exchange answers an encoded command.
func (p *Player) Exchange(ctx context.Context, b []byte) ([]byte, error) { panic("todo") }
