package conformance

import (
	"bytes"
	"errors"
	"strings"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// reasonChannel is the reason of an issuing desk that turned a chip away.
const reasonChannel verify.Reason = "channel-refused"

// undrawn inspects a card and wants no portrait out of it.
func undrawn(s *stage) (Got, error) {
	o := s.b.options
	o.Trust = s.b.store(s.made)
	r, err := verify.Inspect(s.ctx, apdu.Over(s.chip, apdu.Limits{}), o)
	if err != nil {
		return reported(r, err)
	}
	if _, ok, err := r.Portrait(); ok || !errors.Is(err, verify.ErrUnproven) {
		return Got{Verdict: accept, Detail: "a portrait that nobody signed is given out"}, nil
	}
	return reported(r, nil)
}

// harmless inspects a card and wants a screen without control characters and marks.
func harmless(s *stage) (Got, error) {
	o := s.b.options
	o.Trust = s.b.store(s.made)
	r, err := verify.Inspect(s.ctx, apdu.Over(s.chip, apdu.Limits{}), o)
	if err != nil {
		return reported(r, err)
	}
	var screen strings.Builder
	if err := r.Render(&screen, verify.English, verify.RenderOptions{All: true}); err != nil {
		return Got{}, err
	}
	if strings.ContainsAny(screen.String(), "\x1b\u202e\u0000") {
		return Got{Verdict: refuse, Detail: "the screen shows control characters"}, nil
	}
	return reported(r, nil)
}

// deskPlays are chips that lie to the desk that personalises them (GlobalPlatform Card
// Specification, amendment D).
func deskPlays() []play {
	channel := func(k gp.Keys, talk bool, change func(n int, answer []byte) []byte) func(*blueprint) {
		return func(b *blueprint) {
			b.play = func(s *stage) (Got, error) {
				blank := virtual.New(virtual.Config{})
				defer func() { _ = blank.Close() }()
				n := -1
				wire := &altered{blank, func(_, answer []byte) ([]byte, error) {
					n++
					return change(n, answer), nil
				}}
				ch, err := gp.Open(s.ctx, apdu.Over(wire, apdu.Limits{}), k, gp.FullSecurity)
				if err == nil && talk {
					_, err = ch.KDD(s.ctx)
				}
				return personalised(err), nil
			}
		}
	}
	same := func(_ int, a []byte) []byte { return a }
	other := gp.Keys{Version: gp.TransportKeys().Version, Enc: bytes.Repeat([]byte{1}, 16), MAC: bytes.Repeat([]byte{2}, 16), DEK: bytes.Repeat([]byte{3}, 16)}
	at := func(step int, change func([]byte) []byte) func(int, []byte) []byte {
		return func(n int, a []byte) []byte {
			if n == step {
				return change(a)
			}
			return a
		}
	}
	first := []byte{}
	return []play{
		{"scp-sound", "a blank chip and its desk over SCP03", standard, accept, "", channel(gp.TransportKeys(), true, same)},
		{"scp-cryptogram", "the chip's cryptogram is wrong", standard, none, reasonChannel, channel(gp.TransportKeys(), true, at(0, func(a []byte) []byte { return flipped(a, -3) }))},
		{"scp-cryptogram-short", "the chip's answer is cut", standard, none, reasonChannel, channel(gp.TransportKeys(), true, at(0, func(a []byte) []byte { return append(a[:20:20], 0x90, 0) }))},
		{"scp02", "a chip that offers SCP02", standard, none, reasonChannel, channel(gp.TransportKeys(), true, at(0, func(a []byte) []byte { a[11] = 2; return a }))},
		{"scp-other-keys", "a chip with other keys than the desk's", standard, none, reasonChannel, channel(other, true, same)},
		{"scp-mac", "the code of the chip's answer is wrong", standard, none, reasonChannel, channel(gp.TransportKeys(), true, at(2, func(a []byte) []byte { return flipped(a, len(a)-3) }))},
		{"scp-no-mac", "the chip's answer has no code", standard, none, reasonChannel, channel(gp.TransportKeys(), true, at(2, func(a []byte) []byte { return append(a[:len(a)-10:len(a)-10], 0x90, 0) }))},
		{"scp-repeated", "the chip's answer is one of before", standard, none, reasonChannel, func(b *blueprint) {
			b.play = func(s *stage) (Got, error) { return repeated(s, &first) }
		}},
		{"desk-reopened", "a desk with the transport keys at a card that is in use", standard, none, reasonStatus, func(b *blueprint) {
			b.play = func(s *stage) (Got, error) {
				_, err := gp.Open(s.ctx, apdu.Over(s.chip, apdu.Limits{}), gp.TransportKeys(), gp.FullSecurity)
				return personalised(err), nil
			}
		}},
		{"desk-half-written", "a card whose writing was cut off is shown to a checkpoint", standard, refuse, verify.ReasonGroupWithheld, func(b *blueprint) { b.unread = []lds.File{lds.DG2, lds.DG13} }},
	}
}

// repeated asks the chip the same twice, and plays the first answer again.
func repeated(s *stage, first *[]byte) (Got, error) {
	blank := virtual.New(virtual.Config{})
	defer func() { _ = blank.Close() }()
	n := -1
	wire := &altered{blank, func(_, answer []byte) ([]byte, error) {
		switch n++; n {
		case 2:
			*first = bytes.Clone(answer)
		case 3:
			return *first, nil
		}
		return answer, nil
	}}
	ch, err := gp.Open(s.ctx, apdu.Over(wire, apdu.Limits{}), gp.TransportKeys(), gp.FullSecurity)
	if err != nil {
		return Got{}, err
	}
	if _, err := ch.KDD(s.ctx); err != nil {
		return Got{}, err
	}
	_, err = ch.KDD(s.ctx)
	return personalised(err), nil
}

// personalised is what became of the desk's channel.
func personalised(err error) Got {
	switch {
	case err == nil:
		return Got{Verdict: accept}
	case errors.Is(err, gp.ErrCryptogram), errors.Is(err, gp.ErrProtection), errors.Is(err, gp.ErrAnswer), errors.Is(err, gp.ErrUnsupported):
		return Got{Verdict: none, Reasons: []verify.Reason{reasonChannel}, Detail: err.Error()}
	}
	return refusedBy(err)
}
