package sm

import (
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// Chip is the chip's end of a channel. It serves one goroutine at a time and must not be
// copied.
type Chip struct {
	end end
	odd bool // the INS that is being answered
}

// NewChip opens the chip's end. It takes over k's slices and wipes them when it closes.
// Keys of wrong sizes make a channel that is closed from the beginning.
func NewChip(k Keys) *Chip { return &Chip{end: newEnd(k)} }

// Open verifies a protected command and returns it in the clear, its class octet without
// the secure messaging bits. Le is as the terminal asked for below the protection.
//
// Any failure closes the channel, is ErrProtection and wraps the status that the chip
// answers in the clear: apdu.SMMissing for a command that isn't protected, else
// apdu.SMIncorrect. After the end it is ErrClosed.
func (h *Chip) Open(protected apdu.Command) (apdu.Command, error) {
	if !h.end.open {
		return apdu.Command{}, ErrClosed
	}
	status := apdu.SMIncorrect
	if protected.CLA&secured != secured || protected.CLA&0x60 != 0 { // 8C protects a proprietary class
		status = apdu.SMMissing
	} else if c, ok := h.end.opened(protected); ok {
		h.odd = c.INS&1 == 1
		return c, nil
	}
	h.Close()
	return apdu.Command{}, fmt.Errorf("%w: %w", ErrProtection, status)
}

// Seal protects the answer to the command that Open returned last. The status of the
// protected answer is that of the plain one.
func (h *Chip) Seal(r apdu.Response) (apdu.Response, error) {
	if !h.end.open {
		return apdu.Response{}, ErrClosed
	}
	h.end.step()
	objects, err := h.end.seal(nil, r.Data, h.odd)
	if err != nil {
		return apdu.Response{}, err
	}
	objects = tlv.Append(objects, tagStatus, []byte{byte(r.Status >> 8), byte(r.Status)})
	if objects, err = h.end.authenticate(nil, objects); err != nil {
		return apdu.Response{}, err
	}
	return apdu.Response{Data: objects, Status: r.Status}, nil
}

// MaxResponse returns the most answer data in octets that Seal keeps within l. It is 0
// for a channel that is closed.
func (h *Chip) MaxResponse(l apdu.Limits) int {
	if !h.end.open {
		return 0
	}
	return MaxResponse(h.end.keys.Cipher, l)
}

// Close forgets the keys. It may be called more than once.
func (h *Chip) Close() { h.end.close() }

// opened advances the counter and returns the plain command that p protects:
// [DO'87' | DO'85'] [DO'97'] DO'8E', in this order and with nothing else.
func (e *end) opened(p apdu.Command) (apdu.Command, bool) {
	e.step()
	c := apdu.Command{CLA: p.CLA &^ secured, INS: p.INS, P1: p.P1, P2: p.P2}
	var tag, sealedTag tlv.Tag
	var value, cryptogram tlv.String
	s := tlv.String(p.Data)
	covered := 0
	more := s.Read(&tag, &value)
	if more && encrypted(tag, p.INS&1 == 1) {
		sealedTag, cryptogram, covered = tag, value, len(p.Data)-len(s)
		more = s.Read(&tag, &value)
	}
	if more && tag == tagLe {
		if c.Le = parseLe(value); c.Le == 0 {
			return c, false
		}
		covered = len(p.Data) - len(s)
		more = s.Read(&tag, &value)
	}
	if !more || tag != tagMAC || !s.Empty() {
		return c, false
	}
	if !e.verify([]byte{p.CLA, p.INS, p.P1, p.P2}, p.Data[:covered], value) {
		return c, false
	}
	if sealedTag == 0 {
		return c, true
	}
	data, err := e.unseal(sealedTag, cryptogram)
	c.Data = data
	return c, err == nil
}

// parseLe reads the value of DO'97', 0 if it is none.
func parseLe(b []byte) int {
	switch len(b) {
	case 1:
		return int(b[0]-1) + 1
	case 2:
		return int(uint16(b[0])<<8|uint16(b[1])-1) + 1
	}
	return 0
}
