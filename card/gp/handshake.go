package gp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// Sizes of challenges, cryptograms and codes: S8 mode and S16 mode.
const (
	s8         = 8
	s16        = 16
	protocol03 = 0x03
)

// Start says how a handshake begins, and what is known of the card. Its zero value is
// right for most cards.
type Start struct {
	Version   byte   // the key version asked for; 0 leaves the choice to the card
	Challenge []byte // the host's challenge, 8 octets or 16 for S16 mode, used once; nil stands for a random one
	// AID is the application that the handshake is with. A pseudo-random challenge is
	// computed anew with it; nil leaves that out.
	AID []byte
	// Weak allows levels below CMACEncRMAC.
	Weak bool
	// Legacy allows SCP02 in one variant, and any level of it, beside SCP03.
	Legacy Legacy
	// Foretold is the card's half where it is known; a Queue then puts the handshake off.
	Foretold *Foretold
	// CounterOnData is for cards that count a command for encryption only if it has data.
	CounterOnData bool
}

// Handshake is a secure channel that is half set up: the card has shown its cryptogram
// and nothing was sent in return. It serves one goroutine at a time.
type Handshake struct {
	t             apdu.Transmitter
	start         Start
	info          Info
	host, card    []byte // challenges
	cryptogram    []byte
	answer        []byte
	legacy        bool // SCP02
	authenticated bool
}

