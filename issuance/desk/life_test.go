package desk

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
)

// TestLife takes a card from the first word about it into its holder's hand.
func TestLife(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	who := enrolment(17)
	app := must(r.an.Enrol(ctx, who))(t)
	r.wantPhase(t, issuance.Application(app), issuance.Enrolled)
	check(t, r.binh.Approve(ctx, app))
	r.wantPhase(t, issuance.Application(app), issuance.Approved)

	c := blank()
	card := r.personalised(t, app, c, r.plan())
	r.wantPhase(t, issuance.Card(card), issuance.Locked)
	wantVerdict(t, r.checkpoint(t, c, true, canOf(who.Person)), verify.Refuse, verify.ReasonCardUndelivered)
	r.checked(t, card, c)
	r.wantPhase(t, issuance.Card(card), issuance.Checked)
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	r.wantPhase(t, issuance.Card(card), issuance.Active)
	r.wantPhase(t, issuance.Application(app), issuance.Issued)

	report := r.checkpoint(t, c, true, canOf(who.Person))
	wantVerdict(t, report, verify.Accept)
	if report.Session.Access != "PACE-CAN" || report.Check(verify.CheckAA).Outcome != verify.Passed {
		t.Errorf("%+v, AA %v", report.Session, report.Check(verify.CheckAA).Outcome)
	}
	if i, err := report.Identity(); err != nil || i.Number != string(who.Person.Number) || i.Name != who.Person.FullName() {
		t.Errorf("%+v, %v", i, err)
	}
	if faces := must(lds.ParseDG2(report.Files[lds.DG2]))(t); len(faces) != 1 || !bytes.Equal(faces[0].Image, who.Portrait) {
		t.Error("the portrait is not, to the octet, the one that was enrolled")
	}
	if a, err := r.an.Status(ctx, verify.CardRef{ID: report.Document.Card}); err != nil || a.State != verify.StateActive || !a.AsOf.Equal(r.now) || !a.Exact {
		t.Errorf("status %+v, %v", a, err)
	}
	if a, err := r.an.Status(ctx, verify.CardRef{ID: verify.CardID{1}}); err != nil || a.State != verify.StateUnknown {
		t.Errorf("status of a stranger: %+v, %v", a, err)
	}
	if got := r.checkpoint(t, c, false, canOf(who.Person)); got.Verdict == verify.Accept {
		t.Error("a SPECIMEN card is accepted without --specimen")
	}
	r.wantHistory(t, card)
	r.sound(t)
}

func (r *rig) wantHistory(t *testing.T, id string) {
	t.Helper()
	c := must(r.an.Card(t.Context(), id))(t)
	want := []issuance.Act{
		issuance.Allocate, issuance.Rotate, issuance.Generate, issuance.Prepare, issuance.Sign, issuance.Write,
		issuance.WriteDone, issuance.Lock, issuance.LockDone, issuance.Check, issuance.Deliver,
	}
	if len(c.History) != len(want) || c.Signer != "ds-001" || len(c.CardID) != 64 || c.Phase != issuance.Active {
		t.Fatalf("%+v", c)
	}
	for i, a := range c.History {
		by := "an"
		switch {
		case a.Act == issuance.Prepare, a.Act == issuance.Sign:
			by = "service"
		case i >= 9:
			by = "binh"
		}
		if a.Act != want[i] || a.Operator != by {
			t.Errorf("act %d is %s by %s", i, a.Act, a.Operator)
		}
	}
	if list := must(r.an.Cards(t.Context(), issuance.Active))(t); len(list) != 1 || list[0].Stream.ID != id {
		t.Errorf("%v", list)
	}
}

// TestReportIsKept: the report of the check is in the ledger, sealed, and is what the leaf
// commits to; its plain digest is nowhere.
func TestReportIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	card, _ := r.issued(t, enrolment(1), r.plan())
	var kept checkedReport
	e := must(r.an.openLast(t.Context(), issuance.Card(card), reportName, &kept))(t)
	sum := issuance.Commit(kept.Salt, kept.Report)
	if e.Fields["report"] != hex.EncodeToString(sum[:]) || e.Fields["report"] == digest(kept.Report) {
		t.Error("the leaf commits to another report")
	}
	if !bytes.Contains(kept.Report, []byte(person(1).Number)) {
		t.Error("it is about somebody else")
	}
}

