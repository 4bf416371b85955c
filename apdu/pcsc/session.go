//go:build cgo && !nopcsc

package pcsc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ebfe/scard"

	"github.com/tamthe/tamthe/apdu"
)

// session is a connection to a card with a service context of its own. It belongs to one
// goroutine. Unless it is exclusive it holds a transaction from its first to its last
// moment, so that no other program's command comes between two of ours: under secure
// messaging one would end the session with the chip.
type session struct {
	context   *scard.Context
	card      *scard.Card
	exclusive bool
	used      bool // a command was sent
	protocol  Protocol
	atr       []byte
}

const anyProtocol = scard.ProtocolT0 | scard.ProtocolT1

// connect opens the card, in at most twice the time that o gives.
func connect(ctx context.Context, name string, o Options) (*session, error) {
	c, err := establish(ctx, o.EstablishTimeout)
	if err != nil {
		return nil, err
	}
	s := &session{context: c, exclusive: o.Exclusive}
	// Another program's transaction makes these calls wait as long as it lasts.
	_, err = within(ctx, o.EstablishTimeout, func() (*session, error) {
		err := s.begin(name)
		if err != nil {
			s.close()
		}
		return s, err
	}, (*session).close)
	if errors.Is(err, errLate) {
		return nil, fmt.Errorf("%w for more than %v", ErrBusy, o.EstablishTimeout)
	}
	if err != nil {
		return nil, problem(err)
	}
	return s, nil
}

// begin connects and claims the card. Another program may reset it between the two.
func (s *session) begin(name string) error {
	card, err := s.context.Connect(name, s.mode(), anyProtocol)
	if err != nil {
		return err
	}
	s.card = card
	err = s.claim()
	for range 3 {
		if !errors.Is(err, scard.ErrResetCard) {
			break
		}
		if err = s.card.Reconnect(s.mode(), anyProtocol, scard.LeaveCard); err == nil {
			err = s.claim()
		}
	}
	return err
}

func (s *session) mode() scard.ShareMode {
	if s.exclusive {
		return scard.ShareExclusive
	}
	return scard.ShareShared
}

// claim begins the transaction and learns protocol and ATR.
func (s *session) claim() error {
	if !s.exclusive {
		if err := s.card.BeginTransaction(); err != nil {
			return err
		}
	}
	switch s.card.ActiveProtocol() { // the binding panics on any other
	case scard.ProtocolT0:
		s.protocol = T0
	case scard.ProtocolT1:
		s.protocol = T1
	default:
		return fmt.Errorf("%w: it speaks neither T=0 nor T=1", ErrUnresponsive)
	}
	status, err := s.card.Status()
	if err != nil {
		return err
	}
	s.atr = status.Atr
	return nil
}

// limits is what the reader bears.
func (s *session) limits() apdu.Limits {
	if s.protocol == T0 {
		return apdu.Limits{}
	}
	n := maxAPDU(s.card)
	switch {
	case n == 0:
		n = maxMessage
	case n < 300: // it speaks of the data of a short APDU
		return apdu.Limits{}
	}
	n = min(n, maxMessage)
	return apdu.Limits{Command: n, Response: n}
}

// maxMessage is the largest APDU in octets that is sent: what the messages of virtual
// readers can hold.
const maxMessage = 65535

// transmit sends an encoded command.
func (s *session) transmit(b []byte) ([]byte, error) {
	s.used = true
	answer, err := s.card.Transmit(b)
	if err == nil && len(answer) < 2 {
		err = scard.ErrNotTransacted // vpcd 3.3 calls a card that left at this moment an empty answer
	}
	if err == nil {
		return bytes.Clone(answer), nil // the binding's slice lies in 64 KiB
	}
	if errors.Is(err, scard.ErrNotTransacted) || errors.Is(err, scard.ErrCommError) {
		err = s.settle(err, nil)
	}
	return nil, loss(err)
}

// The service looks for cards every 0.4 s. Until then it doesn't know why an exchange
// failed.
const (
	settleTime = 1200 * time.Millisecond
	settleStep = 20 * time.Millisecond
)

// settle waits until the service knows whether the card is still there. If it is, the
// failure stands. What it says anyway until then is no news.
func (s *session) settle(failure, anyway error) error {
	for end := time.Now().Add(settleTime); time.Now().Before(end); time.Sleep(settleStep) {
		if _, err := s.card.Status(); err != nil && !errors.Is(err, anyway) {
			return err
		}
	}
	return failure
}

// reset resets the card and claims it again. A card that leaves meanwhile is to the service
// one that does not respond, or one of which it forgets to say that it came back, until it
// has looked again.
func (s *session) reset() error {
	err := s.card.Reconnect(s.mode(), anyProtocol, scard.ResetCard)
	if errors.Is(err, scard.ErrUnresponsiveCard) || errors.Is(err, scard.ErrNoSmartcard) {
		err = s.settle(err, scard.ErrResetCard)
	}
	if err != nil {
		return loss(err)
	}
	if err := s.claim(); err != nil {
		return loss(err)
	}
	return nil
}

// close gives the card back, reset if it was used, so that no program goes on with what
// this one has opened on the chip. What fails here fails because card or service are gone.
func (s *session) close() {
	then := scard.LeaveCard
	if s.used {
		then = scard.ResetCard
	}
	if s.card != nil {
		if !s.exclusive {
			s.card.EndTransaction(then)
			then = scard.LeaveCard
		}
		s.card.Disconnect(then)
	}
	s.context.Release()
}

// forT0 makes the command of a case 4 or 1 what T=0 can carry (ISO/IEC 7816-3 §12.2): Le
// goes, and GET RESPONSE fetches the answer; a bare header gets its P3.
func forT0(b []byte) ([]byte, error) {
	c, err := apdu.ParseCommand(b)
	if err != nil {
		return nil, err
	}
	if len(c.Data) > 0 {
		c.Le = 0
	}
	b, err = c.Encode(false)
	if len(b) == 4 {
		b = append(b, 0)
	}
	return b, err
}
