package card

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/card/sm"
)

// Options say how to open a card. The zero value selects LDS1, has no password and keeps
// to short APDUs.
type Options struct {
	Application []byte // AID to select; nil stands for the profile's, or LDS1, A0000002471001

	// Profile is the kind of document, if it is known; it says which passwords go first.
	Profile *profile.Profile

	// Passwords are tried in the profile's order, and without one in this, as far as the
	// card knows their kind; a wrong one ends it. The session does not destroy them, and
	// needs them until it is closed.
	Passwords []auth.Password
	// Ask is called for a password where Passwords has none that the protocol takes.
	Ask func(context.Context, Prompt) (auth.Password, error)

	// CHAT is the template of the rights that a terminal of the eID application asks for,
	// 7F4C (TR-03110-3 §C.1.5); nil for none. With it no application is selected before
	// Terminal and Chip Authentication have run: Select does it then.
	CHAT []byte

	// AllowBAC permits BAC where the card offers PACE and PACE did not come about for
	// another reason than a wrong password.
	AllowBAC bool

	// Reader is what the reader bears. If that is more than short APDUs the card is asked
	// for its own limits (EF.ATR/INFO), and the link's are raised to the smaller of both.
	Reader apdu.Limits
	// Claimed says that the card's historical bytes claim extended length; it counts
	// where EF.ATR/INFO is silent.
	Claimed bool
	// Block is the most file octets to ask for at once, whatever card and reader bear; 0
	// stands for 4,080.
	Block int

	Log *slog.Logger // nil is silent
}

// Prompt says which password is asked for.
type Prompt struct {
	Protocol  string   // "PACE" or "BAC"
	Passwords []string // the kinds that the protocol takes: "CAN", "MRZ"
}

// Access says how a card was opened.
type Access struct {
	Protocol     string       // "PACE" or "BAC"
	Password     string       // "CAN", "MRZ" or "PIN"
	Info         lds.PACEInfo // the variant of PACE
	CardAccess   []byte       // EF.CardAccess as it was read, nil if the card has none
	CardSecurity []byte       // EF.CardSecurity, read after Chip Authentication Mapping only
	Limits       apdu.Limits  // what card and reader were taken to bear
	// Reopened is why the card was opened a second time, with short APDUs: it ended the
	// session at the first command of extended length. Else nil.
	Reopened error
	// Refused is why PACE failed, where AllowBAC then let BAC in; else nil.
	Refused error
}

// Session is an open card with its secure channel. It serves one goroutine at a time
// and must not be copied. Whoever opened it closes it.
type Session struct {
	link    *apdu.Link
	channel *sm.Channel // nil before access
	access  Access
	pace    *auth.PACEResult
	key     auth.Password // that opened the card
	app     []byte        // selected
	bySFI   bool          // the card knows short identifiers
	long    bool          // an answer of extended length has come
	proven  bool          // a chip's key was used: another session would not be the same
	closed  bool
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
	if o.Application == nil && o.Profile != nil {
		o.Application = o.Profile.AID
	}
	if o.Application == nil {
		o.Application = LDS1()
	}
	if o.Block <= 0 {
		o.Block = defaultBlock
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{link: link, app: o.Application, o: o}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.o.Log.Info("card opened", "protocol", s.access.Protocol, "password", s.access.Password, "apdus", link.Traffic().APDUs)
	return s, nil
}

// defaultBlock is the most that is asked for at once: beyond it less is saved than
// progress, cancelling and a lost frame are worth.
const defaultBlock = 4080

// PACE returns what PACE left behind, for Terminal Authentication and for the proof of
// Chip Authentication Mapping; nil after BAC.
func (s *Session) PACE() *auth.PACEResult { return s.pace }

// Access says how the card was opened.
func (s *Session) Access() Access { return s.access }

// Close forgets the keys of the channel and leaves the link open. It may be called more
// than once.
func (s *Session) Close() {
	if s.channel != nil {
		s.channel.Close()
	}
	s.ahead, s.closed = nil, true
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
	if most := min(ch.MaxResponse(s.link.Limits()), s.o.Block); s.le == 0 || s.le > most {
		s.le = most
	}
}

// Select selects another application of the card by its AID, within the channel. An error
// leaves the session where the card is: the application before it may be gone.
func (s *Session) Select(ctx context.Context, aid []byte) error {
	if s.channel == nil {
		return sm.ErrClosed
	}
	s.ahead = nil
	s.app = aid
	return s.selectApplication(ctx, s.channel)
}

// selectApplication selects by AID, through the channel if there is one, without an
// answer template and so without Le.
func (s *Session) selectApplication(ctx context.Context, t apdu.Transmitter) error {
	c := apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: s.app}
	_, status, err := apdu.Do(ctx, t, c)
	if err == nil {
		err = c.Refused(status)
	}
	if errors.Is(err, apdu.FileNotFound) {
		err = fmt.Errorf("%w: %w", ErrNoApplication, err)
	}
	if err != nil {
		return fmt.Errorf("select application %X: %w", s.app, err)
	}
	return nil
}
