package desk

import (
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// TestDue: seven working days (Law 26/2023 Art. 26). 2 September 2026, a Wednesday, and the
// day after are holidays.
func TestDue(t *testing.T) {
	c := Calendar{Holidays: []string{"2026-09-02", "2026-09-03"}}
	zone := time.FixedZone("ICT", 7*3600)
	for from, want := range map[string]string{
		"2026-09-07": "2026-09-16", // Monday: one weekend between
		"2026-09-04": "2026-09-15", // Friday
		"2026-09-05": "2026-09-15", // Saturday
		"2026-09-01": "2026-09-14", // the holidays do not count
	} {
		at, _ := time.ParseInLocation(time.DateOnly, from, zone)
		if got := c.Due(at.Add(23*time.Hour), Term); got.Format(time.DateOnly) != want || got.Location() != zone {
			t.Errorf("from %s: %s, not %s", from, got, want)
		}
	}
}

func TestApplicationTells(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app := must(r.an.Enrol(ctx, enrolment(1)))(t)
	a := must(r.an.Application(ctx, app))(t)
	if a.Phase != issuance.Enrolled || a.Reason != "first" || a.Late || a.Due.Format(time.DateOnly) != "2026-09-10" || a.Person == "" {
		t.Errorf("%+v", a)
	}
	r.now = r.now.AddDate(0, 0, 10)
	if a = must(r.an.Application(ctx, app))(t); !a.Late {
		t.Error("ten days later it is not late")
	}
	wantError(t, "no such", second(r.an.Application(ctx, "A-NONE")), ErrUnknown)
	wantError(t, "a word that is none", r.binh.Reject(ctx, app, "bored"), issuance.ErrWord)
	check(t, r.binh.Reject(ctx, app, "documents"))
	if a = must(r.an.Application(ctx, app))(t); a.Late || a.Ended != "documents" || a.Phase != issuance.Rejected {
		t.Errorf("%+v", a)
	}
	again := must(r.an.Enrol(ctx, enrolment(1)))(t) // the person may apply again
	if all := must(r.an.Applications(ctx, issuance.Enrolled))(t); len(all) != 1 || all[0].ID != again {
		t.Errorf("%+v", all)
	}
	r.sound(t)
}

func TestPapers(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.an.Place = "ward-1"
	app := must(r.an.Enrol(ctx, enrolment(1)))(t)
	wants := func(f Form, lang string, texts ...string) {
		t.Helper()
		paper := must(r.an.Paper(ctx, app, f, lang))(t)
		for _, text := range append(texts, "SPECIMEN", app, "Nguyễn Thị Thử Nghiệm", "15/02/1990") {
			if !strings.Contains(paper, text) {
				t.Errorf("%s %s does not say %q:\n%s", f, lang, text, paper)
			}
		}
	}
	wants(CC01, "vi", "TỜ KHAI", "003190000001", "cấp lần đầu", "Nốt ruồi dưới đuôi mắt trái", "15/02/2030")
	wants(CC01, "en", "APPLICATION FOR", "first card")
	wants(CC02, "vi", "GIẤY HẸN", "10/09/2026", "ward-1")
	wants(CC02, "en", "10 September 2026")
	r.transition(t, "a refusal of what was not refused", second(r.an.Paper(ctx, app, CC03, "vi")))
	check(t, r.binh.Reject(ctx, app, "data-mismatch"))
	wants(CC03, "vi", "TỪ CHỐI", "thông tin không khớp", "01/09/2026")
	wants(CC03, "en", "REFUSAL", "do not agree with the national database")
	r.transition(t, "a receipt of what was refused", second(r.an.Paper(ctx, app, CC02, "vi")))
	for _, reason := range append(issuance.EnrolReasons(), issuance.RejectReasons()...) {
		if ReasonText(reason, "vi") == reason || ReasonText(reason, "en") == "" {
			t.Errorf("%s has no words", reason)
		}
	}
}

// TestChild: a parent takes a child's card, and two clerks see it.
func TestChild(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	e := enrolment(1)
	e.Person.Number, e.Person.Birth = "003316000017", vn.Date{Year: 2016, Month: 6, Day: 1}
	e.Person.Spouse = ""
	app, c := r.approved(t, e), blank()
	if paper := must(r.an.Paper(ctx, app, CC02, "vi"))(t); !strings.Contains(paper, "người giám hộ") {
		t.Error(paper)
	}
	card := r.personalised(t, app, c, r.plan())
	r.checked(t, card, c)
	wantError(t, "to the child", r.binh.Deliver(ctx, card, Handover{}), ErrChild)
	alone := *r.binh
	alone.Second = nil
	wantError(t, "to a parent, by one clerk", alone.Deliver(ctx, card, Handover{Proxy: true}), issuance.ErrFourEyes)
	wantError(t, "by a second who is no clerk", r.binh.Deliver(ctx, card, Handover{Proxy: true}), issuance.ErrRole)
	chi := r.with(t, "chi", "", issuance.Clerk)
	pair := *r.binh
	pair.Second = chi.Signer
	check(t, pair.Deliver(ctx, card, Handover{Proxy: true}))
	r.wantPhase(t, issuance.Card(card), issuance.Active)
	r.sound(t)
}

// TestTwins are two people who differ in nothing but their numbers.
func TestTwins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, _ := r.issued(t, enrolment(1), r.plan())
	two, _ := r.issued(t, enrolment(2), r.plan())
	r.wantPhase(t, issuance.Card(one), issuance.Active)
	r.wantPhase(t, issuance.Card(two), issuance.Active)
	a, b := must(r.an.Card(t.Context(), one))(t), must(r.an.Card(t.Context(), two))(t)
	pa := must(r.an.Application(t.Context(), a.Application))(t).Person
	if pb := must(r.an.Application(t.Context(), b.Application))(t).Person; pa == pb || pa == "" {
		t.Errorf("twins are %q and %q", pa, pb)
	}
}

