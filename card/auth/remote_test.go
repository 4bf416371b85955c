package auth

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// TestRemote1OfRecordings runs Chip Authentication from afar as real chips of two states had
// it run by one terminal: no octet on the wire is another.
func TestRemote1OfRecordings(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.ID, func(t *testing.T) {
			after := cipherOf(t, r.After.Cipher, r.After.Enc)
			recorded, err := apdu.ParseCommand(unhex(t, r.Exchanges[len(r.Exchanges)-1][0]))
			if err != nil {
				t.Fatal(err)
			}
			first, err := sm.NewChip(sm.Derive(unhex(t, r.Secret), after)).Open(recorded)
			if err != nil {
				t.Fatal(err)
			}
			infos, err := lds.ParseDG14(unhex(t, r.Group14))
			if err != nil {
				t.Fatal(err)
			}
			keys, err := ChipAuthKeys(infos)
			if err != nil {
				t.Fatal(err)
			}
			far, err := newRemote1(keys[0], first, unhex(t, r.Private))
			if err != nil {
				t.Fatal(err)
			}
			before := sm.Keys{
				Cipher: cipherOf(t, r.Before.Cipher, r.Before.Enc),
				Enc:    unhex(t, r.Before.Enc), MAC: unhex(t, r.Before.MAC), SSC: unhex(t, r.Before.Counter),
			}
			s := &script{t: t, exchanges: r.Exchanges}
			ch := sm.New(s, before)
			for _, c := range far.Agreement {
				if _, err := do(t.Context(), ch, c); err != nil {
					t.Fatal(err)
				}
			}
			sealed, err := ch.Leave(t.Context(), far.First) // the recordings' first command is a SELECT
			if err != nil {
				t.Fatal(err)
			}
			if a, err := far.Verify(sealed); err != nil || a.Status != apdu.OK || s.sent != len(r.Exchanges) {
				t.Errorf("%v %v after %d commands", a.Status, err, s.sent)
			}
		})
	}
}

// readKeys reads the head of DG14.
var readKeys = apdu.Command{INS: 0xB0, P1: 0x8E, Le: 8}

// carried runs a Remote1 against a card over both ends' own means.
func carried(t *testing.T, far *Remote1, ch *sm.Channel) (apdu.Response, error) {
	t.Helper()
	sealed, err := Carry1(t.Context(), ch, far.Agreement, far.First)
	if err != nil {
		return sealed, err
	}
	return far.Verify(sealed)
}

// TestRemote1 proves the chip in every suite, and forgets what it knew.
func TestRemote1(t *testing.T) {
	for _, c := range suites {
		for _, g := range []*dh.Curve{dh.P256(), dh.BrainpoolP384r1()} {
			_, ch, key := newChipCard(t, c, g, nil)
			far, err := NewRemote1(key, readKeys)
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := Carry1(t.Context(), ch, far.Agreement, far.First)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(sealed.Data, []byte("file")) {
				t.Error("whoever carries reads the answer")
			}
			if a, err := far.Verify(sealed); err != nil || string(a.Data) != "file" {
				t.Errorf("%v over %s: %q, %v", c, g.Name(), a.Data, err)
			}
			if _, err := far.Verify(sealed); !errors.Is(err, sm.ErrClosed) {
				t.Errorf("the same answer again: %v", err)
			}
			if _, err := ch.Transmit(t.Context(), readKeys); !errors.Is(err, sm.ErrClosed) {
				t.Errorf("the channel before it: %v", err)
			}
		}
	}
}

