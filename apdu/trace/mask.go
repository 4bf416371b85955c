package trace

import (
	"bytes"
	"errors"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// mask replaces the values in one file, whose octets come in pieces, and keeps tags and
// lengths. From the first octet that is no data object on it replaces everything.
type mask struct {
	keep func(tag tlv.Tag, length int) bool // of a primitive value
	done []byte                             // the file as far as it was read, masked

	header []byte // of a tag and length whose end has not come
	ends   []int  // offsets where the constructed objects end that are open
	left   int    // octets of the current value that are to come
	value  []byte // what stands for them, nil = they are kept
	opaque bool
}

// maxFile is how much of a file is remembered, the largest that READ BINARY reaches
// with an even INS twice over.
const maxFile = 1 << 16

// at masks the octets from offset on. What was seen before is as it was; what begins
// beyond what was seen is replaced whole.
func (m *mask) at(offset int, b []byte) []byte {
	if offset > len(m.done) || offset+len(b) > maxFile {
		return filler(len(b))
	}
	if seen := len(m.done) - offset; seen < len(b) {
		for _, octet := range b[seen:] {
			m.done = append(m.done, m.next(octet))
		}
	}
	return bytes.Clone(m.done[offset : offset+len(b)])
}

// next masks one octet.
func (m *mask) next(octet byte) byte {
	switch {
	case m.opaque:
		return fill
	case m.left > 0:
		m.left--
		if m.value == nil {
			return octet
		}
		return m.value[len(m.value)-m.left-1]
	}
	here := len(m.done)
	for n := len(m.ends); n > 0 && m.ends[n-1] <= here; n-- {
		m.ends = m.ends[:n-1]
	}
	if len(m.ends) == 0 && here > 0 && len(m.header) == 0 {
		m.opaque = octet != 0 // after the file's one object comes padding only
		if m.opaque {
			return fill
		}
		return octet
	}
	m.header = append(m.header, octet)
	tag, _, length, err := tlv.Header(m.header)
	switch {
	case errors.Is(err, tlv.ErrShort):
	case err != nil, len(m.ends) > 0 && here+1+length > m.ends[len(m.ends)-1]:
		m.opaque = true
		return fill
	default:
		m.header = m.header[:0]
		m.open(tag, length, here+1)
	}
	return octet
}

// open begins the value of an object at the offset.
func (m *mask) open(tag tlv.Tag, length, offset int) {
	switch {
	case tag.Constructed():
		m.ends = append(m.ends, offset+length)
	case m.keep(tag, length):
		m.left, m.value = length, nil
	default:
		m.left, m.value = length, substitute(tag, length)
	}
}

// fill stands for every octet that is left out.
const fill = 'X'

func filler(n int) []byte { return bytes.Repeat([]byte{fill}, n) }

// The specimens of Doc 9303-5, -6 and -4, appendix B.
const (
	specimenTD1 = "I<UTOD231458907<<<<<<<<<<<<<<<" + "7408122F1204159UTO<<<<<<<<<<<6" + "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
	specimenTD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<" + "D231458907UTO7408122F1204159<<<<<<<6"
	specimenTD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<" + "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
)

// substitute is what stands for a value.
func substitute(tag tlv.Tag, length int) []byte {
	if tag == 0x5F1F {
		for _, s := range []string{specimenTD1, specimenTD2, specimenTD3} {
			if len(s) == length {
				return []byte(s)
			}
		}
	}
	return filler(length)
}
