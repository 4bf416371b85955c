//go:build cgo && !nopcsc

package pcsc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// Card is an open card, an apdu.Wire. Its methods may be called from any goroutine; they
// take turns.
//
// Between Open and Close no other program's command reaches the card: without
// Options.Exclusive by a transaction for the whole time. Another program can still
// reset the card on some systems: apdu.ErrReset. A card that was removed stays
// removed, even if it is put back.
//
// A Card has one goroutine, in which all of its calls into the service are made. It ends
// with Close. After an exchange that was cancelled or timed out it ends when the
// service returns from that call: when the card answers or is removed, or the service
// ends. Until then the reader stays busy.
type Card struct {
	timeout  time.Duration
	turn     chan struct{} // holds a token while nobody has the turn
	requests chan func(*session)
	ended    chan struct{} // closed when the goroutine has ended
	// What follows belongs to who has the turn.
	failed error // what every exchange returns, nil while the card works
	closed bool  // requests is closed
	atr    []byte
	proto  Protocol
	limits apdu.Limits
}

var errClosed = fmt.Errorf("the card is closed: %w", apdu.ErrAbandoned)

// Open opens the card in the reader of that name, in at most twice
// Options.EstablishTimeout. It returns ErrNoService, ErrNoReader, ErrNoCard, ErrBusy or
// ErrUnresponsive, wrapped, or ctx's error. The Card must be closed.
func Open(ctx context.Context, name string, o Options) (*Card, error) {
	o = o.withDefaults()
	s, err := connect(ctx, name, o)
	if err != nil {
		return nil, fmt.Errorf("open the card in %q: %w", name, err)
	}
	c := &Card{
		timeout:  o.Timeout,
		turn:     make(chan struct{}, 1),
		requests: make(chan func(*session)),
		ended:    make(chan struct{}),
		atr:      s.atr,
		proto:    s.protocol,
		limits:   s.limits(),
	}
	c.turn <- struct{}{}
	go c.run(s)
	return c, nil
}

// run is the card's goroutine.
func (c *Card) run(s *session) {
	defer close(c.ended)
	defer s.close()
	for do := range c.requests {
		do(s)
	}
}

// Exchange sends an encoded command and returns the answer. A command of less than four
// octets is apdu.ErrMalformed and goes nowhere; over T=0 an extended one is
// apdu.ErrTooLong.
//
// It returns apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout or ErrUnresponsive,
// wrapped. If ctx is done or the time is over before the answer is there, the card is
// abandoned: that exchange returns ctx's error or apdu.ErrTimeout and all later ones
// apdu.ErrAbandoned.
func (c *Card) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if err := c.take(ctx); err != nil {
		return nil, err
	}
	defer c.give()
	if c.failed != nil {
		return nil, c.failed
	}
	b, err := c.admit(b)
	if err != nil {
		return nil, err
	}
	var answer []byte
	err = c.call(ctx, func(s *session) (err error) {
		answer, err = s.transmit(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// maxCommand is the largest encoded command there is: a header, extended Lc and Le.
const maxCommand = 4 + 3 + apdu.MaxData + 2

// admit returns a copy of the command as the protocol takes it. Virtual readers take a
// command of one octet for a control code and then wait for ever.
func (c *Card) admit(b []byte) ([]byte, error) {
	switch {
	case len(b) < 4:
		return nil, fmt.Errorf("command of %d octets: %w", len(b), apdu.ErrMalformed)
	case len(b) > maxCommand:
		return nil, fmt.Errorf("command of %d octets: %w", len(b), apdu.ErrTooLong)
	case c.proto == T0:
		return forT0(b)
	}
	return bytes.Clone(b), nil
}

// Reset resets the card and keeps it open: whatever was selected or proved on the chip is
// forgotten. It is the way back after apdu.ErrReset, and fails as Exchange does.
func (c *Card) Reset(ctx context.Context) error {
	if err := c.take(ctx); err != nil {
		return err
	}
	defer c.give()
	if c.failed != nil && !errors.Is(c.failed, apdu.ErrReset) {
		return c.failed
	}
	c.failed = nil
	var atr []byte
	var proto Protocol
	err := c.call(ctx, func(s *session) error {
		err := s.reset()
		atr, proto = s.atr, s.protocol
		return err
	})
	if err != nil {
		return fmt.Errorf("reset the card: %w", err)
	}
	c.atr, c.proto = atr, proto
	return nil
}

// call has f done in the card's goroutine. What f writes may be read only if call returns
// what f returned.
func (c *Card) call(ctx context.Context, f func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err // nothing was sent, so nothing is abandoned
	}
	done := make(chan error, 1)
	c.requests <- func(s *session) { done <- f(s) }
	timer := time.NewTimer(c.timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		if errors.Is(err, apdu.ErrRemoved) || errors.Is(err, apdu.ErrReset) {
			c.failed = err
		}
		return err
	case <-ctx.Done():
		c.end(apdu.ErrAbandoned)
		return ctx.Err()
	case <-timer.C:
		c.end(apdu.ErrAbandoned)
		return fmt.Errorf("%w: %v", apdu.ErrTimeout, c.timeout)
	}
}

// end lets the goroutine end as soon as it is free.
func (c *Card) end(failed error) {
	c.failed, c.closed = failed, true
	close(c.requests)
}

func (c *Card) take(ctx context.Context) error {
	select {
	case <-c.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Card) give() { c.turn <- struct{}{} }

// ATR returns the card's answer to its last reset, 2 to 33 octets.
func (c *Card) ATR() []byte {
	<-c.turn
	defer c.give()
	return bytes.Clone(c.atr)
}

// Limits returns what the reader bears: what it says (dwMaxAPDUDataSize, PC/SC part 10),
// the largest APDUs if it says nothing, short ones over T=0. Some drivers drop what they
// claim to take, so that a caller must be ready to go back to short APDUs.
func (c *Card) Limits() apdu.Limits { return c.limits }

// Claims says what the card's historical bytes say of extended length.
func (c *Card) Claims() Extended { return extended(historical(c.ATR())) }

// Protocol returns the protocol in use.
func (c *Card) Protocol() Protocol {
	<-c.turn
	defer c.give()
	return c.proto
}

// Close gives the card back to other programs, reset. It waits for an exchange that is
// under way. It returns apdu.ErrTimeout if the service doesn't take the card back in
// time, and nil for a card that is removed, abandoned or closed already.
func (c *Card) Close() error {
	<-c.turn
	defer c.give()
	if c.closed {
		return nil
	}
	c.end(errClosed)
	timer := time.NewTimer(defaultEstablishTimeout)
	defer timer.Stop()
	select {
	case <-c.ended:
		return nil
	case <-timer.C:
		return fmt.Errorf("close the card: %w", apdu.ErrTimeout)
	}
}
