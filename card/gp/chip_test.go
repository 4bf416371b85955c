package gp

import (
	"bytes"
	"context"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// altering alters one command on its way to the card.
type altering struct {
	*card
	ins byte
	by  func(*apdu.Command)
}

func (a altering) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if c.INS == a.ins {
		c.Data = bytes.Clone(c.Data)
		a.by(&c)
	}
	return a.card.Transmit(ctx, c)
}

// TestChipOpensForItsKeysOnly: a handshake that was altered in any octet opens no channel,
// nor does one with the right code over a wrong cryptogram.
func TestChipOpensForItsKeysOnly(t *testing.T) {
	size := s8
	attempt := func(what string, ins byte, want apdu.Status, by func(*apdu.Command)) {
		t.Helper()
		c := newCard(testKeys(16, 1), 0x70)
		var got apdu.Status
		c.spoil = func(r apdu.Response) apdu.Response {
			got = r.Status
			return r
		}
		if _, err := openWeak(t, altering{c, ins, by}, testKeys(16, 1), FullSecurity); err == nil {
			t.Errorf("%s: opens", what)
		}
		if c.chip.Opened() || got != want {
			t.Errorf("%s: opened %v, answered %v", what, c.chip.Opened(), got)
		}
	}
	for n := range 2 * size {
		attempt("an altered octet", insExternalAuth, apdu.AuthenticationFailed, func(c *apdu.Command) { c.Data[n] ^= 1 })
	}
	attempt("an octet less", insExternalAuth, apdu.WrongP1P2, func(c *apdu.Command) { c.Data = c.Data[1:] })
	attempt("another class", insExternalAuth, apdu.WrongP1P2, func(c *apdu.Command) { c.CLA = claPlain })
	attempt("no such level", insExternalAuth, apdu.WrongP1P2, func(c *apdu.Command) { c.P1 = 0x02 })
	attempt("another P2", insExternalAuth, apdu.WrongP1P2, func(c *apdu.Command) { c.P2 = 1 })
	attempt("another P2 before", insInitializeUpdate, apdu.WrongP1P2, func(c *apdu.Command) { c.P2 = 1 })
	attempt("keys that it has not", insInitializeUpdate, apdu.ReferenceNotFound, func(c *apdu.Command) { c.P1 = 0x31 })
	attempt("a long challenge", insInitializeUpdate, apdu.WrongLength, func(c *apdu.Command) { c.Data = append(c.Data, 0) })

	c := newCard(testKeys(16, 1), 0x70)
	h, err := Initialize(t.Context(), c, Start{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.session(testKeys(16, 1))
	if err != nil {
		t.Fatal(err)
	}
	host := secure{session: s}
	wrong := host.sign(apdu.Command{CLA: claSecure, INS: insExternalAuth, P1: byte(FullSecurity), Data: make([]byte, size)})
	if r := c.chip.Authenticate(wrong); r.Status != apdu.AuthenticationFailed || c.chip.Opened() {
		t.Errorf("a wrong cryptogram under a right code: %v", r.Status)
	}
}

// TestRefusedWithoutCounter: a chip whose counter is used up opens no channel.
func TestRefusedWithoutCounter(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x70)
	c.chip.o.Sequence = func() (uint32, bool) { return 0, false }
	if r := c.chip.Initialize(apdu.Command{CLA: claPlain, INS: insInitializeUpdate, Data: make([]byte, s8)}); r.Status != apdu.ConditionsNotSatisfied {
		t.Errorf("answered %v", r.Status)
	}
}
