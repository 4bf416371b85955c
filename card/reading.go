package card

import (
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/lds"
)

// maxOffset is the largest offset in P1-P2 of READ BINARY (ISO/IEC 7816-4 §11.3.3).
// Beyond it the offset is a data object of the command with the odd INS.
const maxOffset = 0x7FFF

// The data objects of READ BINARY with the odd INS.
const (
	tagOffset tlv.Tag = 0x54
	tagData   tlv.Tag = 0x53
)

// A card must give leastBlock octets for each READ BINARY on average, after some to
// spare: a hostile one can't hold a reader for long.
const (
	leastBlock = 16
	spare      = 16
)

// reading is a file on its way.
type reading struct {
	file     lds.File
	bySFI    bool
	data     []byte
	total    int // by the file's header, -1 until it is known
	refused  int // the smallest Le that was refused since the last block, 0 for none
	commands int
	progress func(done, total int)
}

// command asks for le octets after those that are here.
func (s *reading) command(le int) apdu.Command {
	offset := len(s.data)
	if offset > maxOffset {
		where := []byte{byte(offset >> 16), byte(offset >> 8), byte(offset)}
		if where[0] == 0 {
			where = where[1:]
		}
		return apdu.Command{INS: 0xB1, Data: tlv.Encode(tagOffset, where), Le: le}
	}
	c := apdu.Command{INS: 0xB0, P1: byte(offset >> 8), P2: byte(offset), Le: le}
	if s.bySFI && offset == 0 {
		c.P1 = 0x80 | s.file.SFI()
	}
	return c
}

// block returns the file's octets in the answer to command. Beyond maxOffset they are in
// one object that fills the answer.
func (s *reading) block(answer []byte) ([]byte, error) {
	if len(s.data) <= maxOffset || len(answer) == 0 {
		return answer, nil
	}
	tag, header, value, err := tlv.Header(answer)
	if err != nil || tag != tagData || header+value != len(answer) {
		return nil, fmt.Errorf("answer without the one object 53 after %d octets: %w", len(s.data), ErrFileBroken)
	}
	return answer[header:], nil
}

// ask is the Le for the rest of the file, as much as le allows, with room for the object
// around it beyond maxOffset.
func (s *reading) ask(le int) int {
	if s.total < 0 {
		return le
	}
	rest := s.total - len(s.data)
	if len(s.data) > maxOffset {
		rest += len(tlv.AppendHeader(nil, tagData, rest))
	}
	return min(le, rest)
}

// add takes a block and learns the total from the header.
func (s *reading) add(block []byte) error {
	s.data = append(s.data, block...)
	if s.total < 0 {
		_, header, value, err := tlv.Header(s.data)
		switch {
		case errors.Is(err, tlv.ErrShort):
			return nil
		case err != nil:
			return fmt.Errorf("header %X: %w: %w", s.data[:min(len(s.data), 6)], ErrFileBroken, err)
		case header+value > maxSize(s.file):
			return fmt.Errorf("%d octets: %w", header+value, ErrFileTooLarge)
		}
		s.total = header + value
	}
	if s.progress != nil {
		s.progress(min(len(s.data), s.total), s.total)
	}
	return nil
}

func (s *reading) done() bool { return s.total >= 0 && len(s.data) >= s.total }

// shrink returns the Le to try after le brought a status and no data.
func (s *reading) shrink(le int, status apdu.Status) (int, error) {
	var smaller int
	switch {
	case errors.Is(status, apdu.WrongLe):
		smaller = int(byte(status))
	case status == apdu.WrongLength, status == apdu.WrongOffset,
		status == apdu.EndOfFile && len(s.data) == 0:
		smaller = below(le)
	case status == apdu.OK && len(s.data) == 0:
		return 0, ErrFileEmpty
	case status == apdu.OK, status == apdu.EndOfFile:
		return 0, fmt.Errorf("nothing after %d octets: %w", len(s.data), ErrFileBroken)
	default:
		return 0, absent(&apdu.StatusError{Command: "READ BINARY", Status: status})
	}
	if smaller == 0 && len(s.data) == 0 && (status == apdu.EndOfFile || status == apdu.WrongOffset) {
		return 0, fmt.Errorf("%w: %w", ErrFileEmpty, &apdu.StatusError{Command: "READ BINARY", Status: status})
	}
	if smaller == 0 || smaller >= le {
		return 0, fmt.Errorf("%w: %w", ErrFileBroken, &apdu.StatusError{Command: "READ BINARY", Status: status})
	}
	s.refused = le
	return smaller, nil
}

// maxSize is the largest size in octets that a file may claim: some times what the
// largest known documents hold, so that no card makes a reader wait for nonsense.
func maxSize(f lds.File) int {
	switch f {
	case lds.COM, lds.DG1:
		return 1 << 10
	case lds.CardAccess:
		return 4 << 10
	case lds.DG14, lds.DG15, lds.CardSecurity:
		return 16 << 10
	case lds.DG2, lds.DG3, lds.DG4, lds.DG5, lds.DG7:
		return 1 << 20
	}
	return 256 << 10
}
