package gp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

const (
	challengeSize = 8
	macSize       = 8
	protocol03    = 0x03
)

// Start says how a handshake begins. Its zero value is right for most cards.
type Start struct {
	Version   byte    // the key version asked for; 0 leaves the choice to the card
	Challenge [8]byte // the host's challenge, used once; zeros stand for a random one
}

// Handshake is a secure channel that is half set up: the card has shown its cryptogram
// and nothing was sent in return. It serves one goroutine at a time.
type Handshake struct {
	t             apdu.Transmitter
	info          Info
	host, card    [challengeSize]byte
	cryptogram    [macSize]byte
	authenticated bool
}

// Initialize sends INITIALIZE UPDATE (Amendment D §7.1.1) through t. A refusal is an
// *apdu.StatusError, another protocol or S16 mode ErrUnsupported. It changes no count of
// failures on the card.
func Initialize(ctx context.Context, t apdu.Transmitter, s Start) (*Handshake, error) {
	h := &Handshake{t: t, host: s.Challenge}
	if h.host == [challengeSize]byte{} {
		rand.Read(h.host[:])
	}
	c := apdu.Command{CLA: claPlain, INS: insInitializeUpdate, P1: s.Version, Data: h.host[:], Le: apdu.MaxShortLe}
	r, err := t.Transmit(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := refused(c, r); err != nil {
		return nil, err
	}
	if err := h.parse(r.Data); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if s.Version != 0 && h.info.KeyVersion != s.Version {
		return nil, fmt.Errorf("%s: key version %02X instead of %02X: %w", c.Name(), h.info.KeyVersion, s.Version, ErrAnswer)
	}
	return h, nil
}

// parse reads KDD, key information, challenge, cryptogram and, of a pseudo-random
// challenge, the counter.
func (h *Handshake) parse(b []byte) error {
	const plain = len(h.info.KDD) + 3 + challengeSize + macSize
	if len(b) < 13 {
		return fmt.Errorf("%d octets: %w", len(b), ErrAnswer)
	}
	copy(h.info.KDD[:], b)
	h.info.KeyVersion, h.info.I = b[10], b[12]
	if b[11] != protocol03 {
		return fmt.Errorf("secure channel protocol %02X: %w", b[11], ErrUnsupported)
	}
	if h.info.I&OptionS16 != 0 {
		return fmt.Errorf("option i=%02X, challenges of 16 octets: %w", h.info.I, ErrUnsupported)
	}
	want := plain
	if h.info.I&OptionPseudoRandom != 0 {
		want += 3
	}
	if len(b) != want {
		return fmt.Errorf("%d octets instead of %d for i=%02X: %w", len(b), want, h.info.I, ErrAnswer)
	}
	copy(h.card[:], b[13:])
	copy(h.cryptogram[:], b[21:])
	if want > plain {
		h.info.Sequence = uint32(b[29])<<16 | uint32(b[30])<<8 | uint32(b[31])
	}
	return nil
}

// Info returns what the card said about itself.
func (h *Handshake) Info() Info { return h.info }

// Check returns nil if the card's cryptogram proves that it holds k, else ErrCryptogram,
// or ErrKeys. It compares in constant time and sends nothing, so that several key sets
// may be tried.
func (h *Handshake) Check(k Keys) error {
	s, err := h.session(k)
	if err == nil {
		s.destroy()
	}
	return err
}

func (h *Handshake) session(k Keys) (*session, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	s := newSession(k, h.host[:], h.card[:])
	if subtle.ConstantTimeCompare(s.card, h.cryptogram[:]) != 1 {
		s.destroy()
		return nil, ErrCryptogram
	}
	return s, nil
}

// Authenticate checks the card's cryptogram and then sends EXTERNAL AUTHENTICATE
// (Amendment D §7.1.2) for a level, once: a second call is ErrSpent. Before anything is
// sent it returns ErrCryptogram for the wrong keys and ErrUnsupported for a level that
// the card doesn't offer.
func (h *Handshake) Authenticate(ctx context.Context, k Keys, l Level) (*Channel, error) {
	if h.authenticated {
		return nil, ErrSpent
	}
	if !l.Valid() || !l.offeredBy(h.info.I) {
		return nil, fmt.Errorf("security level %02X with i=%02X: %w", byte(l), h.info.I, ErrUnsupported)
	}
	s, err := h.session(k)
	if err != nil {
		return nil, err
	}
	h.authenticated = true
	ch := &Channel{t: h.t, info: h.info, level: l, secure: secure{session: s}, dek: append([]byte(nil), k.DEK...)}
	c := ch.sign(apdu.Command{CLA: claSecure, INS: insExternalAuth, P1: byte(l), Data: s.host})
	r, err := h.t.Transmit(ctx, c)
	if err == nil {
		err = refused(c, r)
	} else {
		err = fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err == nil && len(r.Data) > 0 {
		err = fmt.Errorf("%s: %w", c.Name(), ErrAnswer)
	}
	if err != nil {
		ch.Close()
		return nil, err
	}
	return ch, nil
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
