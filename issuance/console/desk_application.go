package console

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/population"
)

// applicationPage is what one sees of an application.
type applicationPage struct {
	*row
	Fresh      bool        // just opened
	Draft      *desk.Draft // nil where the data were destroyed
	Person     []field
	Seen       string // the digest of what is shown, for the approver
	Register   bool   // the office asks a register
	Comparison *desk.Comparison
	Compared   []comparedField
	May        map[string]bool
	RejectFor  []string
	AcceptFor  []string
	CancelFor  []string
}

// field is one line of a person's data.
type field struct {
	Label say
	Value string
}

// comparedField is what the register says of a field beside what the application says.
type comparedField struct {
	Label           say
	Ours, Theirs    string
	Class           population.Class
	Cause           say
	Agrees, Trouble bool
}

// application shows one application.
func (q *request) application() error {
	a, err := q.office.Application(q.Context(), q.PathValue("app"))
	if err != nil {
		return err
	}
	cards, err := q.cards()
	if err != nil {
		return err
	}
	p := applicationPage{row: &row{Application: a, Stand: stand(a, cards)}, Fresh: q.FormValue("new") != "", Register: q.office.Register != nil}
	q.next(p.row)
	p.RejectFor, p.AcceptFor, p.CancelFor = issuance.RejectReasons(), issuance.AcceptReasons(), issuance.CancelReasons()
	if p.Draft, err = q.office.Draft(q.Context(), a.ID); err == nil {
		p.Person = personOf(p.Draft)
		digest, err := p.Draft.Digest()
		if err != nil {
			return err
		}
		p.Seen = hex.EncodeToString(digest[:])
		if err := q.compared(&p); err != nil {
			return err
		}
	}
	p.May = q.mayApplication(p)
	return q.render("desk_application.html", p)
}

// mayApplication says which acts the page offers: those that the state and the operator's
// roles allow. Whether the persons differ the rules say.
func (q *request) mayApplication(p applicationPage) map[string]bool {
	is := func(role issuance.Role, phases ...issuance.Phase) bool {
		for _, phase := range phases {
			if p.Phase == phase && q.operator.May(role) {
				return true
			}
		}
		return false
	}
	making := p.Phase == issuance.Personalising && p.By == issuance.Personaliser
	return map[string]bool{
		"approve": is(issuance.Approver, issuance.Enrolled),
		"ask":     p.Register && (is(issuance.Registrar, issuance.Enrolled, issuance.Differing) || is(issuance.Approver, issuance.Enrolled, issuance.Differing)),
		"accept":  is(issuance.Approver, issuance.Differing),
		"reject":  is(issuance.Approver, issuance.Enrolled, issuance.Differing, issuance.Approved),
		"cancel":  is(issuance.Registrar, issuance.Enrolled, issuance.Differing, issuance.Approved),
		"make":    is(issuance.Personaliser, issuance.Approved) || making && q.operator.May(issuance.Personaliser),
	}
}

// personOf are the lines of what will be made.
func personOf(d *desk.Draft) []field {
	p := d.Person
	expiry, sex := p.ExpiryAt(d.Issued), "Nam"
	if p.Sex == "F" {
		sex = "Nữ"
	}
	values := map[string]string{
		"number": string(p.Number), "surname": p.Surname, "given": p.Given, "sex": sex, "birth": p.Birth.Text(), "nationality": p.Nationality,
		"origin": p.Origin, "residence": p.Residence, "ethnicity": p.Ethnicity, "religion": p.Religion, "features": p.Features,
		"father": p.Father, "mother": p.Mother, "spouse": p.Spouse, "expiry": expiry.Text(),
	}
	var list []field
	for _, f := range personFields {
		list = append(list, field{f.Label, values[f.Name]})
	}
	return list
}

