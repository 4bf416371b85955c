package gp

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// Evidence is one exchange of a channel, so that who holds the chip's keys can see later
// that this chip gave this answer to this command: handshake, state of the channel before
// the command, and both as they went over the wire. It holds no key.
//
// It proves nothing to who shares the keys with somebody he doesn't trust: the holder of
// the keys can make it up. Nor does it say when: see PublicKey.
type Evidence struct {
	Challenge  []byte // the host's
	Initialize []byte // the answer to INITIALIZE UPDATE, without status
	Level      Level
	Chain      [aes.BlockSize]byte // the chaining value before the command
	Counter    uint64              // of the command
	Command    []byte              // encoded, protected
	Answer     []byte              // protected, with its status
}

// maxEvidence bounds an Evidence in octets of its binary form.
const maxEvidence = 4096

// Evidence returns the evidence of the last exchange that Transmit verified. It is
// ErrUnsupported when there is none: before the first, after a refusal, and at levels
// without an R-MAC.
func (h *Channel) Evidence() (*Evidence, error) {
	if h.proof.Answer == nil {
		return nil, fmt.Errorf("no answer with a code: %w", ErrUnsupported)
	}
	e := h.proof
	return &e, nil
}

// note keeps the exchange that was just verified, or forgets the one before.
func (h *Channel) note(before [aes.BlockSize]byte, c apdu.Command, r apdu.Response) {
	h.proof.Answer = nil
	if !h.level.rmac() || !authenticated(r.Status) {
		return
	}
	b, err := c.Encode(len(c.Data) > apdu.MaxShort || c.Le > apdu.MaxShortLe)
	if err != nil {
		return
	}
	h.proof.Chain, h.proof.Counter, h.proof.Command, h.proof.Answer = before, h.counter, b, r.Bytes()
}

// open replays the exchange with k: the handshake's cryptogram, the command's code and the
// answer's. It returns both in the clear, which says what was meant only to who knows the
// command: no code covers Level and Counter, and with others both come out as something else.
func (e *Evidence) open(k Keys) (apdu.Command, apdu.Response, error) {
	fail := func(err error) (apdu.Command, apdu.Response, error) {
		return apdu.Command{}, apdu.Response{}, fmt.Errorf("evidence: %w", err)
	}
	h := &Handshake{host: e.Challenge}
	if err := h.parse(e.Initialize); err != nil {
		return fail(err)
	}
	if !e.Level.Valid() || !e.Level.rmac() || !e.Level.offeredBy(h.info.I) {
		return fail(ErrUnsupported)
	}
	s, err := h.session(k)
	if err != nil {
		return fail(err)
	}
	ch := Channel{level: e.Level, secure: secure{session: s, chain: e.Chain, counter: e.Counter}}
	defer s.destroy()
	c, err := apdu.ParseCommand(e.Command)
	if err != nil {
		return fail(fmt.Errorf("command: %w", ErrAnswer))
	}
	r, err := apdu.ParseResponse(e.Answer)
	if err != nil || !authenticated(r.Status) {
		return fail(fmt.Errorf("answer: %w", ErrAnswer))
	}
	plain, ok := ch.verify(c)
	if ok && e.Level.cenc() && len(plain.Data) > 0 {
		plain.Data, ok = ch.decrypt(ivCommand, plain.Data)
	}
	if !ok {
		return fail(fmt.Errorf("command: %w", ErrProtection))
	}
	if r, err = ch.unwrap(r); err != nil {
		return fail(err)
	}
	plain.CLA &^= protected
	return plain, r, nil
}

// PublicKey returns the public point that the chip with the keys k gave when it was asked
// for that of r, made by the chip before or for this command. An answer to another command
// is ErrAnswer. It is ErrCryptogram for another chip's keys, ErrProtection for a command or an
// answer that was altered, and ErrAnswer or ErrUnsupported for what is no evidence. A chip
// that has made the key anew since then has another one: only the
// finished card proves the key, by Active or Chip Authentication.
func (e *Evidence) PublicKey(k Keys, r KeyRef) ([]byte, error) {
	c, a, err := e.open(k)
	if err != nil {
		return nil, err
	}
	ref, ok := ParseKeyRef(c.Data)
	if !ok || ref != r || c.CLA != claPlain || c.INS != insGenerate || c.P1 != generateNew && c.P1 != readExisting || c.P2 != 0 {
		return nil, fmt.Errorf("evidence of another command: %w", ErrAnswer)
	}
	return parsePublicKey(a.Data)
}

// KDD is the name that the chip gave in the handshake. Only keys that were derived from it
// prove it.
func (e *Evidence) KDD() (KDD, error) {
	h := &Handshake{host: e.Challenge}
	if err := h.parse(e.Initialize); err != nil {
		return KDD{}, fmt.Errorf("evidence: %w", err)
	}
	return h.info.KDD, nil
}

// The binary form is a version and then TLV objects in this order.
const (
	evidenceVersion = 1
	tagEvidence     = 0x30
	tagOctets       = 0x04
)

// MarshalBinary encodes the evidence; ParseEvidence is its inverse.
func (e *Evidence) MarshalBinary() ([]byte, error) {
	state := append([]byte{evidenceVersion, byte(e.Level)}, e.Chain[:]...)
	state = binary.BigEndian.AppendUint64(state, e.Counter)
	var b []byte
	for _, part := range [][]byte{state, e.Challenge, e.Initialize, e.Command, e.Answer} {
		b = tlv.Append(b, tagOctets, part)
	}
	b = tlv.Encode(tagEvidence, b)
	if len(b) > maxEvidence {
		return nil, fmt.Errorf("evidence of %d octets: %w", len(b), apdu.ErrTooLong)
	}
	return b, nil
}

// ParseEvidence decodes what MarshalBinary wrote, and nothing else; it is ErrAnswer. It
// verifies nothing.
func ParseEvidence(b []byte) (*Evidence, error) {
	s := tlv.String(b)
	var outer tlv.String
	var parts [5]tlv.String
	ok := len(b) <= maxEvidence && s.ReadTag(tagEvidence, &outer) && s.Empty()
	for i := range parts {
		ok = ok && outer.ReadTag(tagOctets, &parts[i])
	}
	state := parts[0]
	if !ok || !outer.Empty() || len(state) != 2+aes.BlockSize+8 || state[0] != evidenceVersion {
		return nil, fmt.Errorf("evidence: %w", ErrAnswer)
	}
	e := &Evidence{
		Level: Level(state[1]), Chain: [aes.BlockSize]byte(state[2:]), Counter: binary.BigEndian.Uint64(state[2+aes.BlockSize:]),
		Challenge: slices.Clone(parts[1]), Initialize: slices.Clone(parts[2]), Command: slices.Clone(parts[3]), Answer: slices.Clone(parts[4]),
	}
	if again, err := e.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("evidence: %w", ErrAnswer)
	}
	return e, nil
}