// TestRemote1Lies: neither a chip without the key nor whoever carries gets through.
func TestRemote1Lies(t *testing.T) {
	stranger, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	card, ch, key := newChipCard(t, suite.AES128, dh.P256(), nil)
	card.auth.keys[0].key = stranger
	far, err := NewRemote1(key, readKeys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := carried(t, far, ch); !errors.Is(err, sm.ErrProtection) {
		t.Errorf("another private key: %v", err)
	}

	_, ch, key = newChipCard(t, suite.AES128, dh.P256(), nil)
	far, other := made(NewRemote1(key, readKeys))(t), made(NewRemote1(key, readKeys))(t)
	sealed, err := Carry1(t.Context(), ch, far.Agreement, far.First)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Verify(sealed); !errors.Is(err, sm.ErrProtection) {
		t.Errorf("an answer to another agreement: %v", err)
	}
	for i := range 10 { // each needs an agreement of its own: the keys go with the first wrong answer
		_, ch, key := newChipCard(t, suite.AES128, dh.P256(), nil)
		far := made(NewRemote1(key, readKeys))(t)
		sealed := made(Carry1(t.Context(), ch, far.Agreement, far.First))(t)
		sealed.Data[i*len(sealed.Data)/10] ^= 1
		if _, err := far.Verify(sealed); !errors.Is(err, sm.ErrProtection) {
			t.Errorf("a changed octet: %v", err)
		}
	}
	for name, r := range map[string]apdu.Response{
		"bare success": {Status: apdu.OK}, "nothing": {}, "bare data": {Data: []byte("file"), Status: apdu.OK},
	} {
		f := made(NewRemote1(key, readKeys))(t)
		if _, err := f.Verify(r); !errors.Is(err, sm.ErrProtection) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func made[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestCarry1Refuses: whoever is far away has nothing sent but the protocol.
func TestCarry1Refuses(t *testing.T) {
	card, ch, key := newChipCard(t, suite.AES128, dh.P256(), nil)
	far := made(NewRemote1(key, readKeys))(t)
	defer far.Close()
	verify := apdu.Command{INS: 0x20, P2: 3, Data: []byte{1}}
	for name, c := range map[string]struct {
		agreement []apdu.Command
		first     apdu.Command
	}{
		"nothing":                      {nil, far.First},
		"a VERIFY in front":            {slices.Concat([]apdu.Command{verify}, far.Agreement), far.First},
		"a VERIFY behind":              {append(slices.Clone(far.Agreement), verify), far.First},
		"a half":                       {far.Agreement[:1], far.First},
		"in another order":             {[]apdu.Command{far.Agreement[1], far.Agreement[0]}, far.First},
		"Terminal Authentication":      {[]apdu.Command{{INS: 0x22, P1: 0xC1, P2: 0xA4}, far.Agreement[1]}, far.First},
		"a first command in the open":  {far.Agreement, readKeys},
		"a file that was not agreed":   {far.Agreement, made(NewRemote1(key, apdu.Command{INS: 0xB0, P1: 0x8D, Le: 256}))(t).First},
		"the file that is selected":    {far.Agreement, made(NewRemote1(key, apdu.Command{INS: 0xB0, Le: 256}))(t).First},
		"the key file from its middle": {far.Agreement, made(NewRemote1(key, apdu.Command{INS: 0xB0, P1: 0x8E, P2: 1, Le: 8}))(t).First},
		"a STORE DATA first":           {far.Agreement, apdu.Command{CLA: 0x0C, INS: 0xE2, Data: []byte{1}}},
	} {
		if _, err := Carry1(context.Background(), ch, c.agreement, c.first); !errors.Is(err, ErrForeignCommand) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if card.count != 0 {
		t.Errorf("%d commands were sent", card.count)
	}
	if a, err := carried(t, far, ch); err != nil || string(a.Data) != "file" {
		t.Errorf("after all refusals: %q, %v", a.Data, err)
	}
}

// past leads within a channel, and past it for what is protected already, as whoever lends a
// card does.
type past struct{ ch *sm.Channel }

func (p past) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if c.Secured() {
		return p.ch.Leave(ctx, c)
	}
	return p.ch.Transmit(ctx, c)
}

// TestChipFar1 goes on under keys that whoever is at the card has not, in every suite; a chip
// without the key, and a hand in between, are found out.
func TestChipFar1(t *testing.T) {
	for _, c := range suites {
		_, ch, key := newChipCard(t, c, dh.P256(), nil)
		proof, err := ChipFar1(t.Context(), past{ch}, key, readKeys)
		if err != nil || string(proof.First.Data) != "file" || bytes.Contains(proof.Protected, []byte("file")) || proof.Channel == nil {
			t.Errorf("%v: %+v %v", c, proof, err)
		}
		stranger, err := dh.P256().Generate()
		if err != nil {
			t.Fatal(err)
		}
		card, ch, key := newChipCard(t, c, dh.P256(), nil)
		card.auth.keys[0].key = stranger
		if _, err := ChipFar1(t.Context(), past{ch}, key, readKeys); !errors.Is(err, sm.ErrProtection) {
			t.Errorf("%v, another private key: %v", c, err)
		}
		_, ch, key = newChipCard(t, c, dh.P256(), nil)
		ch.Close()
		if _, err := ChipFar1(t.Context(), past{ch}, key, readKeys); !errors.Is(err, sm.ErrClosed) {
			t.Errorf("%v, nobody leads there: %v", c, err)
		}
	}
}
