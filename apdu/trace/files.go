package trace

import (
	"bytes"
	"encoding/binary"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// files follows which file a card has current, and remembers for each how far it was
// read.
type files struct {
	current uint16 // file identifier, 0 = unknown
	eID     bool   // the application is the eID, whose groups 14 and 15 are personal
	masks   map[uint16]*mask
}

// eIDApplication is its AID (TR-03110-4 §2.2).
var eIDApplication = []byte{0xE8, 0x07, 0x04, 0x00, 0x7F, 0x00, 0x07, 0x03, 0x02}

// bySFI is the file identifier that belongs to a short one (Doc 9303-10 table 31).
func bySFI(sfi byte) uint16 { return 0x0100 | uint16(sfi) }

// mask returns the data of an answer to c as they may be shown.
func (f *files) mask(c apdu.Command, r apdu.Response) []byte {
	switch c.INS {
	case 0xA4:
		f.current = 0
		if (c.P1 == 0x00 || c.P1 == 0x02) && len(c.Data) == 2 && r.Status == apdu.OK {
			f.current = binary.BigEndian.Uint16(c.Data)
		}
		if c.P1 == 0x04 && r.Status == apdu.OK { // other files behind the same identifiers
			f.eID = bytes.HasPrefix(c.Data, eIDApplication)
			clear(f.masks)
		}
		return r.Data
	case 0x86, 0x87: // names of a citizen for one sector, among others
		m := mask{keep: func(tlv.Tag, int) bool { return false }}
		return m.at(0, r.Data)
	case 0xB0:
		offset := int(c.P1)<<8 | int(c.P2)
		if c.P1&0x80 != 0 {
			f.current, offset = bySFI(c.P1&0x1F), int(c.P2)
		}
		return f.content(offset, r.Data)
	case 0xB1:
		return f.odd(c, r)
	case 0xB2, 0xB3:
		return filler(len(r.Data))
	}
	return r.Data
}

// odd masks the answer to a READ BINARY of odd INS: offset and content are objects of
// tags 54 and 53 or 73 (ISO/IEC 7816-4 §11.3.3).
func (f *files) odd(c apdu.Command, r apdu.Response) []byte {
	switch {
	case c.P1 == 0 && c.P2 == 0: // the current file
	case c.P1 == 0 && c.P2 < 0x1F:
		f.current = bySFI(c.P2)
	default:
		f.current = uint16(c.P1)<<8 | uint16(c.P2)
	}
	at, ok := tlv.Find(c.Data, 0x54)
	offset := 0
	if ok = ok && len(at) <= 3; ok {
		for _, b := range at {
			offset = offset<<8 | int(b)
		}
	}
	tag, header, length, err := tlv.Header(r.Data)
	if !ok || err != nil || tag != 0x53 && tag != 0x73 || header+length != len(r.Data) {
		return filler(len(r.Data))
	}
	return append(r.Data[:header:header], f.content(offset, r.Data[header:])...)
}

// content masks octets of the current file from offset on.
func (f *files) content(offset int, b []byte) []byte {
	keep := keepStructure
	switch f.current {
	case 0x011C, 0x011E: // EF.CardAccess or EF.CVCA; EF.COM or EF.DIR
		return b
	case 0x011D: // EF.SOD or EF.CardSecurity
		keep = keepNames
	case 0x010E, 0x010F: // DG14, DG15
		if !f.eID {
			keep = keepNames
		}
	case 0x0102, 0x0103, 0x0104: // DG2, DG3, DG4
		keep = keepBiometrics
	case 0: // whatever was current before: nothing is known of its structure
		return filler(len(b))
	}
	m := f.masks[f.current]
	if m == nil {
		m = &mask{keep: keep}
		f.masks[f.current] = m
	}
	return m.at(offset, b)
}

// keepStructure keeps what tells how a data group is built: lists of tags, versions,
// object identifiers and counts.
func keepStructure(tag tlv.Tag, length int) bool {
	switch tag {
	case 0x5C, 0x5F01, 0x5F36, 0x06:
		return true
	case 0x02:
		return length <= 1
	}
	return false
}

// keepBiometrics keeps also the types in a biometric header (Doc 9303-10 §4.7.2).
func keepBiometrics(tag tlv.Tag, length int) bool {
	switch tag {
	case 0x81, 0x82, 0x87, 0x88:
		return true
	}
	return keepStructure(tag, length)
}

// keepNames keeps all of a security object but octet strings, bit strings and what is
// tagged implicitly.
func keepNames(tag tlv.Tag, _ int) bool { return tag < 0x40 && tag != 0x03 && tag != 0x04 }
