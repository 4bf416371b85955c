package gp

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// P1 of INSTALL (Card Specification §11.5.2.1).
const (
	forInstall         = 0x04
	forSelectable      = 0x08
	forPersonalization = 0x20
)

// Application names an application to be made of a module on the card.
type Application struct {
	Package, Module, Instance []byte // AIDs, 5 to 16 octets
	Privileges                []byte // one or three octets; nil stands for none
	Parameters                []byte // the value of C9, at most 120 octets
}

// CardReset is the privilege by which an application answers after power-up before any
// SELECT, as EF.CardAccess has to be readable then.
var CardReset = []byte{0x04}

// Install makes an application and lets it be selected, in one command (§11.5.2.3.2 and
// §11.5.2.3.3). Parts of impossible lengths are ErrAnswer before anything is sent.
func (h *Channel) Install(ctx context.Context, a Application) error {
	privileges := a.Privileges
	if privileges == nil {
		privileges = []byte{0}
	}
	parameters := append([]byte{0xC9, byte(len(a.Parameters))}, a.Parameters...)
	if !isAID(a.Package) || !isAID(a.Module) || !isAID(a.Instance) || len(privileges) != 1 && len(privileges) != 3 || len(a.Parameters) > 120 {
		return fmt.Errorf("INSTALL: application of impossible lengths: %w", ErrAnswer)
	}
	return h.install(ctx, forInstall|forSelectable, a.Package, a.Module, a.Instance, privileges, parameters, nil)
}

// MakeSelectable lets an application be selected that was installed without that.
func (h *Channel) MakeSelectable(ctx context.Context, instance []byte) error {
	if !isAID(instance) {
		return fmt.Errorf("INSTALL: AID of %d octets: %w", len(instance), ErrAnswer)
	}
	return h.install(ctx, forSelectable, nil, nil, instance, []byte{0}, nil, nil)
}

// Personalize has the STORE DATA that follow go to an application (§11.5.2.3.6), until
// another one is named or the channel ends.
func (h *Channel) Personalize(ctx context.Context, instance []byte) error {
	if !isAID(instance) {
		return fmt.Errorf("INSTALL: AID of %d octets: %w", len(instance), ErrAnswer)
	}
	return h.install(ctx, forPersonalization, nil, nil, instance, nil, nil, nil)
}

func isAID(b []byte) bool { return len(b) >= 5 && len(b) <= 16 }

// install sends parts, each behind its length. The answer is one octet 00, or none where
// no receipt is made.
func (h *Channel) install(ctx context.Context, p1 byte, parts ...[]byte) error {
	c := apdu.Command{CLA: claPlain, INS: insInstall, P1: p1, Le: apdu.MaxShortLe}
	for _, p := range parts {
		c.Data = append(append(c.Data, byte(len(p))), p...)
	}
	_, err := h.expect(ctx, c, []byte{0})
	return err
}

// ParsePersonalize reads INSTALL [for personalization] at the card's end: the AID of the
// application, false for anything else.
func ParsePersonalize(c apdu.Command) ([]byte, bool) {
	if c.INS != insInstall || c.P1 != forPersonalization || c.P2 != 0 || len(c.Data) < 6 || c.Data[0] != 0 || c.Data[1] != 0 {
		return nil, false
	}
	n := int(c.Data[2])
	if len(c.Data) != 3+n+3 || [3]byte(c.Data[3+n:]) != [3]byte{} || !isAID(c.Data[3:3+n]) {
		return nil, false
	}
	return c.Data[3 : 3+n], true
}