// TestRenumber: person and number are one to many. Whoever has another number is still one
// person with one card, and the old number never comes back.
func TestRenumber(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	registrar := r.with(t, "chi", "", issuance.Registrar)
	two := *r.an
	two.Second = registrar.Signer
	old, _ := r.issued(t, enrolment(1), r.plan())
	from, to := person(1).Number, person(7).Number
	alone := *r.an
	alone.Second = nil
	wantError(t, "by one", alone.Renumber(ctx, from, to, "birth"), issuance.ErrFourEyes)
	wantError(t, "of nobody", two.Renumber(ctx, person(9).Number, to, "birth"), ErrUnknown)
	wantError(t, "for no reason", two.Renumber(ctx, from, to, "bored"), issuance.ErrWord)
	must(r.an.Enrol(ctx, enrolment(2)))(t)
	wantType[*issuance.DuplicateError](t, "to another's number", two.Renumber(ctx, from, person(2).Number, "birth"))
	check(t, two.Renumber(ctx, from, to, "birth"))
	wantError(t, "again from the old one", two.Renumber(ctx, from, person(8).Number, "birth"), ErrOldNumber)
	wantType[*issuance.DuplicateError](t, "back to the old one", two.Renumber(ctx, to, from, "birth"))

	e := enrolment(1)
	e.Reason, e.Replaces = "renumbered", old
	wantError(t, "a card with the old number", second(r.an.Enrol(ctx, e)), ErrOldNumber)
	e.Person.Number, e.Replaces = to, ""
	d := wantType[*issuance.DuplicateError](t, "a second card under the new number", second(r.an.Enrol(ctx, e)))
	if d.Holder != issuance.Card(old) {
		t.Errorf("%+v", d)
	}
	e.Replaces = old
	card, _ := r.issued(t, e, r.plan())
	r.wantPhase(t, issuance.Card(old), issuance.Superseded)
	r.wantPhase(t, issuance.Card(card), issuance.Active)

	// A number that changes while an application is open stops it.
	app := must(r.an.Enrol(ctx, enrolment(3)))(t)
	check(t, two.Renumber(ctx, person(3).Number, person(30).Number, "wrong-number"))
	wantError(t, "approve what has the old number", r.binh.Approve(ctx, app), issuance.ErrLink)
	check(t, r.an.Cancel(ctx, app, "renumbered"))
	r.sound(t)
}

