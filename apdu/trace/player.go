package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// ErrDiverged says that a command came that the record does not have at this place.
var ErrDiverged = errors.New("the command differs from the record")

// Player answers as a record says, and only to the recorded commands in their order. It
// is a Transmitter and a Wire, and serves one goroutine at a time.
//
// Of a command whose data a Recorder leaves out, only header, lengths and Le are
// compared.
type Player struct {
	exchanges []Exchange
	played    int
	lost      error // of an exchange that differed
}

// Play returns a Player of the exchanges.
func Play(x []Exchange) *Player { return &Player{exchanges: x} }

// Rest is the number of exchanges that have not been asked for.
func (p *Player) Rest() int { return len(p.exchanges) - p.played }

// Transmit answers c. An exchange that has no answer in the record is an error of the
// recorded text. Any other command than the recorded one is ErrDiverged, wrapped, and so
// is every command after that.
func (p *Player) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if err := ctx.Err(); err != nil {
		return apdu.Response{}, err
	}
	if p.lost != nil {
		return apdu.Response{}, p.lost
	}
	if p.Rest() == 0 {
		p.lost = fmt.Errorf("%s after the record's end: %w", c.Name(), ErrDiverged)
		return apdu.Response{}, p.lost
	}
	x := p.exchanges[p.played]
	if !same(x.Command, c) {
		p.lost = fmt.Errorf("exchange %d, %s instead of %s: %w", p.played+1, describe(c), describe(x.Command), ErrDiverged)
		return apdu.Response{}, p.lost
	}
	p.played++
	if x.Failure != "" {
		return apdu.Response{}, errors.New(x.Failure)
	}
	return apdu.Response{Data: bytes.Clone(x.Response.Data), Status: x.Response.Status}, nil
}

// Exchange answers an encoded command, as Transmit does; short and extended encoding
// are the same to it.
func (p *Player) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	c, err := apdu.ParseCommand(b)
	if err != nil {
		return nil, err
	}
	r, err := p.Transmit(ctx, c)
	if err != nil {
		return nil, err
	}
	return r.Bytes(), nil
}

func same(recorded, c apdu.Command) bool {
	if recorded.CLA != c.CLA || recorded.INS != c.INS || recorded.P1 != c.P1 || recorded.P2 != c.P2 || recorded.Le != c.Le {
		return false
	}
	if secretData(c) {
		return len(recorded.Data) == len(c.Data)
	}
	return bytes.Equal(recorded.Data, c.Data)
}

// describe shows no command data.
func describe(c apdu.Command) string {
	return fmt.Sprintf("%s %02X%02X%02X%02X with %d octets and Le %d", c.Name(), c.CLA, c.INS, c.P1, c.P2, len(c.Data), c.Le)
}
