package virtual

import (
	"encoding/binary"

	"github.com/tamthe/tamthe/apdu"
)

// Quirks are manners in which chips in the field differ from each other and from the
// standards. The zero value has none. They lie in the chip's memory beside its rules.
type Quirks struct {
	// SelectMF is what SELECT of the master file is refused with: 6D00, 6A86, 6A82. Zero
	// obeys gp.Rules.
	SelectMF apdu.Status
	// CaseFour is what a Le on SELECT or MSE is refused with: 6700. Zero takes it.
	CaseFour apdu.Status
	// SFI is what READ BINARY by a short identifier is refused with: 6985, 6A82. Zero
	// serves it.
	SFI apdu.Status
	// OddRead is what READ BINARY with an odd INS is refused with: 6D00. Zero serves it.
	OddRead apdu.Status
	// PACE is what MSE:Set AT for PACE is refused with. Zero serves it.
	PACE apdu.Status

	// Block is the most octets that one READ BINARY gives, before protection: 223, 231 …
	// Zero is as many as the limits allow.
	Block int
	// Above is what a READ BINARY for more than Block octets is refused with: 6700, 6B00,
	// or 6C00, which then names Block. Zero gives Block octets.
	Above apdu.Status
	// Beyond is what a READ BINARY is answered with that asks for more than the file has
	// left: 9000 with what there is, 6282 with what there is, or without data 6700, 6B00,
	// 6C00, which then names the octets that are left. Zero obeys gp.Rules, and gives a Le
	// of 256 or 65,536 what there is with 9000.
	Beyond apdu.Status
	// LiteralLe takes an octet 00 in DO'97' for no octets at all.
	LiteralLe bool
	// Padding octets 00 follow each file, as in a file created too large.
	Padding int

	// ClearErrors sends errors within secure messaging in the clear, which ends the
	// session.
	ClearErrors bool
	// Lost is what a protected command is refused with once there is no session: 6987,
	// 6988, 6982. Zero is 6988.
	Lost apdu.Status
	// Held is the most octets of an answer in the clear that are given at once; the others
	// wait behind 61xx for GET RESPONSE. Zero holds back what short encoding can't carry.
	Held int
	// DERSignature gives the ECDSA signature of Active Authentication as a SEQUENCE.
	DERSignature bool
	// SelectATR gives EF.ATR/INFO to SELECT only, not to its short identifier.
	SelectATR bool
}

// bounds of the numbers in Quirks.
const maxQuirk = 0xFFFF

// A quirk's record holds pairs of a field's number and its value. The numbers are the
// places of this list, from 1, which only grows at its end.
func (q *Quirks) fields() []any {
	return []any{
		&q.SelectMF, &q.CaseFour, &q.SFI, &q.OddRead, &q.PACE, &q.Block, &q.Above, &q.Beyond,
		&q.LiteralLe, &q.Padding, &q.ClearErrors, &q.Lost, &q.Held, &q.DERSignature, &q.SelectATR,
	}
}

// body encodes the fields that aren't zero. Numbers beyond their bounds are cut to them.
func (q Quirks) body() []byte {
	var b []byte
	for i, f := range q.fields() {
		v := 0
		switch f := f.(type) {
		case *apdu.Status:
			v = int(*f)
		case *int:
			v = max(min(*f, maxQuirk), 0)
		case *bool:
			if *f {
				v = 1
			}
		}
		if v != 0 {
			b = binary.BigEndian.AppendUint16(append(b, byte(i+1)), uint16(v))
		}
	}
	return b
}

// parseQuirks is the inverse of body; false for a field that this version doesn't know.
func parseQuirks(b []byte) (q Quirks, ok bool) {
	list := q.fields()
	for ; len(b) >= 3; b = b[3:] {
		v := binary.BigEndian.Uint16(b[1:])
		if b[0] < 1 || int(b[0]) > len(list) {
			return Quirks{}, false
		}
		switch f := list[b[0]-1].(type) {
		case *apdu.Status:
			*f = apdu.Status(v)
		case *int:
			*f = int(v)
		case *bool:
			*f = v == 1
		}
	}
	return q, len(b) == 0
}

func quirksRecord(q Quirks) record { return record{recQuirks, q.body()} }

// SetQuirks replaces the chip's quirks for good.
func (c *Chip) SetQuirks(q Quirks) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return apdu.ErrRemoved
	}
	return c.write(quirksRecord(q))
}