func TestComplaint(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	card, _ := r.issued(t, enrolment(1), r.plan())
	app := must(r.an.Card(ctx, card))(t).Application
	chi := r.with(t, "chi", "", issuance.Clerk, issuance.Approver)
	r.transition(t, "answer before it is said", r.binh.Settle(ctx, app, true))
	check(t, chi.Complain(ctx, app, "wrong-data"))
	r.wantPhase(t, issuance.Application(app), issuance.Disputed)
	wantError(t, "who took it in answers it", chi.Settle(ctx, app, false), issuance.ErrFourEyes)
	check(t, r.binh.Settle(ctx, app, true))
	r.wantPhase(t, issuance.Application(app), issuance.Issued)
	e := enrolment(1)
	e.Reason, e.Replaces = "wrong-data", card
	must(r.an.Enrol(ctx, e))(t)
	r.sound(t)
}

// TestShipment: cards go to where they are handed over, and those that do not arrive are
// named.
func TestShipment(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	var cards []string
	for i := range 2 {
		app, c := r.approved(t, enrolment(i+1)), blank()
		card := r.personalised(t, app, c, r.plan())
		if i == 0 {
			r.transition(t, "sent unchecked", second(r.binh.Send(ctx, "ward-2", card)))
		}
		r.checked(t, card, c)
		cards = append(cards, card)
	}
	shipment := must(r.binh.Send(ctx, "ward-2", cards...))(t)
	r.transition(t, "delivered on the way", r.binh.Deliver(ctx, cards[0], Handover{}))
	wantError(t, "who sent receives", second(r.binh.Receive(ctx, shipment, cards[0])), issuance.ErrFourEyes)
	chi := r.with(t, "chi", "", issuance.Clerk)
	wantError(t, "as another shipment", second(chi.Receive(ctx, "s-other", cards[0])), issuance.ErrChanged)
	if missing := must(chi.Receive(ctx, shipment, cards[0]))(t); len(missing) != 1 || missing[0] != cards[1] {
		t.Errorf("missing: %v", missing)
	}
	check(t, chi.Deliver(ctx, cards[0], Handover{}))
	check(t, r.binh.Spoil(ctx, cards[1], "lost-in-transit"))
	r.sound(t)
}

