package relay

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// Carry is the end at the card: it hands the terminal's commands to t as far as the rules let
// it, until the terminal has said its last word, which it returns. It closes the stream,
// whose Close has to unblock reading and writing.
//
// A command that the rules do not let through is not sent, the terminal is told why, and the
// session is over: the error is a *Refusal. What the card does not answer is t's error, which
// the terminal learns by its kind only. Else it is ErrGone, ErrStream, ErrSilent or ctx's.
func Carry(ctx context.Context, stream io.ReadWriteCloser, t apdu.Transmitter, r Rules) (last []byte, err error) {
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer stop()
	c := carrier{stream: stream, card: t, gate: newGate(r)}
	for {
		f, err := c.next()
		if err == nil && f.kind == ended {
			return f.data, nil
		}
		if err == nil {
			err = c.hand(ctx, f)
		}
		if err != nil {
			if ctx.Err() != nil && gone(err) {
				err = ctx.Err()
			}
			return nil, err
		}
	}
}

// carrier is one session at the card.
type carrier struct {
	stream io.ReadWriteCloser
	card   apdu.Transmitter
	gate   *gate
	number uint32
}

// patient is a reading or a writing that the terminal may hold up for so long and no longer.
func (c *carrier) patient(f func() error) error {
	var silent atomic.Bool
	timer := time.AfterFunc(c.gate.rules.Silence, func() {
		silent.Store(true)
		c.stream.Close()
	})
	defer timer.Stop()
	err := f()
	if err != nil && silent.Load() {
		return ErrSilent
	}
	return err
}

// next waits for the terminal's next frame.
func (c *carrier) next() (frame, error) {
	var f frame
	err := c.patient(func() (err error) {
		f, err = readFrame(c.stream)
		return err
	})
	switch {
	case err != nil:
		return frame{}, err
	case f.kind == command && f.number == c.number+1 || f.kind == ended && f.number == c.number:
		c.number = f.number
		return f, nil
	}
	return frame{}, fmt.Errorf("%w: a frame that is not due", ErrStream)
}

// hand hands one command on and its answer back.
func (c *carrier) hand(ctx context.Context, f frame) error {
	cmd, err := apdu.ParseCommand(f.data)
	if err != nil {
		return c.refuse(&Refusal{Code: CodeMalformed})
	}
	if r := c.gate.admit(cmd); r != nil {
		return c.refuse(r)
	}
	a, err := c.card.Transmit(ctx, cmd)
	if err != nil {
		// Best effort: the terminal sees that the stream ends in any case.
		_ = c.tell(failed, []byte{faultOf(err)})
		return fmt.Errorf("%s: %w", cmd.Name(), err)
	}
	if r := c.gate.answered(cmd, a); r != nil {
		return c.refuse(r)
	}
	return c.tell(answer, a.Bytes())
}

func (c *carrier) refuse(r *Refusal) error {
	_ = c.tell(refused, []byte(r.Code))
	return r
}

func (c *carrier) tell(k kind, data []byte) error {
	return c.patient(func() error { return writeFrame(c.stream, frame{k, c.number, data}) })
}