// Initialize sends INITIALIZE UPDATE (Amendment D §7.1.1) through t. A refusal is an
// *apdu.StatusError, another protocol ErrUnsupported. A card that finds the random
// challenge of 8 octets too short (6700) is asked once more in S16 mode. It changes no
// count of failures on the card.
func Initialize(ctx context.Context, t apdu.Transmitter, s Start) (*Handshake, error) {
	c := apdu.Command{CLA: claPlain, INS: insInitializeUpdate, P1: s.Version, Data: s.Challenge, Le: apdu.MaxShortLe}
	r, err := s.send(ctx, t, &c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := refused(c, r); err != nil {
		return nil, err
	}
	h := &Handshake{t: t, start: s, host: bytes.Clone(c.Data), answer: bytes.Clone(r.Data)}
	if err := h.parse(r.Data); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if s.Version != 0 && h.info.KeyVersion != s.Version {
		return nil, fmt.Errorf("%s: key version %02X instead of %02X: %w", c.Name(), h.info.KeyVersion, s.Version, ErrAnswer)
	}
	return h, nil
}

// send has the card answer, or foretells its answer.
func (s Start) send(ctx context.Context, t apdu.Transmitter, c *apdu.Command) (apdu.Response, error) {
	q, later := t.(Queue)
	if later && s.Foretold.usable(s) {
		size := s8
		if s.Foretold.Info.I&OptionS16 != 0 {
			size = s16
		}
		c.Data = random(size)
		r := apdu.Response{Data: s.Foretold.answer(c.Data, s.AID), Status: apdu.OK}
		return r, q.Later(ctx, *c, r)
	}
	if s.Challenge == nil {
		c.Data = random(s8)
	}
	r, err := t.Transmit(ctx, *c)
	if err == nil && r.Status == apdu.WrongLength && s.Challenge == nil {
		c.Data = random(s16)
		r, err = t.Transmit(ctx, *c)
	}
	return r, err
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// Probe is an INITIALIZE UPDATE for who wants to see it refused.
func Probe(version byte) apdu.Command {
	return apdu.Command{CLA: claPlain, INS: insInitializeUpdate, P1: version, Data: random(s8), Le: apdu.MaxShortLe}
}

// parse reads KDD, key information, challenge, cryptogram and, of a pseudo-random
// challenge, the counter.
func (h *Handshake) parse(b []byte) error {
	const head = len(h.info.KDD) + 3
	if len(b) < head {
		return fmt.Errorf("%d octets: %w", len(b), ErrAnswer)
	}
	copy(h.info.KDD[:], b)
	h.info.KeyVersion, h.info.I = b[10], b[12]
	if b[11] == protocol02 && h.start.Legacy != 0 {
		return h.parseLegacy(b)
	}
	if b[11] != protocol03 {
		return fmt.Errorf("secure channel protocol %02X: %w", b[11], ErrUnsupported)
	}
	size := s8
	if h.info.I&OptionS16 != 0 {
		size = s16
	}
	if len(h.host) != size {
		return fmt.Errorf("a challenge of %d octets for i=%02X: %w", len(h.host), h.info.I, ErrAnswer)
	}
	want := head + 2*size
	if h.info.I&OptionPseudoRandom != 0 {
		want += 3
	}
	if len(b) != want {
		return fmt.Errorf("%d octets instead of %d for i=%02X: %w", len(b), want, h.info.I, ErrAnswer)
	}
	h.card, h.cryptogram = bytes.Clone(b[head:head+size]), bytes.Clone(b[head+size:head+2*size])
	if tail := b[head+2*size:]; len(tail) > 0 {
		h.info.Sequence = uint32(tail[0])<<16 | uint32(tail[1])<<8 | uint32(tail[2])
	}
	return nil
}

// parseLegacy reads the rest of an answer of SCP02: the counter, challenge and cryptogram.
func (h *Handshake) parseLegacy(b []byte) error {
	if len(b) != legacyInit || len(h.host) != desSize {
		return fmt.Errorf("%d octets instead of %d: %w", len(b), legacyInit, ErrAnswer)
	}
	h.legacy = true
	h.info.I, h.info.Sequence = byte(h.start.Legacy), uint32(b[12])<<8|uint32(b[13])
	h.card, h.cryptogram = bytes.Clone(b[14:20]), bytes.Clone(b[20:])
	return nil
}

// Info returns what the card said about itself.
func (h *Handshake) Info() Info { return h.info }

// Check returns nil if the card's cryptogram proves that it holds k, else ErrCryptogram,
// or ErrKeys. It compares in constant time and sends nothing, so that several key sets
// may be tried.
func (h *Handshake) Check(k Keys) error {
	if h.legacy {
		s, err := h.legacySession(k)
		if err == nil {
			s.destroy()
		}
		return err
	}
	s, err := h.session(k)
	if err == nil {
		s.destroy()
	}
	return err
}

func (h *Handshake) legacySession(k Keys) (*legacy, error) {
	if err := k.Check(); err != nil || len(k.Enc) != legacyKey {
		return nil, ErrKeys
	}
	s := newLegacy(k, uint16(h.info.Sequence), h.host, h.card)
	right := subtle.ConstantTimeCompare(s.card, h.cryptogram) == 1
	if h.start.AID != nil && h.start.Legacy == SCP02PseudoRandom {
		right = right && bytes.Equal(h.card, s.challenge(h.start.AID))
	}
	if !right {
		s.destroy()
		return nil, ErrCryptogram
	}
	return s, nil
}

func (h *Handshake) session(k Keys) (*session, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	s := newSession(k, h.host, h.card)
	if subtle.ConstantTimeCompare(s.card, h.cryptogram) != 1 {
		s.destroy()
		return nil, ErrCryptogram
	}
	if h.start.AID != nil && h.info.I&OptionPseudoRandom != 0 &&
		!bytes.Equal(h.card, pseudoRandom(k, h.info.Sequence, h.start.AID, len(h.card))) {
		s.destroy()
		return nil, fmt.Errorf("challenge that is not that of counter %d: %w", h.info.Sequence, ErrCryptogram)
	}
	return s, nil
}

// Authenticate checks the card's cryptogram and then sends EXTERNAL AUTHENTICATE
// (Amendment D §7.1.2) for a level, once: a second call is ErrSpent. Before anything is
// sent it returns ErrCryptogram for the wrong keys, ErrUnsupported for a level that the
// card doesn't offer, and ErrWeak for one below CMACEncRMAC without Start.Weak.
func (h *Handshake) Authenticate(ctx context.Context, k Keys, l Level) (*Channel, error) {
	switch {
	case h.authenticated:
		return nil, ErrSpent
	case h.legacy:
		return h.authenticateLegacy(ctx, k, l)
	case !l.Valid() || !l.offeredBy(h.info.I):
		return nil, fmt.Errorf("security level %02X with i=%02X: %w", byte(l), h.info.I, ErrUnsupported)
	case l.weak() && !h.start.Weak:
		return nil, fmt.Errorf("security level %02X: %w", byte(l), ErrWeak)
	}
	s, err := h.session(k)
	if err != nil {
		return nil, err
	}
	h.authenticated = true
	ch := &Channel{
		t: h.t, info: h.info, level: l, dek: bytes.Clone(k.DEK),
		secure: secure{session: s, onData: h.start.CounterOnData},
		proof:  Evidence{Challenge: h.host, Initialize: h.answer, Level: l},
	}
	if err := ch.authenticate(ctx); err != nil {
		ch.Close()
		return nil, err
	}
	return ch, nil
}

// authenticateLegacy is Authenticate in SCP02, which knows no codes in answers.
func (h *Handshake) authenticateLegacy(ctx context.Context, k Keys, l Level) (*Channel, error) {
	if l != NoSecurity && l != CMAC && l != CMACEnc {
		return nil, fmt.Errorf("security level %02X in SCP02: %w", byte(l), ErrUnsupported)
	}
	s, err := h.legacySession(k)
	if err != nil {
		return nil, err
	}
	h.authenticated = true
	ch := &Channel{t: h.t, info: h.info, level: l, legacy: s}
	if err := ch.authenticate(ctx); err != nil {
		ch.Close()
		return nil, err
	}
	return ch, nil
}

func (h *Channel) authenticate(ctx context.Context) error {
	c := apdu.Command{CLA: claSecure, INS: insExternalAuth, P1: byte(h.level)}
	if h.legacy != nil {
		c.Data = h.legacy.host
		c = h.legacy.wrap(c, false)
	} else {
		c.Data = h.session.host
		c = h.sign(c)
	}
	var r apdu.Response
	var err error
	if q, ok := h.t.(Queue); ok {
		r = apdu.Response{Status: apdu.OK}
		err = q.Later(ctx, c, r)
	} else {
		r, err = h.t.Transmit(ctx, c)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", c.Name(), err)
	case len(r.Data) > 0:
		return fmt.Errorf("%s: %w", c.Name(), ErrAnswer)
	}
	return refused(c, r)
}

// Open performs a whole handshake with one key set: Initialize for k's version, then
// Authenticate.
func Open(ctx context.Context, t apdu.Transmitter, k Keys, l Level) (*Channel, error) {
	h, err := Initialize(ctx, t, Start{Version: k.Version})
	if err != nil {
		return nil, err
	}
	return h.Authenticate(ctx, k, l)
}

// Held returns the first of several key sets that the card's cryptogram proves it holds,
// or ErrCryptogram if it is none of them. Nothing is sent.
func (h *Handshake) Held(sets ...Keys) (Keys, error) {
	for _, k := range sets {
		switch err := h.Check(k); {
		case err == nil:
			return k, nil
		case !errors.Is(err, ErrCryptogram):
			return Keys{}, err
		}
	}
	return Keys{}, ErrCryptogram
}
