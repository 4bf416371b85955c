package perso

import (
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// phases are those of a card in the making, in their order.
var phases = []issuance.Phase{
	issuance.Absent, issuance.Allocated, issuance.Rotating, issuance.Keyed, issuance.Prepared,
	issuance.Signed, issuance.Writing, issuance.Written, issuance.Locking, issuance.Locked,
}

// check refuses what lacks something before anything is sent.
func check(o Order, s State, l apdu.Limits) error {
	lack := func(what string) error { return fmt.Errorf("personalise: %s: %w", what, ErrOrder) }
	switch {
	case o.Issuer == nil || o.Build == nil || o.Verify == nil:
		return lack("a function is missing")
	case !slices.Contains(phases, s.Phase):
		return lack("a card in phase " + string(s.Phase) + " is not in the making")
	}
	d := o.Driver
	if d.TestOnly && !o.TestCard {
		return fmt.Errorf("personalise: driver %s: %w", d.Name, ErrTestCard)
	}
	if command, _ := l.Sizes(); d.Extended && o.CA != nil && command <= apdu.MaxShort+6 {
		return lack("driver " + d.Name + " imports keys with extended length only")
	}
	for _, k := range o.Transport {
		if k.Check() != nil {
			return lack("transport keys")
		}
	}
	for _, k := range []struct {
		curve *dh.Curve
		how   KeyMaking
	}{{o.AA, d.AA}, {o.CA, d.CA}} {
		if k.curve == nil {
			continue
		}
		if err := d.can(k.how, k.curve, &o); err != nil {
			return lack(err.Error())
		}
	}
	if s.reached(issuance.Keyed) && !(fits(o.AA, s.AA) && fits(o.CA, s.CA)) {
		return lack("the recorded keys are not those ordered")
	}
	if s.reached(issuance.Signed) && s.Phase != issuance.Locked {
		return s.Signed.check(d)
	}
	return nil
}

// fits says whether a public key is there if and only if its curve is asked for.
func fits(c *dh.Curve, p *dh.Point) bool {
	if c == nil || p == nil {
		return c == nil && p == nil
	}
	return p.Curve() == c
}

// reached says whether the card is in phase p or beyond.
func (s State) reached(p issuance.Phase) bool {
	return slices.Index(phases, s.Phase) >= slices.Index(phases, p)
}

func (c *Content) check(d *Driver) error {
	if c == nil || len(c.Files[lds.SODFile]) == 0 {
		return fmt.Errorf("personalise: no security object: %w", ErrOrder)
	}
	for f, b := range c.Files {
		if len(b) == 0 || len(b) > d.MaxFile {
			return fmt.Errorf("personalise: %s of %d octets: %w", f, len(b), ErrOrder)
		}
	}
	switch {
	case d.BAC && c.BACSeed == nil:
		return fmt.Errorf("personalise: driver %s makes no card without BAC: %w", d.Name, ErrOrder)
	case d.NoCAN && c.PACECAN != nil:
		return fmt.Errorf("personalise: driver %s makes no card with a CAN: %w", d.Name, ErrOrder)
	case !d.EAC && (c.Trust != nil || !c.Date.IsZero()), len(c.Trust) > 2:
		return fmt.Errorf("personalise: driver %s and these trust points: %w", d.Name, ErrOrder)
	}
	return c.checkKeys()
}