// recordFields are the values of a register's record by the names of the findings.
func recordFields(r population.Record) map[string]string {
	place := func(p population.Place) string {
		list := slices.DeleteFunc([]string{p.Detail, p.Ward, p.District, p.Province}, func(s string) bool { return s == "" })
		return strings.Join(list, ", ")
	}
	return map[string]string{
		"number": string(r.Number), "name": r.Name, "sex": r.Sex, "birth": r.Birth.Text(), "ethnicity": r.Ethnicity, "religion": r.Religion,
		"origin": place(r.Origin), "residence": place(r.Residence), "father": r.Father, "mother": r.Mother, "spouse": r.Spouse,
	}
}

// compared adds what the register said, if it was asked.
func (q *request) compared(p *applicationPage) error {
	c, err := q.office.Comparison(q.Context(), p.ID)
	if errors.Is(err, desk.ErrUnknown) || errors.Is(err, issuance.ErrChanged) { // not asked, or not since it was changed
		return nil
	}
	if err != nil || c == nil {
		return err
	}
	p.Comparison = c
	ours, theirs := recordFields(population.RecordOf(p.Draft.Person)), recordFields(c.Record)
	for _, f := range c.Findings {
		label := nameOf(recordNames, f.Field)
		for _, known := range personFields {
			if known.Name == f.Field {
				label = known.Label
			}
		}
		p.Compared = append(p.Compared, comparedField{
			Label: label, Ours: ours[f.Field], Theirs: theirs[f.Field], Class: f.Class, Cause: nameOf(causeNames, string(f.Cause)),
			Agrees: f.Class == population.Match, Trouble: f.Class == population.Mismatch,
		})
	}
	return nil
}

// portrait sends the portrait of an application, which the browser must not keep.
func (q *request) portrait() error {
	d, err := q.office.Draft(q.Context(), q.PathValue("app"))
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "image/jpeg")
	_, _ = q.w.Write(d.Portrait)
	return nil
}

// actOn makes the handler of an act on an application: do does it, and the page is shown
// again.
func actOn(do func(q *request, app string) error) page {
	return func(q *request) error {
		app := q.PathValue("app")
		return q.once(func() (string, error) { return "/desk/applications/" + app, do(q, app) })
	}
}

// approve approves what the page showed.
func (q *request) approve(app string) error {
	seen, err := hex.DecodeString(q.FormValue("seen"))
	if err != nil || len(seen) != 32 {
		return errForm
	}
	return q.office.ApproveSeen(q.Context(), app, [32]byte(seen))
}

// ask asks the register. That it is down is said; the application waits.
func (q *request) ask(app string) error {
	_, err := q.office.AskRegister(q.Context(), app)
	return err
}

// reasoned is an act with a reason from the form.
func reasoned(do func(o *desk.Office, ctx context.Context, app, reason string) error) func(*request, string) error {
	return func(q *request, app string) error {
		reason := q.FormValue("reason")
		if reason == "" {
			return errReason
		}
		return do(q.office, q.Context(), app, reason)
	}
}

var errReason = &problem{"reason", http.StatusConflict, say{"Chưa nêu lý do", "There is no reason"}, say{"Chọn một lý do.", "Choose one."}}

// personalise makes the card of the application on the chip in the reader, as a job.
func (q *request) personalise() error {
	app, back := q.PathValue("app"), "/desk/applications/"+q.PathValue("app")
	if err := q.office.MayPersonalise(q.Context(), app); err != nil {
		return err
	}
	return q.start(say{"Làm thẻ", "Making the card"}, back, func(ctx context.Context, r report) (string, error) {
		chip, err := q.reader(ctx)
		if err != nil {
			return "", err
		}
		defer chip.Close()
		plan, forget, err := q.c.config.Make(ctx, q.office, chip)
		if err != nil {
			return "", err
		}
		defer forget()
		plan.Progress = func(p perso.Progress) { r(nameOf(actNames, string(p.Act)).in(q.lang), p.Done, p.Total) }
		card, err := q.office.Personalise(ctx, app, chip, plan)
		if err != nil {
			return "", err
		}
		return "/desk/cards/" + card, nil
	})
}
