package card

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/lds"
)

// ladder are the sizes that a card which refuses one is offered next. 231 and 223 are
// the most that short secure messaging bears; 160 and 112 are what old chips took
// (NFCPassportReader#24, #91); 4 is a header alone, 2 the least that a file can be, and 1
// tells an empty file from a broken one.
var ladder = [...]int{1008, 231, 223, 160, 112, 4, 2, 1}

// below returns the next smaller size of the ladder, 0 at its end.
func below(le int) int {
	for _, n := range ladder {
		if n < le {
			return n
		}
	}
	return 0
}

// reader reads whole files with READ BINARY.
type reader struct {
	t  apdu.Transmitter
	le int // the most to ask for at once; lowered once the card bears less

	longest int  // the longest answer so far
	bySFI   bool // a file was read by its short identifier: the card knows them
}

// read reads a file by its SFI, or, if first is nil and the card has no SFIs, by its FID.
// The first command asks for as much as fits, so that header, length and body come
// together; first is its answer if it was sent already. What is returned has the length
// that the file's own header says.
func (r *reader) read(ctx context.Context, f lds.File, first *apdu.Response, progress func(done, total int)) ([]byte, error) {
	s := &reading{file: f, bySFI: true, total: -1, progress: progress}
	data, err := r.blocks(ctx, s, first)
	if err != nil && len(s.data) == 0 && (sfiUnknown(err) || errors.Is(err, ErrFileAbsent) && !r.bySFI) {
		return r.readSelected(ctx, f, progress)
	}
	r.bySFI = r.bySFI || err == nil
	return data, err
}

// readSelected selects a file by its FID and reads it.
func (r *reader) readSelected(ctx context.Context, f lds.File, progress func(done, total int)) ([]byte, error) {
	fid := f.FID()
	c := apdu.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(fid >> 8), byte(fid)}}
	_, status, err := apdu.Do(ctx, r.t, c)
	if err != nil {
		return nil, fmt.Errorf("SELECT: %w", err)
	}
	if err := c.Refused(status); err != nil {
		return nil, absent(err)
	}
	return r.blocks(ctx, &reading{file: f, total: -1, progress: progress}, nil)
}

// blocks reads block after block. A short one is no end: only the length in the file's
// header is.
func (r *reader) blocks(ctx context.Context, s *reading, answer *apdu.Response) ([]byte, error) {
	for le := r.le; ; {
		if answer == nil {
			a, err := r.t.Transmit(ctx, s.command(le))
			if err != nil {
				return nil, fmt.Errorf("READ BINARY: %w", err)
			}
			answer = &a
		}
		got, status := answer.Data, answer.Status
		answer = nil
		if status == apdu.OK || status == apdu.EndOfFile {
			var err error
			if got, err = s.block(got); err != nil {
				return nil, err
			}
		}
		if s.commands++; s.commands > spare+len(s.data)/leastBlock {
			return nil, fmt.Errorf("%d octets in %d blocks: %w", len(s.data), s.commands, ErrFileBroken)
		}
		if len(got) == 0 || status != apdu.OK && status != apdu.EndOfFile {
			var err error
			if le, err = s.shrink(le, status); err != nil {
				return nil, err
			}
			continue
		}
		r.longest = max(r.longest, len(got))
		if err := s.add(got); err != nil {
			return nil, err
		}
		if s.total >= 0 && s.refused > 0 {
			if s.refused <= s.total-len(s.data)+len(got) { // there was enough to give
				r.le = min(r.le, le)
			}
			s.refused = 0
		}
		if s.done() {
			return s.data[:s.total:s.total], nil
		}
		le = s.ask(r.le)
	}
}

// sfiUnknown reports whether a card that refused so may take the file's FID.
func sfiUnknown(err error) bool {
	return errors.Is(err, apdu.NoCurrentFile) || errors.Is(err, apdu.FunctionNotSupported) ||
		errors.Is(err, apdu.WrongP1P2) || errors.Is(err, apdu.ConditionsNotSatisfied)
}

// absent marks a refusal that denies the file.
func absent(err error) error {
	if errors.Is(err, apdu.FileNotFound) {
		return fmt.Errorf("%w: %w", ErrFileAbsent, err)
	}
	return err
}
