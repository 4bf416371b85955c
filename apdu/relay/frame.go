package relay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tamthe/tamthe/apdu"
)

// kind is what a frame is. A frame is its kind in one octet, the length of what it holds in
// three, the number of its exchange in four, and what it holds.
type kind byte

const (
	command kind = 1 // from the terminal: an APDU
	answer  kind = 2 // to it: the card's answer
	refused kind = 3 // to it: the Code of a Refusal
	failed  kind = 4 // to it: the number of a fault
	ended   kind = 5 // from the terminal: its last word
)

// sizes are the least and the most octets of each kind.
var sizes = [...]struct{ least, most int }{
	command: {4, 4 + 3 + apdu.MaxData + 2}, answer: {2, apdu.MaxLe + 2}, refused: {1, 32}, failed: {1, 1}, ended: {0, maxLast},
}

// maxLast is the most that the terminal's last word may have, in octets.
const maxLast = 64 << 10

type frame struct {
	kind   kind
	number uint32
	data   []byte
}

const headerSize = 8

// readFrame reads one frame. It is total: what is no frame is ErrStream, and memory is taken
// only for what a frame of the kind may hold. An end between two frames is ErrGone.
func readFrame(r io.Reader) (frame, error) {
	var h [headerSize]byte
	if n, err := io.ReadFull(r, h[:]); err != nil {
		if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			return frame{}, fmt.Errorf("%w: half a frame", ErrStream)
		}
		return frame{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	f := frame{kind: kind(h[0]), number: binary.BigEndian.Uint32(h[4:])}
	n := int(h[1])<<16 | int(h[2])<<8 | int(h[3])
	if f.kind < command || f.kind > ended || n < sizes[f.kind].least || n > sizes[f.kind].most {
		return frame{}, fmt.Errorf("%w: kind %d of %d octets", ErrStream, h[0], n)
	}
	f.data = make([]byte, n)
	if _, err := io.ReadFull(r, f.data); err != nil {
		return frame{}, fmt.Errorf("%w: half a frame", ErrStream)
	}
	return f, nil
}

// writeFrame writes one frame, in one write.
func writeFrame(w io.Writer, f frame) error {
	n := len(f.data)
	if n < sizes[f.kind].least || n > sizes[f.kind].most {
		return fmt.Errorf("%w: kind %d of %d octets", ErrStream, f.kind, n)
	}
	b := make([]byte, headerSize, headerSize+n)
	b[0], b[1], b[2], b[3] = byte(f.kind), byte(n>>16), byte(n>>8), byte(n)
	binary.BigEndian.PutUint32(b[4:], f.number)
	if _, err := w.Write(append(b, f.data...)); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}
