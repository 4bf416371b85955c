package sm

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// Once is one exchange under keys that only this end and the chip have, carried by somebody
// who has neither. It must not be copied.
type Once struct {
	end end
	odd bool
}

// Protect protects c as the first command under k, for somebody else to carry to the chip,
// and keeps what opens the answer. It takes over k's slices. Keys of wrong sizes are
// ErrClosed; a command that no APDU can hold is apdu.ErrTooLong or apdu.ErrMalformed.
func Protect(k Keys, c apdu.Command) (apdu.Command, *Once, error) {
	o := &Once{end: newEnd(k), odd: c.INS&1 == 1}
	if !o.end.open {
		return apdu.Command{}, nil, ErrClosed
	}
	err := (&Channel{end: o.end}).check(c)
	var p apdu.Command
	if err == nil {
		p, err = o.end.protect(c)
	}
	if err != nil {
		o.Close()
		return apdu.Command{}, nil, err
	}
	return p, o, nil
}

// Open verifies and opens the chip's answer, and forgets the keys: it is good for one
// answer, a wrong one too. What is not protected rightly is ErrProtection.
func (o *Once) Open(r apdu.Response) (apdu.Response, error) {
	if !o.end.open {
		return apdu.Response{}, ErrClosed
	}
	defer o.Close()
	plain, err := o.end.verified(r, o.odd)
	if err != nil {
		return apdu.Response{}, fmt.Errorf("%w: %w", ErrProtection, err)
	}
	return plain, nil
}

// Close forgets the keys. It may be called more than once.
func (o *Once) Close() { o.end.close() }

// Leave closes the channel and sends c as it stands, past it: c is protected under keys
// that the chip has by now and this end has not. The answer is handed on as it came.
func (h *Channel) Leave(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if !h.end.open {
		return apdu.Response{}, ErrClosed
	}
	h.Close()
	return h.next.Transmit(ctx, c)
}
