package gp

import (
	"crypto/subtle"
	"fmt"
	"io"

	"github.com/tamthe/tamthe/apdu"
)

// ChipOptions say what a chip's security domain is.
type ChipOptions struct {
	KDD KDD
	I   byte   // options to offer; OptionRMAC|OptionRENC allows all levels
	AID []byte // of the application that answers, for a pseudo-random challenge
	// Keys returns the chip's key set of a version, or its first one for version 0. The
	// chip reads the set and keeps no slice.
	Keys func(version byte) (Keys, bool)
	// Sequence is the next value of the counter behind pseudo-random challenges, to be
	// stored before it returns; false when it is used up. It is called once for each
	// INITIALIZE UPDATE with OptionPseudoRandom.
	Sequence func() (uint32, bool)
	// Legacy has the chip speak SCP02 in a variant in place of SCP03; Sequence then counts to
	// 65,535 and is called in either variant.
	Legacy Legacy
	// CounterOnData has the chip count a command for encryption only if it has data.
	CounterOnData bool
}

// Chip is the card's end of the protocol, for one power cycle. It must not be copied.
type Chip struct {
	o     ChipOptions
	level Level
	open  bool // there is a channel
	secure
	legacy *legacy // in place of secure in SCP02
	keys   Keys    // those of the handshake or the channel
}

// NewChip returns a chip without a channel.
func NewChip(o ChipOptions) *Chip { return &Chip{o: o} }

// String returns no part of the keys.
func (h *Chip) String() string { return fmt.Sprintf("SCP03 chip at level %02X", byte(h.level)) }

// GoString returns what String does.
func (h *Chip) GoString() string { return h.String() }

// Format is String for every verb.
func (h *Chip) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// Level returns the level of the open channel, or 0 without one.
func (h *Chip) Level() Level { return h.level }

// Opened reports whether there is a channel, of whatever level.
func (h *Chip) Opened() bool { return h.open }

// Close ends the channel or the handshake and forgets its keys.
func (h *Chip) Close() {
	if h.session != nil {
		h.session.destroy()
	}
	if h.legacy != nil {
		h.legacy.destroy()
	}
	h.keys.Destroy()
	h.level, h.open, h.secure, h.legacy = 0, false, secure{}, nil
}

// Initialize answers INITIALIZE UPDATE. It ends an open channel first, whatever comes.
func (h *Chip) Initialize(c apdu.Command) apdu.Response {
	h.Close()
	if c.CLA != claPlain || c.P2 != 0 {
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	size := s8
	if h.o.I&OptionS16 != 0 && h.o.Legacy == 0 {
		size = s16
	}
	if len(c.Data) != size {
		return apdu.Response{Status: apdu.WrongLength}
	}
	k, ok := h.o.Keys(c.P1)
	if !ok || k.Check() != nil {
		return apdu.Response{Status: apdu.ReferenceNotFound}
	}
	if h.o.Legacy != 0 {
		return h.initializeLegacy(k, c.Data)
	}
	var challenge, tail []byte
	if h.o.I&OptionPseudoRandom != 0 {
		seq, ok := h.o.Sequence()
		if !ok {
			return apdu.Response{Status: apdu.ConditionsNotSatisfied}
		}
		challenge = pseudoRandom(k, seq, h.o.AID, size)
		tail = []byte{byte(seq >> 16), byte(seq >> 8), byte(seq)}
	} else {
		challenge = random(size)
	}
	h.keys = k.Clone()
	h.secure = secure{session: newSession(k, c.Data, challenge), onData: h.o.CounterOnData}
	out := append(h.o.KDD[:len(h.o.KDD):len(h.o.KDD)], k.Version, protocol03, h.o.I)
	out = append(append(append(out, challenge...), h.session.card...), tail...)
	return apdu.Response{Data: out, Status: apdu.OK}
}

// Authenticate answers EXTERNAL AUTHENTICATE: OK opens the channel at the level of P1.
// A wrong code or cryptogram is apdu.AuthenticationFailed, which the caller counts, and
// the handshake has to begin anew after anything but OK.
func (h *Chip) Authenticate(c apdu.Command) apdu.Response {
	if h.legacy != nil && !h.open {
		return h.authenticateLegacy(c)
	}
	if h.session == nil || h.open {
		h.Close()
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	}
	l := Level(c.P1)
	if c.CLA != claSecure || c.P2 != 0 || len(c.Data) != 2*h.size || !l.Valid() || !l.offeredBy(h.o.I) {
		h.Close()
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	plain, macOK := h.verify(c)
	if !macOK || subtle.ConstantTimeCompare(plain.Data, h.session.host) != 1 {
		h.Close()
		return apdu.Response{Status: apdu.AuthenticationFailed}
	}
	h.level, h.open = l, true
	return apdu.Response{Status: apdu.OK}
}

// Open verifies a protected command and returns it in the clear, its class byte without
// the bit of secure messaging. Any failure ends the channel and is ErrProtection; without
// a channel it is ErrClosed.
func (h *Chip) Open(c apdu.Command) (apdu.Command, error) {
	if !h.open {
		return apdu.Command{}, ErrClosed
	}
	if !h.level.cmac() {
		return c, nil
	}
	if h.legacy != nil {
		plain, ok := h.legacy.open(c, h.level.cenc())
		if !ok {
			h.Close()
			return apdu.Command{}, ErrProtection
		}
		plain.CLA &^= protected
		return plain, nil
	}
	h.advance(apdu.Command{Data: c.Data[min(h.size, len(c.Data)):]})
	plain, ok := h.verify(c)
	if ok && h.level.cenc() && len(plain.Data) > 0 {
		plain.Data, ok = h.decrypt(ivCommand, plain.Data)
	}
	if !ok {
		h.Close()
		return apdu.Command{}, ErrProtection
	}
	plain.CLA &^= protected
	return plain, nil
}

// Seal protects the answer to the command that Open returned last. An error status goes
// out bare and without data, as the protocol has it.
func (h *Chip) Seal(r apdu.Response) (apdu.Response, error) {
	if !h.open {
		return apdu.Response{}, ErrClosed
	}
	if !authenticated(r.Status) {
		return apdu.Response{Status: r.Status}, nil
	}
	if !h.level.rmac() {
		return r, nil
	}
	return h.sealed(r, h.level), nil
}

// MaxResponse returns the most plain answer data in octets whose protected form has at
// most sealed octets.
func (h *Chip) MaxResponse(sealed int) int {
	if !h.level.rmac() {
		return sealed
	}
	return h.expandedRoom(sealed, h.level.renc())
}
