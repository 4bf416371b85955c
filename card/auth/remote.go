package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// Remote1 is Chip Authentication version 1 (Doc 9303-11 §6.2) by somebody who is not where
// the card is and does not trust who is: the ephemeral key and the new session keys never
// leave this end. The terminal at the card sends Agreement within its own channel, then
// First as it stands, and hands back the answer to First. Only the chip could make that
// answer, and only after it was given this very key.
//
// It does not say where the chip is: whoever carries may carry from far away. It must not be
// copied, and whoever made it closes it.
type Remote1 struct {
	Key       lds.ChipAuthKey
	Ephemeral dh.Element
	Agreement []apdu.Command // MSE:Set AT and GENERAL AUTHENTICATE, or MSE:Set KAT, in clear
	First     apdu.Command   // protected under the new keys

	once *sm.Once
}

// NewRemote1 begins the agreement with a key of the chip that DG14 lists; whose key that is,
// Passive Authentication tells. first becomes the command under the new keys. A protocol or
// key that cannot be run is ErrUnsupported.
func NewRemote1(key lds.ChipAuthKey, first apdu.Command) (*Remote1, error) {
	return newRemote1(key, first, nil)
}

func newRemote1(key lds.ChipAuthKey, first apdu.Command, fresh []byte) (*Remote1, error) {
	c, own, keys, err := agreeWith(key, fresh)
	if err != nil {
		return nil, err
	}
	r := &Remote1{Key: key, Ephemeral: own}
	if r.Agreement, err = announcement(key, c, own.Bytes()); err == nil {
		r.First, r.once, err = sm.Protect(keys, first)
	} else {
		keys.Destroy()
	}
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	return r, nil
}

// Verify opens the chip's answer to First, once. sm.ErrProtection is a chip without the
// key, or another hand in between; the answer may be a refusal, and is a proof all the same.
func (r *Remote1) Verify(answer apdu.Response) (apdu.Response, error) { return r.once.Open(answer) }

// Close forgets the keys. It may be called more than once.
func (r *Remote1) Close() { r.once.Close() }

// ErrForeignCommand means that somebody far away asked to send a command that is no part of
// the protocol.
var ErrForeignCommand = errors.New("a command that is no part of Chip Authentication")

// Carry1 is the terminal's part of a Remote1: it sends the agreement within ch, leaves ch,
// and sends first as it stands. It sends nothing but the commands of the protocol and a
// READ BINARY of DG14 from its first octet behind them: else the error is ErrForeignCommand,
// and nothing was sent. Whoever is far away would read any other file unseen. ch is closed
// unless nothing was sent or the chip refused the agreement (*apdu.StatusError).
func Carry1(ctx context.Context, ch *sm.Channel, agreement []apdu.Command, first apdu.Command) (apdu.Response, error) {
	if err := foreign(agreement, first); err != nil {
		return apdu.Response{}, err
	}
	for _, c := range agreement {
		if _, err := do(ctx, ch, c); err != nil {
			return apdu.Response{}, fmt.Errorf("chip authentication: %w", err)
		}
	}
	r, err := ch.Leave(ctx, first)
	if err != nil {
		return apdu.Response{}, fmt.Errorf("chip authentication: first command under the new keys: %w", err)
	}
	return r, nil
}

// foreign refuses what is no part of the protocol.
func foreign(agreement []apdu.Command, first apdu.Command) error {
	head := func(c apdu.Command) [4]byte { return [4]byte{c.CLA, c.INS, c.P1, c.P2} }
	var heads [][4]byte
	for _, c := range agreement {
		heads = append(heads, head(c))
	}
	aes := [][4]byte{{0, insMSE, 0x41, 0xA4}, {0, insGeneralAuthenticate, 0, 0}}
	tdes := [][4]byte{{0, insMSE, 0x41, 0xA6}}
	read := [4]byte{0x0C, 0xB0, 0x80 | lds.DG14.SFI(), 0} // READ BINARY, protected
	if !slices.Equal(heads, aes) && !slices.Equal(heads, tdes) || head(first) != read {
		return ErrForeignCommand
	}
	return nil
}

// ChipFar1 is Chip Authentication version 1 by a terminal that goes on to use the channel: t
// leads to a card somewhere else, within the channel of whoever is there. first goes out as
// the first command under the new keys, as with Chip1. What the chip refuses before that is
// a *apdu.StatusError; a chip without the private key, or another hand in between, shows as
// sm.ErrProtection.
//
// It does not say where the chip is, either.
func ChipFar1(ctx context.Context, t apdu.Transmitter, key lds.ChipAuthKey, first apdu.Command) (*ChipProof, error) {
	c, own, keys, err := agreeWith(key, nil)
	if err != nil {
		return nil, err
	}
	list, err := announcement(key, c, own.Bytes())
	for _, c := range list {
		if _, err = do(ctx, t, c); err != nil {
			break
		}
	}
	if err != nil {
		keys.Destroy()
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	ch := sm.New(t, keys)
	r, err := ch.Transmit(ctx, first)
	if err != nil {
		ch.Close()
		return nil, fmt.Errorf("chip authentication: first command under the new keys: %s: %w", first.Name(), err)
	}
	return &ChipProof{Channel: ch, Key: key, Ephemeral: own, First: r, Protected: ch.Last().Data}, nil
}
