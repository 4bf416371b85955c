package perso

import (
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// phases are those of a card in the making, in their order.
var phases = []issuance.Phase{
	issuance.Absent, issuance.Allocated, issuance.Rotating, issuance.Keyed, issuance.Prepared,
	issuance.Signed, issuance.Writing, issuance.Written, issuance.Locking, issuance.Locked,
}

// check refuses what lacks something before anything is sent.
func check(o Order, s State) error {
	lack := func(what string) error { return fmt.Errorf("personalise: %s: %w", what, ErrOrder) }
	switch {
	case o.Issuer == nil || o.Build == nil || o.Verify == nil:
		return lack("a function is missing")
	case !slices.Contains(phases, s.Phase):
		return lack("a card in phase " + string(s.Phase) + " is not in the making")
	}
	for _, k := range o.Transport {
		if k.Check() != nil {
			return lack("transport keys")
		}
	}
	for _, c := range []*dh.Curve{o.AA, o.CA} {
		if c == nil {
			continue
		}
		if _, ok := c.ID(); !ok {
			return lack("a curve without an identifier")
		}
	}
	if s.reached(issuance.Keyed) && !(fits(o.AA, s.AA) && fits(o.CA, s.CA)) {
		return lack("the recorded keys are not those ordered")
	}
	if s.reached(issuance.Signed) && s.Phase != issuance.Locked {
		return s.Signed.check()
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

func (c *Content) check() error {
	if c == nil || len(c.Files[lds.SODFile]) == 0 {
		return fmt.Errorf("personalise: no security object: %w", ErrOrder)
	}
	for f, b := range c.Files {
		if len(b) == 0 || len(b) > gp.MaxDGI {
			return fmt.Errorf("personalise: %s of %d octets: %w", f, len(b), ErrOrder)
		}
	}
	return nil
}
