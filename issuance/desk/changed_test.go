package desk

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// tamper changes the ledger's file as somebody with all rights to it: without triggers.
func (r *rig) tamper(t *testing.T, query string, args ...any) {
	t.Helper()
	db := must(sql.Open("sqlite3", "file:"+r.path("ledger.db")))(t)
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows := must(db.Query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))(t)
	var drop, create []string
	for rows.Next() {
		var name, text string
		check(t, rows.Scan(&name, &text))
		drop, create = append(drop, "DROP TRIGGER "+name), append(create, text)
	}
	check(t, rows.Close())
	for _, s := range drop {
		must(db.Exec(s))(t)
	}
	if n := must(must(db.Exec(query, args...))(t).RowsAffected())(t); n != 1 {
		t.Fatalf("%d rows changed", n)
	}
	for _, s := range create {
		must(db.Exec(s))(t)
	}
}

const putAttachment = `UPDATE attachment SET sealed = ? WHERE name = ? AND place / 32 =
	(SELECT idx FROM entry WHERE kind = ? AND stream = ? ORDER BY seq LIMIT 1)`

// TestSwappedPortrait: what stands in the ledger's file for the portrait is no longer
// what was approved.
func TestSwappedPortrait(t *testing.T) {
	for name, swap := range map[string]func(t *testing.T, r *rig, app string) []byte{
		"by another person's": func(t *testing.T, r *rig, _ string) []byte {
			other := r.approved(t, enrolment(int(r.size(t))))
			entries := must(r.store.Stream(t.Context(), issuance.Application(other)))(t)
			return must(r.store.Attachment(t.Context(), entries[0].ID, portraitName))(t)
		},
		"by somebody with the vault's key": func(t *testing.T, r *rig, app string) []byte {
			entries := must(r.store.Stream(t.Context(), issuance.Application(app)))(t)
			other := must(json.Marshal(portrait(9)))(t)
			return must(r.vault.Seal(t.Context(), app, vault.Biometric, place(entries[0].ID, portraitName), other))(t)
		},
		"by nothing": func(*testing.T, *rig, string) []byte { return []byte{} },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			app := r.approved(t, enrolment(1))
			begun, c := r.approved(t, enrolment(3)), blank()
			f := &faulty{Store: r.store, at: 5} // until something is prepared
			wantError(t, "cut", second(r.through(f).Personalise(t.Context(), begun, insert(c), r.plan())), errFault)
			for _, a := range []string{app, begun} {
				b := swap(t, r, a)
				r.tamper(t, putAttachment, b, portraitName, "application", a)
				wantError(t, "draft", second(r.an.Draft(t.Context(), a)), issuance.ErrChanged)
				r.wantUntouched(t, r.an, a, issuance.ErrChanged)
			}
			if report := must(r.store.Verify(t.Context(), nil))(t); report.OK() {
				t.Error("the audit saw nothing")
			}
		})
		if t.Failed() {
			return
		}
	}
}

// TestSwappedContent: between signature and lock somebody with the vault's key puts other
// files in the place of those signed.
func TestSwappedContent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, c := r.approved(t, enrolment(1)), blank()
	f := &faulty{Store: r.store, at: 7}
	wantError(t, "cut", second(r.through(f).Personalise(t.Context(), app, insert(c), r.plan())), errFault)
	card := must(r.store.List(t.Context(), issuance.KindCard, issuance.Writing))(t)[0].Stream
	const name = contentName + ".biometrics"
	var files map[string][]byte
	e := must(r.an.openLast(t.Context(), card, name, &files))(t)
	files[lds.DG2.Name()] = must(lds.EncodeDG2(lds.Face{Image: portrait(9), Coding: lds.JPEG, Width: 200, Height: 200}))(t)
	b := must(r.vault.Seal(t.Context(), app, vault.Biometric, place(e.ID, name), must(json.Marshal(files))(t)))(t)
	r.tamper(t, "UPDATE attachment SET sealed = ? WHERE name = ?", b, name)
	wantError(t, "resume", second(r.an.Personalise(t.Context(), app, insert(c), r.plan())), issuance.ErrChanged)
	r.wantPhase(t, card, issuance.Writing)
}

