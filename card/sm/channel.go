package sm

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// secured are the bits of CLA that indicate secure messaging whose header is
// authenticated (ISO/IEC 7816-4 §5.4.1).
const secured = 0x0C

// Channel is the terminal's end: a Transmitter that protects what it sends through
// another one. It serves one goroutine at a time and must not be copied.
type Channel struct {
	next apdu.Transmitter
	end  end
	last apdu.Response
}

// New opens a channel over t. It takes over k's slices and wipes them when it closes.
// Keys of wrong sizes make a channel that is closed from the beginning.
func New(t apdu.Transmitter, k Keys) *Channel {
	return &Channel{next: t, end: newEnd(k)}
}

// Transmit protects c, sends it and returns the answer after its protection was
// verified. A refusal that the chip protected is an ordinary Response.
//
// Any other outcome closes the channel: ErrProtection for an answer that isn't protected
// rightly, the error of the transmitter below for no answer. A command that no APDU can
// hold is apdu.ErrTooLong or apdu.ErrMalformed and leaves the channel open. After the
// end it is ErrClosed.
func (h *Channel) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if !h.end.open {
		return apdu.Response{}, ErrClosed
	}
	if err := h.check(c); err != nil {
		return apdu.Response{}, err
	}
	p, err := h.end.protect(c)
	if err != nil {
		h.Close()
		return apdu.Response{}, err
	}
	r, err := h.next.Transmit(ctx, p)
	if err != nil {
		h.Close()
		return apdu.Response{}, err
	}
	h.last = r
	plain, err := h.end.verified(r, c.INS&1 == 1)
	if err != nil {
		h.Close()
		if len(r.Data) == 0 {
			err = &BareError{r.Status}
		}
		return apdu.Response{}, fmt.Errorf("%w: %w", ErrProtection, err)
	}
	return plain, nil
}

// Switch sends first as the first command under new keys, through the same transmitter,
// and returns the channel that goes on with them once the answer's protection is
// verified. It takes over k's slices. h is closed in any case, for the chip has left its
// keys; with an error there is no channel at all.
func (h *Channel) Switch(ctx context.Context, k Keys, first apdu.Command) (*Channel, apdu.Response, error) {
	if !h.end.open {
		k.Destroy()
		return nil, apdu.Response{}, ErrClosed
	}
	h.Close()
	next := New(h.next, k)
	r, err := next.Transmit(ctx, first)
	if err != nil {
		next.Close()
		return nil, apdu.Response{}, err
	}
	return next, r, nil
}

// Renew returns a channel under new keys through the same transmitter and closes h. It
// takes over k's slices. It is for an agreement that has already shown that the chip has
// the keys; Switch is for one that has not.
func (h *Channel) Renew(k Keys) *Channel {
	if !h.end.open {
		k.Destroy()
		return New(h.next, Keys{})
	}
	h.Close()
	return New(h.next, k)
}

// Last returns the newest answer as the chip protected it: what a transcript keeps.
func (h *Channel) Last() apdu.Response { return h.last }

// Close forgets the keys. It may be called more than once.
func (h *Channel) Close() { h.end.close() }

// MaxResponse returns the most answer data in octets whose protected form stays within
// l: the largest Le of use. It is 0 for a channel that is closed.
func (h *Channel) MaxResponse(l apdu.Limits) int {
	if !h.end.open {
		return 0
	}
	return MaxResponse(h.end.keys.Cipher, l)
}

// MaxCommand returns the most command data in octets that stay within l once protected,
// a Le beside them. It is 0 for a channel that is closed.
func (h *Channel) MaxCommand(l apdu.Limits) int {
	if !h.end.open {
		return 0
	}
	command, _ := l.Sizes()
	field := min(command-9, apdu.MaxData) // header, three octets of Lc, two of Le
	if field <= apdu.MaxShort {
		field = min(command-6, apdu.MaxShort)
	}
	return most(field, func(n int) bool { return sealedSize(h.end.keys.Cipher, n)+sizeLeDO+sizeMACDO <= field })
}

