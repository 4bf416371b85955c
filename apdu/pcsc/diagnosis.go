package pcsc

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Diagnosis is what can be said about PC/SC on this machine.
type Diagnosis struct {
	Service error  // nil if the service answers, else ErrNoService or ErrUnavailable, wrapped
	Library string // version of the PC/SC library, if it tells
	Readers []ReaderDiagnosis
}

// ReaderDiagnosis is what can be said about one reader without a command to the card.
type ReaderDiagnosis struct {
	Reader
	Protocol Protocol // if there is a card that could be opened
	Error    error    // why the card could not be opened
	// MaxCommand is the largest encoded command in octets that the reader says it takes
	// (dwMaxAPDUDataSize, PC/SC part 10), 0 if it doesn't say. Readers are known to drop
	// less, and some take more: only a try is proof.
	MaxCommand int
	// Extended is what the card's historical bytes say of extended lengths.
	Extended Extended
	// Driver is the name and version that the driver tells, "" if there is no card in the
	// reader, through which to ask, or if it tells neither.
	Driver string
	// MaxRate is the highest bit rate in bit/s that the driver says the reader has
	// (SCARD_ATTR_MAX_DATA_RATE), 0 if it doesn't say, as most don't.
	MaxRate int
	// CardRate is the highest bit rate in bit/s that a card with contacts offers by TA1 at
	// its highest clock (ISO/IEC 7816-3 §8.3). It is 0 for a contactless card, whose rate
	// the reader settles and PC/SC does not tell.
	CardRate int
}

// driverVersion is "name version": a version is a number with the major part in its
// highest octet, the minor in the next, and the build in the rest (PC/SC part 3 §3.1.3).
func driverVersion(name, version []byte) string {
	text := strings.TrimRight(string(name), "\x00 ")
	if len(version) == 4 {
		v := binary.NativeEndian.Uint32(version)
		text += fmt.Sprintf(" %d.%d.%d", v>>24, v>>16&0xFF, v&0xFFFF)
	}
	return strings.TrimSpace(text)
}

// The ways of PC/SC part 10 to ask a reader for its properties.
const (
	featureRequest       = 3400 // CM_IOCTL_GET_FEATURE_REQUEST
	featureTLVProperties = 0x12 // FEATURE_GET_TLV_PROPERTIES
	propertyMaxAPDU      = 0x0A // dwMaxAPDUDataSize
)

// feature finds the control code of a feature in the answer to featureRequest: entries
// of a tag, the length 4 and a code, most significant octet first (PC/SC part 10 §2.2).
func feature(answer []byte, tag byte) (uint32, bool) {
	v := property(answer, tag)
	if len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// property finds a property's value: entries of a tag, a length octet and a value (PC/SC
// part 10 §2.6.14). It is nil if there is none.
func property(answer []byte, tag byte) []byte {
	for len(answer) >= 2 {
		n := int(answer[1])
		if n > len(answer)-2 {
			return nil
		}
		if answer[0] == tag {
			return answer[2 : 2+n]
		}
		answer = answer[2+n:]
	}
	return nil
}

// number reads a property's value, least significant octet first. It is 0 for none.
func number(v []byte) int {
	if len(v) == 0 || len(v) > 4 {
		return 0
	}
	var n uint64
	for i, b := range v {
		n |= uint64(b) << (8 * i)
	}
	return int(min(n, 1<<31-1))
}
