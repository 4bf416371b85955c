package gp

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// Queue is a Transmitter that can put commands off whose answers are known beforehand:
// the chain of a channel depends on commands only, so that the commands after them can be
// protected before they are sent. Later takes such a command. It is sent, with those
// before it, before the next Transmit at the latest; from the first answer that is not
// the one foretold nothing more is sent, and Transmit fails.
//
// Ask takes one whose answer is not known, but has to be OK for the commands after it to
// be sent. The function that it returns sends what was put off, if that has not happened,
// and returns the answer.
type Queue interface {
	apdu.Transmitter
	Later(ctx context.Context, c apdu.Command, want apdu.Response) error
	Ask(ctx context.Context, c apdu.Command) (func(context.Context) (apdu.Response, error), error)
}

// Expect is Transmit for a command whose plain answer the caller knows. Over a Queue it
// only puts the command off and returns want, which proves nothing until the queue has
// been sent. Over any other Transmitter it returns the card's answer.
func (h *Channel) Expect(ctx context.Context, c apdu.Command, want apdu.Response) (apdu.Response, error) {
	q, ok := h.t.(Queue)
	if !ok || h.closed || len(c.Data) > h.room(apdu.MaxData) {
		return h.Transmit(ctx, c)
	}
	h.proof.Answer = nil
	c = h.wrap(c)
	if err := q.Later(ctx, c, h.seal(want)); err != nil {
		h.Close()
		return apdu.Response{}, fmt.Errorf("%s: %w", c.Name(), err)
	}
	return want, nil
}

// ask is do for a command whose answer can wait: over a Queue it is put off, and verified
// when the function that ask returns is called. That also returns the exchange's evidence,
// nil at levels without.
func (h *Channel) ask(ctx context.Context, c apdu.Command) (func(context.Context) ([]byte, *Evidence, error), error) {
	q, ok := h.t.(Queue)
	if !ok || h.closed {
		data, err := h.do(ctx, c)
		if err != nil {
			return nil, err
		}
		e, _ := h.Evidence()
		return func(context.Context) ([]byte, *Evidence, error) { return data, e, nil }, nil
	}
	at := &Channel{info: h.info, level: h.level, legacy: h.legacy, proof: h.proof}
	before := h.chain
	wrapped := h.wrap(c)
	at.secure = h.secure // the state that its answer belongs to
	answer, err := q.Ask(ctx, wrapped)
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	return func(ctx context.Context) ([]byte, *Evidence, error) {
		sealed, err := answer(ctx)
		var r apdu.Response
		if err == nil {
			r, err = at.unwrap(sealed)
		}
		if err != nil {
			h.Close()
			return nil, nil, fmt.Errorf("%s: %w", c.Name(), err)
		}
		at.note(before, wrapped, sealed)
		e, _ := at.Evidence()
		return r.Data, e, refused(c, r)
	}, nil
}

// expect is do for a command whose answer is OK with these data.
func (h *Channel) expect(ctx context.Context, c apdu.Command, want []byte) ([]byte, error) {
	r, err := h.Expect(ctx, c, apdu.Response{Data: want, Status: apdu.OK})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := refused(c, r); err != nil {
		return nil, err
	}
	return r.Data, nil
}

// seal protects an answer as the card will.
func (h *Channel) seal(r apdu.Response) apdu.Response {
	if h.legacy != nil || !h.level.rmac() || !authenticated(r.Status) {
		return r
	}
	return h.sealed(r, h.level)
}

// sealed adds to an answer to the last command what a level protects it with.
func (s *secure) sealed(r apdu.Response, l Level) apdu.Response {
	data := append([]byte(nil), r.Data...)
	if l.renc() && len(data) > 0 {
		data = s.encrypt(ivResponse, data)
	}
	return apdu.Response{Data: append(data, s.responseMAC(data, r.Status)...), Status: r.Status}
}

// Foretold is a handshake whose card half is known beforehand, as its challenge comes from
// a key and a counter: with a key set that was just put onto the card.
type Foretold struct {
	Info Info // with Sequence
	Keys Keys
}

// answer is what the card will answer to a host's challenge.
func (f *Foretold) answer(host, aid []byte) []byte {
	card := pseudoRandom(f.Keys, f.Info.Sequence, aid, len(host))
	s := newSession(f.Keys, host, card)
	defer s.destroy()
	out := append(f.Info.KDD[:len(f.Info.KDD):len(f.Info.KDD)], f.Info.KeyVersion, protocol03, f.Info.I)
	n := f.Info.Sequence
	return append(append(append(out, card...), s.card...), byte(n>>16), byte(n>>8), byte(n))
}

// usable says whether the foretelling can replace a handshake.
func (f *Foretold) usable(s Start) bool {
	return f != nil && f.Info.I&OptionPseudoRandom != 0 && s.AID != nil && s.Challenge == nil && f.Keys.Check() == nil
}

// kddObject is the answer to GET DATA for the KDD.
func kddObject(d KDD) []byte { return tlv.Encode(TagKDD, d[:]) }
