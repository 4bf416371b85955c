package virtual

import (
	"bytes"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// readBinary serves READ BINARY with at most room octets: from a short identifier, which
// selects its file, or from an offset in the file selected.
func (d *document) readBinary(cmd apdu.Command, room int) apdu.Response {
	offset := int(cmd.P1)<<8 | int(cmd.P2)
	if cmd.P1&0x80 != 0 {
		sfi := cmd.P1 & 0x1F
		if cmd.P1&0x60 != 0 || sfi == 0 || sfi == 0x1F {
			return apdu.Response{Status: apdu.WrongP1P2}
		}
		if s := d.selectShort(sfi); s != apdu.OK {
			return apdu.Response{Status: s}
		}
		offset = int(cmd.P2)
	}
	return d.read(offset, cmd.Le, room)
}

// readOdd serves READ BINARY with an odd INS (ISO/IEC 7816-4 §11.3.3).
func (d *document) readOdd(cmd apdu.Command, room int) apdu.Response {
	switch q := d.c.image.quirks.OddRead; {
	case q != 0:
		return apdu.Response{Status: q}
	case cmd.P1 != 0 || cmd.P2&0xE0 != 0:
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	if cmd.P2 != 0 {
		if s := d.selectShort(cmd.P2); s != apdu.OK {
			return apdu.Response{Status: s}
		}
	}
	return oddRead(cmd, room, d.read)
}

// selectShort makes the file of a short identifier the current one.
func (d *document) selectShort(sfi byte) apdu.Status {
	if q := d.c.image.quirks.SFI; q != 0 {
		return q
	}
	name, status := d.locate(d.byShort(sfi))
	if status == apdu.OK {
		d.current = name
	}
	return status
}

// within is how many octets fit into DO'53' of so many.
func within(room int) int {
	n := max(room-2, 0)
	for n > 0 && n+len(tlv.AppendHeader(nil, 0x53, n)) > room {
		n--
	}
	return n
}

// oddRead takes the offset from DO'54' and puts what read returns into DO'53'.
func oddRead(cmd apdu.Command, room int, read func(offset, le, room int) apdu.Response) apdu.Response {
	s := tlv.String(cmd.Data)
	var at tlv.String
	if !s.ReadTag(0x54, &at) || !s.Empty() || len(at) < 1 || len(at) > 3 {
		return apdu.Response{Status: apdu.WrongData}
	}
	offset := 0
	for _, o := range at {
		offset = offset<<8 | int(o)
	}
	r := read(offset, cmd.Le, within(room))
	if len(r.Data) > 0 {
		r.Data = tlv.Encode(0x53, r.Data)
	}
	return r
}

func (d *document) read(offset, le, room int) apdu.Response {
	f := d.file(d.current)
	switch {
	case f == nil && d.application != "" && d.channel == nil:
		return apdu.Response{Status: apdu.SecurityStatus}
	case f == nil:
		return apdu.Response{Status: apdu.NoCurrentFile}
	case !d.allowed(d.current):
		return apdu.Response{Status: apdu.SecurityStatus}
	}
	q := d.c.image.quirks
	data := f.data
	if q.Padding > 0 {
		data = append(bytes.Clone(data), make([]byte, q.Padding)...)
	}
	return manner{q.Block, q.Above, q.Beyond, d.rules.ExactLe, q.LiteralLe}.read(data, offset, le, room)
}

// manner is how a chip answers READ BINARY; see Quirks.
type manner struct {
	block         int
	above, beyond apdu.Status
	exact         bool // by gp.Rules
	literal       bool // no Le is no octets
}

// read returns up to room octets of a file. Without quirks a Le of 256 or 65,536 asks for
// what there is; another one that reaches beyond the end is answered with a warning and
// the data, or with the exact length and none.
func (m manner) read(data []byte, offset, le, room int) apdu.Response {
	switch {
	case le == 0 && m.literal:
		return apdu.Response{Status: apdu.OK}
	case le == 0:
		return apdu.Response{Status: apdu.WrongLength}
	case m.block > 0 && le > m.block && m.above != 0:
		return apdu.Response{Status: exactly(m.above, m.block)}
	case offset >= len(data):
		return apdu.Response{Status: apdu.WrongOffset}
	}
	if m.block > 0 {
		room = min(room, m.block)
	}
	rest := data[offset:]
	beyond := le > len(rest) && (m.beyond != 0 || le != apdu.MaxShortLe && le != apdu.MaxLe)
	if beyond {
		if s, ok := m.refusal(len(rest)); ok {
			return apdu.Response{Status: s}
		}
	}
	r := apdu.Response{Data: bytes.Clone(rest[:min(len(rest), le, room)]), Status: apdu.OK}
	if beyond && len(r.Data) == len(rest) && m.beyond != apdu.OK {
		r.Status = apdu.EndOfFile
	}
	return r
}

// refusal is the status for a READ BINARY beyond the end of a file with so many octets
// left, if it gets no data.
func (m manner) refusal(left int) (apdu.Status, bool) {
	switch m.beyond {
	case apdu.OK, apdu.EndOfFile:
		return 0, false
	case 0:
		return apdu.WrongLe | apdu.Status(left), m.exact && left < apdu.MaxShortLe
	case apdu.WrongLe:
		return exactly(m.beyond, left), left < apdu.MaxShortLe
	}
	return m.beyond, true
}

// exactly is s, and names n if s is of the family 6Cxx.
func exactly(s apdu.Status, n int) apdu.Status {
	if s == apdu.WrongLe {
		return s | apdu.Status(n&0xFF)
	}
	return s
}