// TestEndOfCards: held and let go, replaced because lost, taken back, cut up by two.
func TestEndOfCards(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	old, _ := r.issued(t, enrolment(1), r.plan())
	wantError(t, "no reason of the law", r.binh.Suspend(ctx, old, "nuisance"), issuance.ErrWord)
	check(t, r.binh.Suspend(ctx, old, "detention"))
	check(t, r.binh.Resume(ctx, old, "released"))
	e := enrolment(1)
	e.Reason, e.Replaces = "lost", old
	card, _ := r.issued(t, e, r.plan())
	if got := must(r.store.Stream(ctx, issuance.Card(old)))(t); got[len(got)-1].Fields["withdrawn"] != "lost" {
		t.Errorf("a lost card was taken back: %v", got[len(got)-1].Fields)
	}
	check(t, r.binh.Return(ctx, old)) // it was found
	check(t, r.binh.Revoke(ctx, card, "died"))
	r.transition(t, "resumed", r.binh.Resume(ctx, card, "found"))
	k1, k2 := r.with(t, "k1", "", issuance.StockKeeper), r.with(t, "k2", "", issuance.StockKeeper)
	wantError(t, "cut up by one", k1.Destroy(ctx, old), issuance.ErrFourEyes)
	k1.Second = k2.Signer
	check(t, k1.Destroy(ctx, old))
	r.wantPhase(t, issuance.Card(old), issuance.Destroyed)
	r.sound(t)
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	check(t, r.an.MoveBlanks(ctx, blanks("B-1", 1, 10, here), "ward-1"))
	r.an.Place, r.binh.Place = "ward-1", "ward-1"
	r.approved(t, enrolment(1))
	e := enrolment(2)
	e.Person.Birth, e.Person.Number = vn.Date{Year: 1950, Month: 2, Day: 15}, "003150000017"
	must(r.an.Enrol(ctx, e))(t)
	r.now = r.now.AddDate(0, 0, 1)
	r.an.Place = ""
	app := must(r.an.Enrol(ctx, enrolment(3)))(t)
	check(t, r.binh.Reject(ctx, app, "identity"))
	today := r.now
	got := must(r.an.Statistics(ctx, today.AddDate(0, 0, -1), today, Sorts{}))(t)
	if len(got) != 1 || got[0] != (Count{Enrolled: 3, Approved: 1, Rejected: 1}) {
		t.Errorf("%+v", got)
	}
	got = must(r.an.Statistics(ctx, today, today, Sorts{Day: true, Office: true}))(t)
	if len(got) != 2 || got[0] != (Count{Office: "-", Day: "2026-09-02", Enrolled: 1}) || got[1] != (Count{Office: "ward-1", Day: "2026-09-02", Rejected: 1}) {
		t.Errorf("%+v", got)
	}
	got = must(r.an.Statistics(ctx, today.AddDate(0, 0, -1), today, Sorts{Age: true, Reason: true}))(t)
	if len(got) != 2 || got[0] != (Count{Reason: "first", Age: "25-39", Enrolled: 2, Approved: 1, Rejected: 1}) || got[1] != (Count{Reason: "first", Age: "60+", Enrolled: 1}) {
		t.Errorf("%+v", got)
	}
	check(t, r.an.Vault.Shred(ctx, app, vault.Personal))
	got = must(r.an.Statistics(ctx, today, today, Sorts{Age: true}))(t)
	if len(got) != 1 || got[0].Age != "unknown" {
		t.Errorf("%+v", got)
	}
}

// TestDeeds: what a stolen key did is listed, what it may have done itself told apart, and
// nothing is taken of it after its revocation.
func TestDeeds(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	chi := r.with(t, "chi", "", issuance.Registrar)
	honest := must(chi.Enrol(ctx, enrolment(1)))(t)
	r.now = r.now.Add(time.Hour)
	stolen := r.now
	must(chi.Enrol(ctx, enrolment(2)))(t) // by the thief
	must(r.an.Enrol(ctx, enrolment(3)))(t)
	r.now = r.now.Add(-30 * time.Minute) // the thief dates the next one back
	late := must(chi.Enrol(ctx, enrolment(4)))(t)
	r.now = r.now.Add(time.Hour)
	wantError(t, "from a time to come", r.an.RevokeOperator(ctx, "chi", "stolen", r.now.Add(time.Hour)), issuance.ErrEntry)
	check(t, r.an.RevokeOperator(ctx, "chi", "stolen", stolen))
	wantError(t, "after the revocation", second(chi.Enrol(ctx, enrolment(5))), issuance.ErrOperator)

	list := must(r.an.Deeds(ctx, "chi", time.Time{}))(t)
	suspect := map[string]bool{}
	for _, d := range list {
		suspect[d.Stream.ID] = d.Suspect
	}
	if len(list) != 6 || suspect[honest] || !suspect[late] { // each with a person registered
		t.Errorf("%+v", list)
	}
	for _, d := range must(r.an.Deeds(ctx, "chi", r.now.AddDate(-1, 0, 0)))(t) {
		if !d.Suspect {
			t.Errorf("%+v", d)
		}
	}
	if list := must(r.an.Deeds(ctx, "binh", time.Time{}))(t); len(list) == 0 || !list[0].Second {
		t.Errorf("%+v", list)
	}
	wantError(t, "nobody", second(r.an.Deeds(ctx, "nobody", time.Time{})), ErrUnknown)
}
