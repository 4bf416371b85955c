package gp

import (
	"context"
	"crypto/aes"
	"crypto/subtle"
	"fmt"
	"io"

	"github.com/tamthe/tamthe/apdu"
)

// Channel is the host's end of an open secure channel: a Transmitter that protects what
// it sends through another one. It serves one goroutine at a time and must not be copied.
type Channel struct {
	t     apdu.Transmitter
	info  Info
	level Level
	secure
	legacy *legacy // in place of secure in a channel of SCP02
	dek    []byte
	closed bool
	proof  Evidence // of the last exchange, if it has an answer
}

// String returns no part of the keys.
func (h *Channel) String() string {
	protocol := protocol03
	if h.legacy != nil {
		protocol = protocol02
	}
	return fmt.Sprintf("SCP%02X channel at level %02X", protocol, byte(h.level))
}

// GoString returns what String does.
func (h *Channel) GoString() string { return h.String() }

// Format is String for every verb.
func (h *Channel) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// Info returns what the card said in the handshake.
func (h *Channel) Info() Info { return h.info }

// Level returns the security level.
func (h *Channel) Level() Level { return h.level }

// Close forgets the keys. It may be called more than once.
func (h *Channel) Close() {
	if h.closed {
		return
	}
	h.closed = true
	if h.legacy != nil {
		h.legacy.destroy()
		return
	}
	h.session.destroy()
	clear(h.dek)
}

// Transmit protects c, sends it and returns the answer after its protection was verified.
// Le is sent as it is and counts the plain answer.
//
// An error status is never authenticated in this protocol: it proves nothing, not even
// that the command was not carried out. 6982, 6987 and 6988 say that the card has ended
// the session and close the channel; after other refusals it goes on. An answer with
// wrong protection is ErrProtection, and that as well as no answer closes the channel.
// Then everything is ErrClosed. A command too long to be protected is apdu.ErrTooLong
// and leaves the channel open.
func (h *Channel) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if h.closed {
		return apdu.Response{}, ErrClosed
	}
	if len(c.Data) > h.room(apdu.MaxData) {
		return apdu.Response{}, fmt.Errorf("SCP03: %d octets of data: %w", len(c.Data), apdu.ErrTooLong)
	}
	before := h.chain
	c = h.wrap(c)
	sealed, err := h.t.Transmit(ctx, c)
	var r apdu.Response
	if err == nil {
		r, err = h.unwrap(sealed)
	}
	if err != nil {
		h.Close()
		return apdu.Response{}, err
	}
	h.note(before, c, sealed)
	switch r.Status {
	case apdu.SecurityStatus, apdu.SMMissing, apdu.SMIncorrect:
		h.Close()
	}
	return r, nil
}

// wrap protects a command as the level has it.
func (h *Channel) wrap(c apdu.Command) apdu.Command {
	if !h.level.cmac() {
		return c
	}
	if h.legacy != nil {
		return h.legacy.wrap(c, h.level.cenc())
	}
	h.advance(c)
	if h.level.cenc() && len(c.Data) > 0 {
		c.Data = h.encrypt(ivCommand, c.Data)
	}
	return h.sign(c)
}

// unwrap verifies the answer to the command that was signed last.
func (h *Channel) unwrap(r apdu.Response) (apdu.Response, error) {
	if !authenticated(r.Status) {
		if len(r.Data) > 0 {
			return r, fmt.Errorf("data with an error status: %w", ErrProtection)
		}
		return r, nil
	}
	if !h.level.rmac() {
		return r, nil
	}
	n := len(r.Data) - h.size
	if n < 0 {
		return r, fmt.Errorf("no code in the answer: %w", ErrProtection)
	}
	data, mac := r.Data[:n:n], r.Data[n:]
	if subtle.ConstantTimeCompare(h.responseMAC(data, r.Status), mac) != 1 {
		return r, fmt.Errorf("wrong code in the answer: %w", ErrProtection)
	}
	if h.level.renc() && n > 0 {
		var ok bool
		if data, ok = h.decrypt(ivResponse, data); !ok {
			return r, fmt.Errorf("wrong padding in the answer: %w", ErrProtection)
		}
	}
	return apdu.Response{Data: data, Status: r.Status}, nil
}

// MaxCommand returns the most command data in octets that stay within l once protected.
func (h *Channel) MaxCommand(l apdu.Limits) int {
	command, _ := l.Sizes()
	room := command - 4 - 1 - 1
	if room > apdu.MaxShort {
		room = min(max(command-4-3-2, apdu.MaxShort), apdu.MaxData)
	}
	return h.room(room)
}

// MaxResponse returns the most answer data in octets whose protected form stays within l:
// the largest Le of use.
func (h *Channel) MaxResponse(l apdu.Limits) int {
	_, response := l.Sizes()
	if !h.level.rmac() {
		return response - 2
	}
	return h.expandedRoom(response-2, h.level.renc())
}

// room is how much plain command data fit into so many octets of protected ones.
func (h *Channel) room(octets int) int {
	switch {
	case !h.level.cmac():
		return octets
	case h.legacy == nil:
		return h.expandedRoom(octets, h.level.cenc())
	case h.level.cenc():
		return (octets-desSize)/desSize*desSize - 1
	}
	return octets - desSize
}

// expandedRoom is how much plain text fits, with its code and perhaps encrypted, into
// room octets.
func (s *secure) expandedRoom(room int, encrypted bool) int {
	room -= s.size
	if encrypted {
		room = room/aes.BlockSize*aes.BlockSize - 1
	}
	return max(room, 0)
}