func TestVariants(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, v := range []struct {
		name          string
		bacOnly, noAA bool
		access        string
		proof         string
	}{
		{"as the profile says", false, false, "PACE-MRZ", verify.CheckAA},
		{"BAC only", true, false, "BAC-MRZ", verify.CheckAA},
		{"without AA", false, true, "PACE-MRZ", verify.CheckCA1},
		{"BAC only, without AA", true, true, "BAC-MRZ", verify.CheckCA1},
	} {
		p := r.plan()
		p.BACOnly, p.NoAA = v.bacOnly, v.noAA
		who := enrolment(i)
		_, c := r.issued(t, who, p)
		zone := must((&Draft{Person: who.Person, Issued: r.now}).zone())(t)
		report := r.checkpoint(t, c, true, auth.MRZ(zone.KeyInfo()))
		wantVerdict(t, report, verify.Accept)
		if report.Session.Access != v.access || report.Check(v.proof).Outcome != verify.Passed {
			t.Errorf("%s: %+v, %v", v.name, report.Session, report.Check(v.proof))
		}
	}
	r.sound(t)
}

// TestVariantIsKept: a card that was begun in one way is not finished in another.
func TestVariantIsKept(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), blank()
	app := r.approved(t, enrolment(1))
	f := &faulty{Store: r.store, at: 2}
	p := r.plan()
	p.BACOnly, p.NoAA = true, true
	if _, err := r.through(f).Personalise(t.Context(), app, insert(c), p); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	card := r.personalised(t, app, c, r.plan())
	r.checked(t, card, c)
	zone := must((&Draft{Person: person(1), Issued: r.now}).zone())(t)
	if report := r.checkpoint(t, c, true, auth.MRZ(zone.KeyInfo())); report.Session.Access != "BAC-MRZ" {
		t.Errorf("%+v", report.Session)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	who := enrolment(25)
	old, oldChip := r.issued(t, who, r.plan())
	wantVerdict(t, r.checkpoint(t, oldChip, true, canOf(who.Person)), verify.Accept)

	again := who
	again.Reason, again.Replaces = "damaged", old
	app, c := r.approved(t, again), blank()
	card := r.personalised(t, app, c, r.plan())
	r.checked(t, card, c)
	wantVerdict(t, r.checkpoint(t, oldChip, true, canOf(who.Person)), verify.Accept)
	before := r.size(t)
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	if n := r.size(t) - before; n != 3 {
		t.Errorf("%d entries, want the old card superseded, the new delivered, the application issued", n)
	}
	r.wantPhase(t, issuance.Card(old), issuance.Superseded)
	r.wantPhase(t, issuance.Card(card), issuance.Active)
	wantVerdict(t, r.checkpoint(t, oldChip, true, canOf(who.Person)), verify.Refuse, verify.ReasonCardSuperseded)
	report := r.checkpoint(t, c, true, canOf(who.Person))
	wantVerdict(t, report, verify.Accept)
	if i, err := report.Identity(); err != nil || i.DocumentNumber != who.Person.Number.Document() {
		t.Errorf("document number %s, %v", i.DocumentNumber, err)
	}
	if a, b := must(r.an.Card(ctx, old))(t), must(r.an.Card(ctx, card))(t); a.Successor != card || b.Replaces != old {
		t.Errorf("%+v %+v", a, b)
	}
	r.sound(t)
}

func TestReplaceRevoked(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	who := enrolment(26)
	old, oldChip := r.issued(t, who, r.plan())
	check(t, r.binh.Revoke(ctx, old, "lost"))
	wantVerdict(t, r.checkpoint(t, oldChip, true, canOf(who.Person)), verify.Refuse, verify.ReasonCardRevoked)
	again := who
	again.Reason, again.Replaces = "lost", old
	card, c := r.issued(t, again, r.plan())
	r.wantPhase(t, issuance.Card(old), issuance.Revoked)
	wantVerdict(t, r.checkpoint(t, c, true, canOf(who.Person)), verify.Accept)
	wantType[*issuance.TransitionError](t, "revoke twice", r.binh.Revoke(ctx, old, "lost"))
	check(t, r.binh.Revoke(ctx, card, "stolen"))
	r.sound(t)
}
