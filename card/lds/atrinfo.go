package lds

import (
	"encoding/binary"
	"errors"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// ATRInfo is EF.ATR/INFO of the master file (ISO/IEC 7816-4 §12.2.2, Doc 9303-10 §3.11.1):
// what a card says of itself, unsigned.
type ATRInfo struct {
	// Command and Response are the largest APDUs in octets that the card takes and gives
	// (7F66, ISO/IEC 7816-4 §12.7.1); 0 where it doesn't say.
	Command, Response int
	// Capabilities is the third octet of the card capabilities (47): bit 8 command
	// chaining, bit 7 extended length, bit 6 that 7F66 is there; 0 where it doesn't say.
	Capabilities byte
	Unknown      []tlv.Tag // other objects, in their order
}

// ExtendedLength says whether the card claims commands of extended length, by its
// capabilities or by naming sizes that need them.
func (a ATRInfo) ExtendedLength() bool {
	return a.Capabilities&0x40 != 0 || a.Command > 261 || a.Response > 258
}

// The objects of EF.ATR/INFO that are read.
const (
	tagCapabilities tlv.Tag = 0x47
	tagSizes        tlv.Tag = 0x7F66
	tagInteger      tlv.Tag = 0x02
)

// maxATRInfo bounds the file in octets; known ones have less than a hundred.
const maxATRInfo = 4096

var errATRInfo = errors.New("malformed EF.ATR/INFO")

// ParseATRInfo reads EF.ATR/INFO, with or without a category indicator 80 in front and
// filler behind it. A size that no card can mean is an
// error.
func ParseATRInfo(raw []byte) (ATRInfo, error) {
	var a ATRInfo
	s := tlv.String(raw)
	if len(raw) > maxATRInfo {
		return a, errATRInfo
	}
	if len(s) > 0 && s[0] == 0x80 {
		s = s[1:]
	}
	for s.SkipFiller(); !s.Empty(); s.SkipFiller() {
		var tag tlv.Tag
		var value tlv.String
		if !s.Read(&tag, &value) {
			return ATRInfo{}, errATRInfo
		}
		switch tag {
		case tagCapabilities:
			if len(value) >= 3 {
				a.Capabilities = value[2]
			}
		case tagSizes:
			if !readSize(&value, &a.Command) || !readSize(&value, &a.Response) || !value.Empty() {
				return ATRInfo{}, errATRInfo
			}
		default:
			a.Unknown = append(a.Unknown, tag)
		}
	}
	return a, nil
}

// readSize reads an INTEGER of an APDU's size, which is written with or without the zero
// in front that a number above 32,767 needs in BER.
func readSize(s *tlv.String, n *int) bool {
	var v tlv.String
	if !s.ReadTag(tagInteger, &v) || len(v) == 0 || len(v) > 4 {
		return false
	}
	var b [4]byte
	copy(b[4-len(v):], v)
	size := binary.BigEndian.Uint32(b[:])
	if size < 5 || size > 1<<17 {
		return false
	}
	*n = int(size)
	return true
}

// EncodeATRInfo writes EF.ATR/INFO with card capabilities and, unless both are 0, the
// sizes. Unknown is not written.
func EncodeATRInfo(a ATRInfo) []byte {
	raw := tlv.Encode(tagCapabilities, []byte{0, 0, a.Capabilities})
	if a.Command == 0 && a.Response == 0 {
		return raw
	}
	size := func(n int) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(n))
		for len(b) > 2 && b[0] == 0 && b[1] < 0x80 {
			b = b[1:]
		}
		return tlv.Encode(tagInteger, b)
	}
	return append(raw, tlv.Encode(tagSizes, size(a.Command), size(a.Response))...)
}
