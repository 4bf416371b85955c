package apdu

import (
	"context"
	"fmt"
)

// Limits are the largest command and answer, encoded and in octets, that a card and its
// reader take. A zero field stands for short encoding: 261 and 258 octets.
type Limits struct {
	Command, Response int
}

// The largest encoded command and answer in short encoding.
const (
	shortCommand  = 4 + 1 + MaxShort + 1
	shortResponse = MaxShortLe + 2
)

// Sizes returns the limits with the values of short encoding in place of zero.
func (l Limits) Sizes() (command, response int) {
	command, response = l.Command, l.Response
	if command == 0 {
		command = shortCommand
	}
	if response == 0 {
		response = shortResponse
	}
	return command, response
}

// Traffic counts what went over a Wire, GET RESPONSE and repeats included.
type Traffic struct {
	APDUs    int // commands
	BytesIn  int // octets of answers, status words included
	BytesOut int // octets of commands
}

// Link speaks commands over a Wire: it chooses the encoding, fetches what a card holds
// back behind 61xx and repeats once with the Le that a 6Cxx names. It serves one
// goroutine at a time.
type Link struct {
	wire    Wire
	limits  Limits
	traffic Traffic
}

// Over returns a Link over w within l.
func Over(w Wire, l Limits) *Link { return &Link{wire: w, limits: l} }

// Raise replaces the limits once the card has said more about itself.
func (k *Link) Raise(l Limits) { k.limits = l }

// Limits returns the limits in force.
func (k *Link) Limits() Limits { return k.limits }

// Traffic returns what has gone over the wire so far, failed exchanges' commands
// included.
func (k *Link) Traffic() Traffic { return k.traffic }

// Transmit sends c and returns the whole answer, at most MaxLe octets of data.
//
// Extended encoding is used only where short encoding can't hold c, and only within the
// limits; beyond them it is ErrTooLong and nothing is sent. A 61xx is followed by GET
// RESPONSE on the same logical channel until the card has given everything. A 6Cxx is
// followed by the same command with Le xx, once, but never if c is Secured: the answer
// is then returned as it came. A card that keeps on saying 61xx is ErrMalformed.
func (k *Link) Transmit(ctx context.Context, c Command) (Response, error) {
	r, err := k.exchange(ctx, c)
	if err != nil {
		return Response{}, err
	}
	if r.Status.family() == WrongLe && !c.Secured() {
		c.Le = shortLe(byte(r.Status))
		if r, err = k.exchange(ctx, c); err != nil {
			return Response{}, err
		}
	}
	if r.Status.family() == BytesRemaining {
		return k.fetch(ctx, c, r)
	}
	return r, nil
}

// maxFetch is how many GET RESPONSE a single answer may take. A card that fills its
// answers needs 256.
const maxFetch = 1024

// fetch collects the rest of the answer that begins with r (ISO/IEC 7816-4 §5.3.4).
func (k *Link) fetch(ctx context.Context, c Command, r Response) (Response, error) {
	data := append([]byte(nil), r.Data...)
	for n := 0; r.Status.family() == BytesRemaining; n++ {
		get := Command{CLA: c.channel(), INS: 0xC0, Le: shortLe(byte(r.Status))}
		next, err := k.exchange(ctx, get)
		if err == nil && next.Status.family() == WrongLe {
			get.Le = shortLe(byte(next.Status))
			next, err = k.exchange(ctx, get)
		}
		if err != nil {
			return Response{}, fmt.Errorf("GET RESPONSE: %w", err)
		}
		if n == maxFetch || len(next.Data) == 0 && next.Status.family() == BytesRemaining || len(data)+len(next.Data) > MaxLe {
			return Response{}, fmt.Errorf("GET RESPONSE has no end after %d octets: %w", len(data), ErrMalformed)
		}
		data, r = append(data, next.Data...), next
	}
	return Response{Data: data, Status: r.Status}, nil
}

// exchange sends one command as it is.
func (k *Link) exchange(ctx context.Context, c Command) (Response, error) {
	b, err := k.encode(c)
	if err != nil {
		return Response{}, err
	}
	k.traffic.APDUs++
	k.traffic.BytesOut += len(b)
	answer, err := k.wire.Exchange(ctx, b)
	if err != nil {
		return Response{}, err
	}
	k.traffic.BytesIn += len(answer)
	return ParseResponse(answer)
}

func (k *Link) encode(c Command) ([]byte, error) {
	b, err := c.Encode(!c.fitsShort())
	if err != nil {
		return nil, err
	}
	if command, response := k.limits.Sizes(); len(b) > command || c.Le+2 > response {
		return nil, fmt.Errorf("command of %d octets that asks for %d within limits of %d and %d: %w",
			len(b), c.Le, command, response-2, ErrTooLong)
	}
	return b, nil
}
