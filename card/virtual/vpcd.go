package virtual

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// Event is what a hand does to a card in a virtual reader.
type Event byte

// The events of ServeOptions.Control.
const (
	Insert     Event = iota + 1 // put the card in; nothing if it is there
	Remove                      // take it out
	PowerCycle                  // take it out and put it in again
)

// ServeOptions say how Serve works.
type ServeOptions struct {
	Addr    string       // host:port of the reader; "" is 127.0.0.1:35963
	Out     bool         // begin with the card outside the reader
	Control <-chan Event // nil: the card stays; closed: Serve ends
	Ready   func()       // called each time that the reader has fetched the ATR after an insertion
}

const defaultAddr = "127.0.0.1:35963"

// absence is long enough for a reader that looks every 400 ms to see that a card is gone.
const absence = 900 * time.Millisecond

// Card is what can be held into a virtual reader: a chip, or what somebody put before one.
type Card interface {
	apdu.Wire
	ATR() []byte
	Reset() // powers it down and up again
}

// Serve holds the card into a virtual reader (vpcd of the vsmartcard project) until ctx is
// done or Control is closed, and then returns nil. A card whose power failed in a torn
// write (OnWrite) leaves the reader and comes back, restarted, with the next Insert;
// without Control that is apdu.ErrRemoved. A reader that isn't there or goes away is an
// error. The card stays the caller's.
func Serve(ctx context.Context, c Card, o ServeOptions) error {
	if o.Addr == "" {
		o.Addr = defaultAddr
	}
	s := server{chip: c, o: o}
	for out := o.Out; ; {
		if out {
			if ended := s.waitOutside(ctx); ended {
				return nil
			}
		}
		c.Reset()
		ended, err := s.inside(ctx)
		c.Reset()
		if ended || err != nil {
			return err
		}
		out = true
		if s.back {
			s.back, out = false, false
			if !pause(ctx, absence) {
				return nil
			}
		}
	}
}

type server struct {
	chip Card
	o    ServeOptions
	back bool // a power cycle: the card goes in again
}

// waitOutside waits for an insertion. It is true when Serve is to end.
func (s *server) waitOutside(ctx context.Context) bool {
	for {
		select {
		case <-ctx.Done():
			return true
		case e, ok := <-s.o.Control:
			if !ok {
				return true
			}
			if e != Remove {
				return false
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// inside connects and serves until the card is taken out (false, nil), Serve is to end
// (true, nil) or the reader fails.
func (s *server) inside(ctx context.Context) (ended bool, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.o.Addr)
	if err != nil {
		if ctx.Err() != nil {
			return true, nil
		}
		return false, fmt.Errorf("virtual reader: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.answer(ctx, conn) }() // ends with the connection
	out := func() {
		conn.Close()
		<-done
	}
	for {
		select {
		case <-ctx.Done():
			out()
			return true, nil
		case err := <-done:
			conn.Close()
			if errors.Is(err, apdu.ErrRemoved) && s.o.Control != nil {
				return false, nil
			}
			return ctx.Err() != nil, lost(ctx, err)
		case e, ok := <-s.o.Control:
			if ok && e == Insert {
				continue
			}
			out()
			s.back = e == PowerCycle
			return !ok, nil
		}
	}
}

// lost is why the connection ended, nil if it was ctx.
func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("virtual reader: connection lost: %w", err)
}

// Control codes of vpcd: a message of one octet.
const (
	vpcdPowerOff = 0x00
	vpcdPowerOn  = 0x01
	vpcdReset    = 0x02
	vpcdATR      = 0x04
)

// answer serves one connection to its end: messages of two octets of length and a payload,
// both ways.
func (s *server) answer(ctx context.Context, conn net.Conn) error {
	ready := s.o.Ready
	var length [2]byte
	for {
		quickAck(conn)
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return err
		}
		message := make([]byte, binary.BigEndian.Uint16(length[:]))
		quickAck(conn)
		if _, err := io.ReadFull(conn, message); err != nil {
			return err
		}
		reply, err := s.reply(ctx, message)
		if err != nil {
			return err
		}
		if reply == nil {
			continue
		}
		// One write: two would wait for each other's acknowledgement.
		framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reply)), uint16(len(reply)))
		if _, err := conn.Write(append(framed, reply...)); err != nil {
			return err
		}
		if ready != nil && len(message) == 1 && message[0] == vpcdATR {
			ready()
			ready = nil
		}
	}
}

// reply is what goes back for a message, nil for nothing. A command of one octet that is
// no control code is answered too, or the reader would wait for ever.
func (s *server) reply(ctx context.Context, message []byte) ([]byte, error) {
	if len(message) == 1 {
		switch message[0] {
		case vpcdPowerOff, vpcdPowerOn, vpcdReset:
			s.chip.Reset()
			return nil, nil
		case vpcdATR:
			return s.chip.ATR(), nil
		}
	}
	if len(message) == 0 {
		return nil, nil
	}
	b, err := s.chip.Exchange(ctx, message)
	if len(b) > 0xFFFF { // what a message can hold is a little less than what an answer can
		b = []byte{byte(apdu.WrongLength >> 8), byte(apdu.WrongLength & 0xFF)}
	}
	return b, err
}
