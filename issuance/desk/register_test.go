package desk

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/population"
)

// book is a register of whom the test says, and what it was asked.
type book struct {
	people map[vn.Number]population.Record
	down   error
	asked  []population.Query
}

func (b *book) Confirm(_ context.Context, q population.Query) (population.Record, error) {
	if err := q.Check(); err != nil {
		return population.Record{}, err
	}
	b.asked = append(b.asked, q)
	if b.down != nil {
		return population.Record{}, b.down
	}
	if r, ok := b.people[q.Number]; ok && r.Confirms(q) {
		return r, nil
	}
	return population.Record{}, population.ErrNoSuchPerson
}

func withRegister(t *testing.T) (*rig, *book) {
	t.Helper()
	r := newRig(t)
	b := &book{people: map[vn.Number]population.Record{}}
	for n := range 5 {
		p := person(n)
		b.people[p.Number] = population.RecordOf(p)
	}
	r.an.Register, r.binh.Register, r.an.Place, r.binh.Place = b, b, here, here
	return r, b
}

// Nothing is approved that the register did not confirm; who asks for whom is told.
func TestRegisterConfirms(t *testing.T) {
	t.Parallel()
	r, b := withRegister(t)
	ctx := t.Context()
	app := must(r.an.Enrol(ctx, enrolment(1)))(t)
	wantError(t, "approved without the register", r.binh.Approve(ctx, app), ErrUnconfirmed)
	c := must(r.an.AskRegister(ctx, app))(t)
	if c.Class() != population.Match {
		t.Errorf("%+v", c.Findings)
	}
	q := b.asked[0]
	if q.Officer != "an" || q.Unit != here || q.Purpose != "issue" || q.Request != c.Request {
		t.Errorf("asked by %s of %s for %s as %s", q.Officer, q.Unit, q.Purpose, q.Request)
	}
	if got := must(r.binh.Comparison(ctx, app))(t); got.Request != c.Request || got.Record != c.Record || got.Class() != population.Match {
		t.Error("what was sealed is not what was found")
	}
	if s := fmt.Sprintf("%v %+v", c, c); strings.Contains(s, string(q.Number)) {
		t.Errorf("printed: %s", s)
	}
	check(t, r.binh.Approve(ctx, app))

	loud := b.people[person(2).Number]
	loud.Name = strings.ToUpper(loud.Name)
	b.people[person(2).Number] = loud
	app = must(r.an.Enrol(ctx, enrolment(2)))(t)
	if c := must(r.an.AskRegister(ctx, app))(t); c.Class() != population.Explainable {
		t.Errorf("%+v", c.Findings)
	}
	check(t, r.binh.Approve(ctx, app))
	r.sound(t)
}

// What differs waits for another person than those who brought it in.
func TestRegisterDiffers(t *testing.T) {
	t.Parallel()
	r, b := withRegister(t)
	ctx := t.Context()
	other := b.people[person(1).Number]
	other.Mother = "Trần Thị Khác"
	b.people[person(1).Number] = other
	app := must(r.an.Enrol(ctx, enrolment(1)))(t)
	if c := must(r.an.AskRegister(ctx, app))(t); c.Class() != population.Mismatch {
		t.Errorf("%+v", c.Findings)
	}
	r.wantPhase(t, issuance.Application(app), issuance.Differing)
	r.binh.Register = nil // a desk that asks no register is bound by what one said
	if err := r.binh.Approve(ctx, app); err == nil {
		t.Error("an application that differs was approved")
	}
	r.binh.Register = b
	// The register was corrected: whoever brought the application in does not say so.
	b.people[person(1).Number] = population.RecordOf(person(1))
	wantError(t, "asked again by who enrolled", second(r.an.AskRegister(ctx, app)), issuance.ErrFourEyes)
	if c := must(r.binh.AskRegister(ctx, app))(t); c.Class() != population.Match {
		t.Errorf("%+v", c.Findings)
	}
	b.people[person(1).Number] = other
	must(r.an.AskRegister(ctx, app))(t)
	r.wantPhase(t, issuance.Application(app), issuance.Differing)
	wantError(t, "accepted for no reason", r.binh.AcceptDifference(ctx, app, "bored"), issuance.ErrWord)
	check(t, r.binh.AcceptDifference(ctx, app, "documents"))
	check(t, r.binh.Approve(ctx, app))

	app = must(r.an.Enrol(ctx, enrolment(7)))(t) // whom the register does not know
	if c := must(r.binh.AskRegister(ctx, app))(t); !c.Unknown || c.Class() != population.Mismatch {
		t.Errorf("%+v", c.Findings)
	}
	wantError(t, "accepted by who asked", r.binh.AcceptDifference(ctx, app, "documents"), issuance.ErrFourEyes)
	check(t, r.binh.Reject(ctx, app, "data-mismatch"))
	r.sound(t)
}

// A day without the register loses nothing: the applications wait, and are asked about when
// it is back.
func TestRegisterDownForADay(t *testing.T) {
	t.Parallel()
	r, b := withRegister(t)
	ctx := t.Context()
	b.down = population.ErrUnavailable
	var apps []string
	for n := range 3 {
		app := must(r.an.Enrol(ctx, enrolment(n)))(t)
		wantError(t, "asked while it is down", second(r.an.AskRegister(ctx, app)), population.ErrUnavailable)
		wantError(t, "approved while it is down", r.binh.Approve(ctx, app), ErrUnconfirmed)
		apps = append(apps, app)
	}
	r.now = r.now.AddDate(0, 0, 1)
	b.down = nil
	waiting := must(r.an.Unconfirmed(ctx))(t)
	if fmt.Sprint(waiting) != fmt.Sprint(apps) {
		t.Errorf("%v wait, not %v", waiting, apps)
	}
	for _, app := range waiting {
		must(r.an.AskRegister(ctx, app))(t)
		check(t, r.binh.Approve(ctx, app))
	}
	if waiting = must(r.an.Unconfirmed(ctx))(t); len(waiting) > 0 {
		t.Errorf("%v wait", waiting)
	}
	r.sound(t)
}
