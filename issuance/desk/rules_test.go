package desk

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/verify"
)

// personOf is who stands behind an operator's name.
func (r *rig) personOf(t *testing.T, name string) string {
	t.Helper()
	for _, op := range must(r.an.Operators(t.Context()))(t) {
		if op.Name == name {
			return op.Person
		}
	}
	t.Fatal("no operator", name)
	return ""
}

// wantUntouched is a Personalise that has to fail without a command to the chip.
func (r *rig) wantUntouched(t *testing.T, o *Office, app string, want error) {
	t.Helper()
	s := insert(blank())
	card, err := o.Personalise(t.Context(), app, s, r.plan())
	wantError(t, "personalise", err, want)
	if s.n > 0 {
		t.Errorf("%d commands were sent to the chip before %v", s.n, err)
	}
	if card != "" && r.phase(t, issuance.Card(card)) == issuance.Absent {
		t.Errorf("card %s is named and does not exist", card)
	}
}

func TestFourEyes(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	all := r.with(t, "all", "", issuance.Roles()...)
	allToo := r.with(t, "all-too", r.personOf(t, "all"), issuance.Roles()...)

	enrolled := must(all.Enrol(ctx, enrolment(1)))(t)
	for _, same := range []*Office{all, allToo} {
		wantError(t, "the enroller approves", same.Approve(ctx, enrolled), issuance.ErrFourEyes)
	}
	check(t, r.binh.Approve(ctx, enrolled))

	app := must(r.an.Enrol(ctx, enrolment(2)))(t)
	check(t, all.Approve(ctx, app))
	for _, same := range []*Office{all, allToo} {
		r.wantUntouched(t, same, app, issuance.ErrFourEyes)
	}

	// An approver may not go on with the card either, wherever it stands.
	for at := 2; ; at++ {
		c := blank()
		app := must(r.an.Enrol(ctx, enrolment(100+at)))(t)
		check(t, all.Approve(ctx, app))
		f := &faulty{Store: r.store, at: at}
		if _, err := r.through(f).Personalise(ctx, app, insert(c), r.plan()); err == nil {
			break
		}
		r.wantUntouched(t, allToo, app, issuance.ErrFourEyes)
		card := must(r.an.Personalise(ctx, app, insert(c), r.plan()))(t)
		r.wantPhase(t, issuance.Card(card), issuance.Locked)
	}

	app, c := r.approved(t, enrolment(3)), blank()
	card := must(all.Personalise(ctx, app, insert(c), r.plan()))(t)
	for _, same := range []*Office{all, allToo} {
		s := insert(c)
		_, err := same.Check(ctx, card, s, r.examination())
		if wantError(t, "the maker checks", err, issuance.ErrFourEyes); s.n > 0 {
			t.Error("the card was touched")
		}
	}
	r.checked(t, card, c)
	r.sound(t)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	card, _ := r.issued(t, enrolment(1), r.plan())
	enrolled := must(r.an.Enrol(ctx, enrolment(2)))(t)
	approved := r.approved(t, enrolment(3))
	locked, c := r.approved(t, enrolment(4)), blank()
	lockedCard := r.personalised(t, locked, c, r.plan())
	idle := r.with(t, "idle", "", issuance.Clerk)
	stranger := r.office(ed25519.NewKeyFromSeed(make([]byte, 32)))
	gone := r.with(t, "gone", "", issuance.Roles()...)
	check(t, r.an.RevokeOperator(ctx, "gone", "left", time.Time{}))
	wantError(t, "revoked twice", r.an.RevokeOperator(ctx, "gone", "left", time.Time{}), ErrUnknown)
	wantError(t, "revokes itself", r.an.RevokeOperator(ctx, "an", "left", time.Time{}), issuance.ErrFourEyes)

	before := r.size(t)
	for name, act := range map[string]func(o *Office) error{
		"enrol":   func(o *Office) error { _, err := o.Enrol(ctx, enrolment(5)); return err },
		"approve": func(o *Office) error { return o.Approve(ctx, enrolled) },
		"cancel":  func(o *Office) error { return o.Cancel(ctx, enrolled, "withdrawn") },
		"personalise": func(o *Office) error {
			s := insert(blank())
			_, err := o.Personalise(ctx, approved, s, r.plan())
			if s.n > 0 {
				t.Error("personalise: the chip was touched")
			}
			return err
		},
		"check": func(o *Office) error {
			_, err := o.Check(ctx, lockedCard, insert(c), r.examination())
			return err
		},
		"revoke":          func(o *Office) error { return o.Revoke(ctx, card, "lost") },
		"spoil":           func(o *Office) error { return o.Spoil(ctx, lockedCard, "torn") },
		"add operator":    func(o *Office) error { return o.AddOperator(ctx, o.Signer.Public(), "x", "", issuance.Clerk) },
		"revoke operator": func(o *Office) error { return o.RevokeOperator(ctx, "binh", "left", time.Time{}) },
		"make signer":     func(o *Office) error { _, err := o.MakeSigner(ctx, r.signer(), "P-256"); return err },
		"make list":       func(o *Office) error { return o.MakeCRL(ctx, 30, "ds-001") },
	} {
		wantError(t, name+" without the role", act(idle), issuance.ErrRole)
		for who, o := range map[string]*Office{"a stranger": stranger, "a revoked operator": gone} {
			wantError(t, name+" by "+who, act(o), issuance.ErrOperator)
		}
		nobody := *r.an
		nobody.Signer = nil
		if name != "add operator" {
			wantError(t, name+" by nobody", act(&nobody), ErrNoOperator)
		}
	}
	wantError(t, "deliver without the role", r.an.Deliver(ctx, lockedCard, Handover{}), issuance.ErrRole)
	if after := r.size(t); after != before {
		t.Errorf("%d entries were added", after-before)
	}
	if _, err := r.an.Authority.key(t.Context(), "ds-002"); err == nil {
		t.Error("a key was made for somebody who may not")
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	for name, err := range map[string]error{
		"approve":     r.binh.Approve(ctx, "A-NONE"),
		"cancel":      r.an.Cancel(ctx, "A-NONE", "withdrawn"),
		"personalise": second(r.an.Personalise(ctx, "A-NONE", insert(blank()), r.plan())),
		"check":       second(r.binh.Check(ctx, "C-NONE", insert(blank()), Examination{})),
		"deliver":     r.binh.Deliver(ctx, "C-NONE", Handover{}),
		"revoke":      r.binh.Revoke(ctx, "C-NONE", "lost"),
		"spoil":       r.binh.Spoil(ctx, "C-NONE", "torn"),
		"card":        second(r.an.Card(ctx, "C-NONE")),
		"draft":       second(r.an.Draft(ctx, "A-NONE")),
		"operator":    r.an.RevokeOperator(ctx, "nobody", "left", time.Time{}),
		"signer":      r.an.MakeCRL(ctx, 30, "ds-009"),
		"replaces": second(r.an.Enrol(ctx, Enrolment{
			Person: person(1), Portrait: portrait(0), Profile: Profile, Reason: "lost", Replaces: "C-NONE",
		})),
	} {
		wantError(t, name, err, ErrUnknown)
	}
	wantError(t, "root", r.an.MakeCRL(ctx, 30, "csca"), ErrCSCA)
	blind := *r.an
	blind.Vault = nil
	app := r.approved(t, enrolment(1))
	wantError(t, "enrol", second(blind.Enrol(ctx, enrolment(2))), ErrNoVault)
	wantError(t, "personalise", second(blind.Personalise(ctx, app, insert(blank()), r.plan())), ErrNoVault)
}

func second[T any](_ T, err error) error { return err }

func TestEnrolRefuses(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	before := r.size(t)
	for name, c := range map[string]struct {
		change func(*Enrolment)
		want   error
	}{
		"no portrait":    {func(e *Enrolment) { e.Portrait = nil }, ErrPortrait},
		"no JPEG":        {func(e *Enrolment) { e.Portrait = []byte("\x89PNG\r\n\x1a\n") }, ErrPortrait},
		"cut portrait":   {func(e *Enrolment) { e.Portrait = e.Portrait[:len(e.Portrait)/2] }, ErrPortrait},
		"large portrait": {func(e *Enrolment) { e.Portrait = append(e.Portrait, make([]byte, MaxPortrait)...) }, ErrPortrait},
		"other profile":  {func(e *Enrolment) { e.Profile = "icao" }, ErrProfile},
		"no reason":      {func(e *Enrolment) { e.Reason = "" }, issuance.ErrEntry},
		"a name for one": {func(e *Enrolment) { e.Reason = "Nguyễn Văn An" }, issuance.ErrEntry},
	} {
		e := enrolment(1)
		c.change(&e)
		wantError(t, name, second(r.an.Enrol(ctx, e)), c.want)
	}
	e := enrolment(1)
	e.Person.Number = "12"
	wantType[*vn.FieldError](t, "number", second(r.an.Enrol(ctx, e)))
	if r.size(t) != before {
		t.Error("something was enrolled")
	}
}

func TestOneOfEach(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app := must(r.an.Enrol(ctx, enrolment(1)))(t)
	d := wantType[*issuance.DuplicateError](t, "a second application", second(r.an.Enrol(ctx, enrolment(1))))
	if d.Claim.Kind != issuance.HoldApplication || d.Holder != issuance.Application(app) {
		t.Errorf("%+v", d)
	}
	check(t, r.an.Cancel(ctx, app, "withdrawn"))
	r.wantPhase(t, issuance.Application(app), issuance.Cancelled)
	wantType[*issuance.TransitionError](t, "cancelled and approved", r.binh.Approve(ctx, app))

	card, _ := r.issued(t, enrolment(1), r.plan())
	d = wantType[*issuance.DuplicateError](t, "a second card", second(r.an.Enrol(ctx, enrolment(1))))
	if d.Claim.Kind != issuance.HoldCard || d.Holder != issuance.Card(card) {
		t.Errorf("%+v", d)
	}
	other, _ := r.issued(t, enrolment(2), r.plan())
	e := enrolment(2)
	e.Reason, e.Replaces = "damaged", card
	if err := second(r.an.Enrol(ctx, e)); err == nil {
		t.Error("it replaces a stranger's card")
	}
	e.Replaces = other
	app = must(r.an.Enrol(ctx, e))(t)
	wantType[*issuance.DuplicateError](t, "replaced twice", second(r.an.Enrol(ctx, e)))
	check(t, r.an.Cancel(ctx, app, "withdrawn"))

	// Names of operators, and keys.
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	wantType[*issuance.DuplicateError](t, "name", r.an.AddOperator(ctx, pub, "binh", "", issuance.Clerk))
	wantType[*issuance.TransitionError](t, "key", r.an.AddOperator(ctx, r.binh.Signer.Public(), "other", "", issuance.Clerk))
	wantType[*issuance.TransitionError](t, "root", r.an.MakeCSCA(ctx, r.csca(), "P-256"))
	r.sound(t)
}

func TestOrderOfActs(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app := must(r.an.Enrol(ctx, enrolment(1)))(t)
	r.transition(t, "personalise before approval", second(r.an.Personalise(ctx, app, insert(blank()), r.plan())))
	check(t, r.binh.Approve(ctx, app))
	r.transition(t, "approve twice", r.binh.Approve(ctx, app))
	c := blank()
	card := r.personalised(t, app, c, r.plan())
	r.transition(t, "deliver before check", r.binh.Deliver(ctx, card, Handover{}))
	r.transition(t, "revoke before delivery", r.binh.Revoke(ctx, card, "lost"))
	wantError(t, "cancel with a card in the making", r.an.Cancel(ctx, app, "withdrawn"), issuance.ErrLink)
	if got := r.personalised(t, app, c, r.plan()); got != card {
		t.Errorf("personalised again: %s, not %s", got, card)
	}
	r.checked(t, card, c)
	r.checked(t, card, c)
	r.transition(t, "personalise when checked", second(r.an.Personalise(ctx, app, insert(c), r.plan())))
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	r.transition(t, "deliver twice", r.binh.Deliver(ctx, card, Handover{}))
	r.transition(t, "check when delivered", second(r.binh.Check(ctx, card, insert(c), r.examination())))
	r.transition(t, "personalise when issued", second(r.an.Personalise(ctx, app, insert(blank()), r.plan())))
	r.transition(t, "spoil when delivered", r.binh.Spoil(ctx, card, "torn"))
	r.sound(t)
}

func (r *rig) transition(t *testing.T, what string, err error) {
	t.Helper()
	wantType[*issuance.TransitionError](t, what, err)
}

func TestWrongChips(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	_, finished := r.issued(t, enrolment(1), r.plan())
	app, begun := r.approved(t, enrolment(2)), blank()
	f := &faulty{Store: r.store, at: 4}
	card, err := r.through(f).Personalise(ctx, app, insert(begun), r.plan())
	wantError(t, "cut", err, errFault)
	if card == "" {
		t.Error("the card was begun and is not named")
	}
	other := r.approved(t, enrolment(3))
	for _, c := range []struct {
		name, app string
		chip      *virtual.Chip
		want      error
	}{
		{"a finished card for a new one", other, finished, perso.ErrInUse},
		{"a begun chip for another application", other, begun, perso.ErrUsed},
		{"a finished card instead of the begun chip", app, finished, perso.ErrInUse},
	} {
		name, err := r.an.Personalise(ctx, c.app, insert(c.chip), r.plan())
		wantError(t, c.name, err, c.want)
		if c.app == other && name != "" {
			t.Errorf("%s: card %s is named and was not begun", c.name, name)
		}
	}
	wrong := wantType[*perso.WrongChipError](t, "a blank chip", second(r.an.Personalise(ctx, app, insert(blank()), r.plan())))
	if wrong.Want != begun.KDD() {
		t.Errorf("%+v", wrong)
	}
	twin := virtual.New(virtual.Config{KDD: begun.KDD()})
	d := wantType[*issuance.DuplicateError](t, "a chip with the name of another", second(r.an.Personalise(ctx, other, insert(twin), r.plan())))
	if d.Claim.Kind != issuance.ClaimChip {
		t.Errorf("%+v", d)
	}
	if got := r.personalised(t, app, begun, r.plan()); got != card {
		t.Errorf("card %s, not %s", got, card)
	}
	r.personalised(t, other, blank(), r.plan())
	r.sound(t)
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	who := enrolment(1)
	old, oldChip := r.issued(t, who, r.plan())
	again := who
	again.Reason, again.Replaces = "damaged", old
	app, c := r.approved(t, again), blank()
	card := r.personalised(t, app, c, r.plan())
	inspect := func(c *virtual.Chip, change func(*Examination)) (*Quality, error) {
		e := r.examination()
		if change != nil {
			change(&e)
		}
		return r.binh.Check(ctx, card, insert(c), e)
	}
	// The holder's former card opens with the same passwords.
	wantError(t, "another card of the same person", second(inspect(oldChip, nil)), issuance.ErrChanged)
	lenient, _ := verify.PolicyByName("archive")
	another := must((&Draft{Person: person(2), Issued: r.now}).zone())(t)
	for name, change := range map[string]func(*Examination){
		"nobody is trusted":    func(e *Examination) { e.Verify.Trust = nil },
		"no SPECIMEN":          func(e *Examination) { e.Verify.Specimen = false },
		"by a lenient policy":  func(e *Examination) { e.Verify.Specimen, e.Verify.Policy = false, lenient },
		"another zone printed": func(e *Examination) { e.Body = &printjob.Reading{Back: printjob.Surface{MRZ: another.Text()}} },
	} {
		q, err := inspect(c, change)
		refused := wantType[*RefusedError](t, name, err)
		if q == nil || refused == nil || refused.Report != q.Report || q.Report.Verdict == verify.Accept || refused.Error() == "" {
			t.Errorf("%s: %v", name, q)
		}
	}
	r.wantPhase(t, issuance.Card(card), issuance.Locked)
	if _, err := inspect(c, nil); err != nil {
		t.Error(err)
	}
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	r.wantPhase(t, issuance.Card(old), issuance.Superseded)
	r.sound(t)
}
