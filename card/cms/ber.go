package cms

import (
	"fmt"
	"slices"
)

// Bounds of the normaliser. Real BER documents are SODs of 2 KB, ten levels deep.
const (
	maxDepth    = 32
	maxElements = 1 << 18
)

func structure(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrStructure, fmt.Sprintf(format, args...))
}

// normalise rewrites BER as the same values with definite, minimal lengths and with
// OCTET STRINGs in one piece. Nothing else changes: the octets of primitive values
// stay as they are. Time and memory are linear in the input.
func normalise(ber []byte) ([]byte, error) {
	n := normaliser{in: ber, out: make([]byte, 0, len(ber))}
	if err := n.element(len(ber), 0); err != nil {
		return nil, err
	}
	if n.pos != len(ber) {
		return nil, structure("bytes behind the end")
	}
	return n.out, nil
}

type normaliser struct {
	in       []byte
	pos      int
	out      []byte
	elements int
}

// header reads tag and length of the element at pos, which must end by end; length is
// -1 for the indefinite form.
func (n *normaliser) header(end int) (tag byte, length int, err error) {
	if n.elements++; n.elements > maxElements {
		return 0, 0, structure("more than %d elements", maxElements)
	}
	if end-n.pos < 2 {
		return 0, 0, structure("truncated element")
	}
	tag = n.in[n.pos]
	first := n.in[n.pos+1]
	n.pos += 2
	switch {
	case tag&0x1f == 0x1f:
		return 0, 0, structure("tag number above 30")
	case first == 0x80:
		return tag, -1, nil
	case first < 0x80:
		length = int(first)
	default:
		octets := int(first & 0x7f)
		if octets > 4 || end-n.pos < octets {
			return 0, 0, structure("length of %d octets", octets)
		}
		for _, b := range n.in[n.pos : n.pos+octets] {
			if length > MaxSize {
				return 0, 0, structure("length beyond the input")
			}
			length = length<<8 | int(b)
		}
		n.pos += octets
	}
	if length > end-n.pos {
		return 0, 0, structure("length beyond the input")
	}
	return tag, length, nil
}

// element copies one element to out.
func (n *normaliser) element(end, depth int) error {
	if depth > maxDepth {
		return structure("more than %d levels", maxDepth)
	}
	tag, length, err := n.header(end)
	if err != nil {
		return err
	}
	start := len(n.out)
	switch {
	case tag&0x20 == 0 && length < 0:
		return structure("primitive element of indefinite length")
	case tag&0x20 == 0:
		n.out = append(n.out, n.in[n.pos:n.pos+length]...)
		n.pos += length
	case tag == 0x24: // OCTET STRING in chunks
		tag = 0x04
		err = n.children(end, length, func(end int) error { return n.chunk(end, depth+1) })
	default:
		err = n.children(end, length, func(end int) error { return n.element(end, depth+1) })
	}
	if err != nil {
		return err
	}
	n.out = slices.Insert(n.out, start, header(tag, len(n.out)-start)...)
	return nil
}

// children calls each for every element up to length, or to the end-of-contents octets.
func (n *normaliser) children(end, length int, each func(end int) error) error {
	if length >= 0 {
		end = n.pos + length
	}
	for {
		switch {
		case length >= 0 && n.pos == end:
			return nil
		case length < 0 && end-n.pos >= 2 && n.in[n.pos] == 0 && n.in[n.pos+1] == 0:
			n.pos += 2
			return nil
		}
		if err := each(end); err != nil {
			return err
		}
	}
}

// chunk appends the octets of one piece of an OCTET STRING, which may be in pieces too.
func (n *normaliser) chunk(end, depth int) error {
	if depth > maxDepth {
		return structure("more than %d levels", maxDepth)
	}
	tag, length, err := n.header(end)
	switch {
	case err != nil:
		return err
	case tag == 0x24:
		return n.children(end, length, func(end int) error { return n.chunk(end, depth+1) })
	case tag != 0x04 || length < 0:
		return structure("chunk with tag %02X", tag)
	}
	n.out = append(n.out, n.in[n.pos:n.pos+length]...)
	n.pos += length
	return nil
}

// header encodes tag and minimal length.
func header(tag byte, length int) []byte {
	switch {
	case length < 0x80:
		return []byte{tag, byte(length)}
	case length < 1<<8:
		return []byte{tag, 0x81, byte(length)}
	case length < 1<<16:
		return []byte{tag, 0x82, byte(length >> 8), byte(length)}
	case length < 1<<24:
		return []byte{tag, 0x83, byte(length >> 16), byte(length >> 8), byte(length)}
	}
	return []byte{tag, 0x84, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
}
