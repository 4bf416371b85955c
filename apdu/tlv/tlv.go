// Package tlv reads and builds the BER-TLV data objects of ISO/IEC 7816-4 §5.2.2.
//
// It is lenient where cards are: lengths need not be minimal, and a second tag octet
// below 1F is taken, because Doc 9303-10 assigns such tags (5F01, 5F0E, 5F1E). Tags have
// 1 to 3 octets, lengths at most 4 after the first and MaxLength in value; indefinite
// length is refused. Nothing is copied and nothing recurses: who descends holds a String
// for each level.
package tlv

import (
	"errors"
	"fmt"
)

// MaxLength is the largest length of a value, in octets. No object of a card comes near.
const MaxLength = 1<<24 - 1

var (
	// ErrShort says that the octets end within a tag or a length, so that more of them
	// would help.
	ErrShort = errors.New("data object ends within its header")
	// ErrMalformed says that the octets can't begin a data object.
	ErrMalformed = errors.New("malformed data object")
)

// Tag is a tag as it is written: 0x30, 0x5F1F, 0x7F61. A valid tag has 1 to 3 octets.
type Tag uint32

// String is the tag in hexadecimal digits, two for each octet.
func (t Tag) String() string {
	switch {
	case t > 0xFFFF:
		return fmt.Sprintf("%06X", uint32(t))
	case t > 0xFF:
		return fmt.Sprintf("%04X", uint32(t))
	}
	return fmt.Sprintf("%02X", uint32(t))
}

// Constructed reports whether the value is itself a sequence of data objects.
func (t Tag) Constructed() bool {
	for t > 0xFF {
		t >>= 8
	}
	return t&0x20 != 0
}

// Header reads the tag and the length at the start of b, which may be as little as a
// file's first octets: the value's octets need not be there. The object has headerLen +
// valueLen octets. The error is ErrShort if b ends within the header and otherwise
// wraps ErrMalformed.
func Header(b []byte) (tag Tag, headerLen, valueLen int, err error) {
	tag, n, err := readTag(b)
	if err != nil {
		return 0, 0, 0, err
	}
	length, m, err := readLength(b[n:])
	if err != nil {
		return 0, 0, 0, err
	}
	return tag, n + m, length, nil
}

// maxTag is the most octets of a tag, ISO/IEC 7816-4 §5.2.2.1.
const maxTag = 3

func readTag(b []byte) (Tag, int, error) {
	if len(b) == 0 {
		return 0, 0, ErrShort
	}
	tag := Tag(b[0])
	if tag == 0x00 || tag == 0xFF {
		return 0, 0, fmt.Errorf("tag %v: %w", tag, ErrMalformed)
	}
	if tag&0x1F != 0x1F {
		return tag, 1, nil
	}
	for n := 1; n < maxTag; n++ {
		if n == len(b) {
			return 0, 0, ErrShort
		}
		if n == 1 && b[n] == 0x80 { // a subsequent octet of value zero
			return 0, 0, fmt.Errorf("tag %v80: %w", tag, ErrMalformed)
		}
		tag = tag<<8 | Tag(b[n])
		if b[n]&0x80 == 0 {
			return tag, n + 1, nil
		}
	}
	return 0, 0, fmt.Errorf("tag %v of more than %d octets: %w", tag, maxTag, ErrMalformed)
}

func readLength(b []byte) (length, n int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrShort
	}
	first := b[0]
	if first < 0x80 {
		return int(first), 1, nil
	}
	n = int(first & 0x7F)
	if n == 0 || n > 4 {
		return 0, 0, fmt.Errorf("length octet %02X: %w", first, ErrMalformed)
	}
	var v uint32
	for i := 1; i <= n; i++ {
		if i == len(b) {
			return 0, 0, ErrShort
		}
		v = v<<8 | uint32(b[i])
	}
	if v > MaxLength {
		return 0, 0, fmt.Errorf("length %d: %w", v, ErrMalformed)
	}
	return int(v), n + 1, nil
}