// sizeLeDO is the largest DO'97'.
const sizeLeDO = 2 + 2

// check refuses a command before the counter moves.
func (h *Channel) check(c apdu.Command) error {
	if _, err := c.Encode(true); err != nil {
		return err
	}
	if n := sealedSize(h.end.keys.Cipher, len(c.Data)) + sizeLeDO + sizeMACDO; n > apdu.MaxData {
		return fmt.Errorf("command data of %d octets under secure messaging: %w", len(c.Data), apdu.ErrTooLong)
	}
	return nil
}

// protect advances the counter and returns c protected (Doc 9303-11 §9.8.4).
func (e *end) protect(c apdu.Command) (apdu.Command, error) {
	e.step()
	p := apdu.Command{CLA: c.CLA | secured, INS: c.INS, P1: c.P1, P2: c.P2, Le: apdu.MaxShortLe}
	objects, err := e.seal(nil, c.Data, c.INS&1 == 1)
	if err != nil {
		return p, err
	}
	if c.Le > 0 {
		le := []byte{byte(c.Le)} // 256 is 00, 65536 is 00 00
		if c.Le > apdu.MaxShortLe {
			le = []byte{byte(c.Le >> 8), byte(c.Le)}
			p.Le = min(answerSize(e.keys.Cipher, c.Le), apdu.MaxLe)
		}
		objects = tlv.Append(objects, tagLe, le)
	}
	p.Data, err = e.authenticate([]byte{p.CLA, p.INS, p.P1, p.P2}, objects)
	return p, err
}

// verified advances the counter and returns the plain answer that r protects.
func (e *end) verified(r apdu.Response, odd bool) (apdu.Response, error) {
	e.step()
	if len(r.Data) == 0 {
		// %v, not %w: no caller may take this for what the chip says.
		return apdu.Response{}, fmt.Errorf("answer in the clear: %v", r.Status)
	}
	a, err := parseAnswer(r.Data, odd)
	if err != nil {
		return apdu.Response{}, fmt.Errorf("answer with status %04X: %w", uint16(r.Status), err)
	}
	if !e.verify(nil, a.covered, a.mac) {
		return apdu.Response{}, fmt.Errorf("the MAC of the answer is wrong")
	}
	if a.status != r.Status {
		return apdu.Response{}, fmt.Errorf("status %04X in the answer, %04X behind it", uint16(a.status), uint16(r.Status))
	}
	plain := apdu.Response{Status: a.status}
	if a.tag != 0 {
		if plain.Data, err = e.unseal(a.tag, a.cryptogram); err != nil {
			return apdu.Response{}, fmt.Errorf("the answer can't be decrypted: %v", err)
		}
	}
	return plain, nil
}

// answer holds the parts of a protected answer.
type answer struct {
	tag        tlv.Tag // of the cryptogram, 0 if there is none
	cryptogram []byte
	status     apdu.Status
	covered    []byte // what the MAC is over, as it was sent
	mac        []byte
}

// parseAnswer splits an answer into [DO'87' | DO'85'] DO'99' DO'8E', in this order and
// with nothing else.
func parseAnswer(b []byte, odd bool) (answer, error) {
	var a answer
	var tag tlv.Tag
	var value tlv.String
	s := tlv.String(b)
	if !s.Read(&tag, &value) {
		return a, errObjects
	}
	if encrypted(tag, odd) {
		a.tag, a.cryptogram = tag, value
		if !s.Read(&tag, &value) {
			return a, errObjects
		}
	}
	if tag != tagStatus || len(value) != 2 {
		return a, errObjects
	}
	a.status = apdu.Status(value[0])<<8 | apdu.Status(value[1])
	a.covered = b[:len(b)-len(s)]
	if !s.ReadTag(tagMAC, &value) || len(value) != sizeMACDO-2 || !s.Empty() {
		return a, errObjects
	}
	a.mac = value
	return a, nil
}
