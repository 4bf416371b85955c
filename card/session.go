package card

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// Options say how to open a card. The zero value selects LDS1 and has no password.
type Options struct {
	Application []byte // AID to select; nil stands for LDS1, A0000002471001

	// Passwords are tried in this order as far as the card knows their kind; a wrong
	// one ends it. The session does not destroy them.
	Passwords []auth.Password
	// Ask is called for a password where Passwords has none that the protocol takes.
	Ask func(context.Context, Prompt) (auth.Password, error)

	// AllowBAC permits BAC where the card offers PACE and PACE did not come about for
	// another reason than a wrong password.
	AllowBAC bool

	Log *slog.Logger // nil is silent
}

// Prompt says which password is asked for.
type Prompt struct {
	Protocol  string   // "PACE" or "BAC"
	Passwords []string // the kinds that the protocol takes: "CAN", "MRZ"
}

// Access says how a card was opened.
type Access struct {
	Protocol   string       // "PACE" or "BAC"
	Password   string       // "CAN" or "MRZ"
	Info       lds.PACEInfo // the variant of PACE
	CardAccess []byte       // EF.CardAccess as it was read, nil if the card has none
	// Refused is why PACE failed, where AllowBAC then let BAC in; else nil.
	Refused error
}

// Session is an open card with its secure channel. It serves one goroutine at a time
// and must not be copied. Whoever opened it closes it.
type Session struct {
	link    *apdu.Link
	channel *sm.Channel // nil before access
	access  Access
	le      int // the most answer data that the card was seen to bear
	ahead   *ahead
	o       Options
}

// LDS1 is the AID of the eMRTD application (Doc 9303-10 §3.2).
func LDS1() []byte { return []byte{0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01} }

// Open reads EF.CardAccess, opens the card by PACE or BAC and selects the application.
// The link's limits must be those of card and reader. On an error nothing is left open;
// besides the errors of this package it wraps those of the link and of package auth.
func Open(ctx context.Context, link *apdu.Link, o Options) (*Session, error) {
	if o.Application == nil {
		o.Application = LDS1()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{link: link, o: o}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.o.Log.Info("card opened", "protocol", s.access.Protocol, "password", s.access.Password, "apdus", link.Traffic().APDUs)
	return s, nil
}

// Access says how the card was opened.
func (s *Session) Access() Access { return s.access }

// Close forgets the keys of the channel and leaves the link open. It may be called more
// than once.
func (s *Session) Close() {
	if s.channel != nil {
		s.channel.Close()
	}
	s.ahead = nil
}

// Transmit sends a command of the caller's own through the secure channel.
func (s *Session) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if s.channel == nil {
		return apdu.Response{}, sm.ErrClosed
	}
	s.ahead = nil
	return s.channel.Transmit(ctx, c)
}

// take makes ch the session's channel. What was learned about the card's limit stays.
func (s *Session) take(ch *sm.Channel) {
	s.channel = ch
	if most := ch.MaxResponse(s.link.Limits()); s.le == 0 || s.le > most {
		s.le = most
	}
}

// selectApplication selects by AID, through the channel if there is one, without an
// answer template and so without Le.
func (s *Session) selectApplication(ctx context.Context, t apdu.Transmitter) error {
	c := apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: s.o.Application}
	_, status, err := apdu.Do(ctx, t, c)
	if err == nil {
		err = c.Refused(status)
	}
	if errors.Is(err, apdu.FileNotFound) {
		err = fmt.Errorf("%w: %w", ErrNoApplication, err)
	}
	if err != nil {
		return fmt.Errorf("select application %X: %w", s.o.Application, err)
	}
	return nil
}