// TestOperatorWhoPreparesOtherFiles: even an entry that the personaliser has signed does
// not make the signer sign over anything but what was approved.
func TestOperatorWhoPreparesOtherFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, c := r.approved(t, enrolment(1)), blank()
	m := &making{o: r.an, p: r.plan(), app: app, chip: insert(c), draft: must(r.an.Draft(t.Context(), app))(t)}
	f := map[string][]byte{}
	for file, b := range must(m.draft.groups())(t) {
		f[file.Name()] = b
	}
	check(t, m.approved(f))
	for _, file := range []lds.File{lds.DG1, lds.DG2, lds.DG13} {
		saved := f[file.Name()]
		f[file.Name()] = append(slices.Clone(saved), 0)
		wantError(t, file.Name(), m.approved(f), issuance.ErrChanged)
		delete(f, file.Name())
		wantError(t, file.Name(), m.approved(f), issuance.ErrChanged)
		f[file.Name()] = saved
	}
}

// change is an act of the registrar's that the desk has no verb for yet.
func (r *rig) change(t *testing.T, app string, d *Draft) {
	t.Helper()
	check(t, r.an.do(t.Context(), issuance.Application(app), issuance.Change, func(e *issuance.Entry) error {
		e.Commitments = map[string][32]byte{issuance.Content: must(d.commitment())(t)}
		return r.an.sealDraft(t.Context(), e, d)
	}))
}

func TestChangeVoidsApproval(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app := r.approved(t, enrolment(1))
	d := must(r.an.Draft(ctx, app))(t)
	d.Portrait = portrait(9)
	r.change(t, app, d)
	r.transition(t, "personalise", second(r.an.Personalise(ctx, app, insert(blank()), r.plan())))
	check(t, r.binh.Approve(ctx, app))
	c := blank()
	r.checked(t, r.personalised(t, app, c, r.plan()), c)

	// A change that commits to something which is nowhere to be seen.
	app = r.approved(t, enrolment(2))
	check(t, r.an.do(ctx, issuance.Application(app), issuance.Change, func(e *issuance.Entry) error {
		e.Commitments = map[string][32]byte{issuance.Content: {1}}
		return nil
	}))
	wantError(t, "approve", r.binh.Approve(ctx, app), issuance.ErrChanged)
	r.sound(t)
}

// TestDraftIsRebuilt: what is unsealed leads to the same octets as what was enrolled.
func TestDraftIsRebuilt(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	for i, change := range []func(*vn.Person){
		func(*vn.Person) {},
		func(p *vn.Person) { p.Birth = vn.Date{Year: 1990} },
		func(p *vn.Person) { p.Birth = vn.Date{Year: 1940, Month: 12, Day: 31} }, // never expires
		func(p *vn.Person) { p.Expiry = &vn.Date{Year: 2031, Month: 1, Day: 2} },
		func(p *vn.Person) { p.Surname, p.Spouse, p.Religion = "", "", "" },
		func(p *vn.Person) { p.Residence = "<&> \"'\\" + strings.Repeat("ữ", 150) },
	} {
		e := enrolment(i)
		change(&e.Person)
		before := must(newDraft(e, r.now))(t)
		b := must(json.Marshal(before))(t)
		var after Draft
		check(t, json.Unmarshal(b, &after))
		if must(before.commitment())(t) != must(after.commitment())(t) {
			t.Errorf("person %d: another commitment", i)
		}
		app := must(r.an.Enrol(ctx, e))(t)
		one, two := must(r.an.Draft(ctx, app))(t), must(r.an.Draft(ctx, app))(t)
		if must(one.commitment())(t) != must(two.commitment())(t) || one.Issued != before.Issued {
			t.Errorf("person %d: it changes", i)
		}
	}
}

// TestDayOfIssue: the day is that of the desk's clock, not that of Greenwich.
func TestDayOfIssue(t *testing.T) {
	r := newRig(t)
	r.now = r.now.Add(-8 * 3600e9) // two in the morning
	d := must(newDraft(enrolment(1), r.now))(t)
	if got := d.Issued.Format("2006-01-02"); got != "2026-09-01" {
		t.Error(got)
	}
	groups := must(d.groups())(t)
	if f := must(vn.ParseDG13(groups[lds.DG13]))(t); f.Value(vn.FieldIssued) != "01/09/2026" {
		t.Error(f.Value(vn.FieldIssued))
	}
}

func TestDraftPrintsNothing(t *testing.T) {
	d := must(newDraft(enrolment(1), newClock()))(t)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "draft", d)
	for _, text := range []string{fmt.Sprint(d), fmt.Sprintf("%v %+v %#v %s", d, d, d, d), log.String()} {
		if strings.Contains(text, "Nguy") || strings.Contains(text, "003190") {
			t.Error(text)
		}
	}
}
