//go:build linux && cgo

package desktest

import (
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
)

// life is a card from the first word about it into its holder's hand.
type life struct {
	name          string
	bacOnly, noAA bool
	can           bool   // the checkpoint has the CAN, else the MRZ
	access, proof string // by which it is opened, and shown to be no copy
}

var lives = []life{
	{"with its CAN", false, false, true, "PACE-CAN", verify.CheckAA},
	{"with its MRZ", false, false, false, "PACE-MRZ", verify.CheckAA},
	{"BAC only", true, false, false, "BAC-MRZ", verify.CheckAA},
	{"without AA", false, true, true, "PACE-CAN", verify.CheckCA1},
	{"BAC only, without AA", true, true, false, "BAC-MRZ", verify.CheckCA1},
}

// TestLife makes cards with each act at a reader, and has them inspected there as a
// stranger would.
func TestLife(t *testing.T) {
	t.Parallel()
	daemon(t)
	o := newOffice(t, usualKeys)
	t.Run("cards", func(t *testing.T) {
		for _, l := range lives {
			t.Run(l.name, func(t *testing.T) {
				t.Parallel()
				l.run(t, o)
			})
		}
	})
	o.sound(t)
}

func (l life) run(t *testing.T, o *office) {
	ctx, h, who := t.Context(), newReader(t).hold(blank()), o.person()
	password := auth.MRZ(o.zone(t, who).KeyInfo())
	if l.can {
		password = auth.CAN(who.Number.CAN())
	}
	app := o.approved(t, who, portrait(0))
	p := o.plan()
	p.BACOnly, p.NoAA = l.bacOnly, l.noAA

	w := h.inserted()
	card := must(o.desk(o.an).Personalise(ctx, app, w, p))(t)
	check(t, w.Close())
	h.remove()

	w = h.inserted()
	report := must(verify.Inspect(ctx, apdu.Over(w, apdu.Limits{}), o.checkpoint(password)))(t)
	wantVerdict(t, report, verify.Refuse, verify.ReasonCardUndelivered)
	check(t, w.Reset(ctx))
	o.handOver(t, card, w)
	if c := must(o.desk(o.an).Card(ctx, card))(t); c.Phase != issuance.Active || len(c.History) != 11 {
		t.Errorf("%s after %d acts", c.Phase, len(c.History))
	}
	check(t, w.Close())
	h.remove()

	w = h.inserted()
	report = must(verify.Inspect(ctx, apdu.Over(w, apdu.Limits{}), o.checkpoint(password)))(t)
	wantVerdict(t, report, verify.Accept)
	if report.Session.Access != l.access || report.Check(l.proof).Outcome != verify.Passed {
		t.Errorf("%+v, %v", report.Session, report.Check(l.proof))
	}
	if i, err := report.Identity(); err != nil || i.Number != string(who.Number) {
		t.Errorf("%+v, %v", i, err)
	}
	check(t, w.Reset(ctx))
	plain := o.checkpoint(password)
	plain.Specimen = false
	report = must(verify.Inspect(ctx, apdu.Over(w, apdu.Limits{}), plain))(t)
	wantVerdict(t, report, verify.Refer, verify.ReasonSpecimen)
}
