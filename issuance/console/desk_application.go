package console

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
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
	Choices    []choice
	Papers     []desk.Form
	Made       *made // exactly what the chip will hold
	Same       bool  // the operator took it in: somebody else approves
	Waits      bool  // the register has yet to confirm it
	Begun      bool  // a card was begun
	Blank      desk.Blank
	Stock      bool // there is a blank
	Steps      []say
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
	p.Choices = q.choices(issuance.KindApplication, a.Phase, issuance.Complain, issuance.Settle)
	if !slices.ContainsFunc(personRoles, q.operator.May) { // whom it is about is not their business
		p.May = q.mayApplication(p)
		return q.render("desk_application.html", p)
	}
	if p.Draft, err = q.office.Draft(q.Context(), a.ID); err == nil {
		p.Person = personOf(p.Draft, q.lang)
		if p.Made, err = q.whatIsMade(p.Draft); err != nil {
			return err
		}
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
	if err := q.helps(&p); err != nil {
		return err
	}
	return q.render("desk_application.html", p)
}

// helps adds what the page says beside its forms.
func (q *request) helps(p *applicationPage) error {
	p.Papers = papersOf(p.Phase)
	p.Same = slices.ContainsFunc(p.History, func(h desk.Act) bool {
		return h.Operator == q.operator.Name && (h.Act == issuance.Enrol || h.Act == issuance.Change)
	})
	if p.May["approve"] {
		waiting, err := q.unconfirmed()
		if err != nil {
			return err
		}
		p.Waits = slices.Contains(waiting, p.ID)
	}
	if p.May["make"] {
		p.Begun = p.Phase == issuance.Personalising && p.Stand != issuance.Spoiled
		for _, s := range makeSteps {
			p.Steps = append(p.Steps, s.Say)
		}
		var err error
		p.Blank, err = q.office.NextBlank(q.Context(), "")
		p.Stock = err == nil
	}
	return nil
}

// papersOf are the papers that an application has in a phase.
func papersOf(p issuance.Phase) []desk.Form {
	switch p {
	case issuance.Shredded:
		return nil
	case issuance.Rejected:
		return []desk.Form{desk.CC01, desk.CC03}
	case issuance.Cancelled:
		return []desk.Form{desk.CC01}
	}
	return []desk.Form{desk.CC01, desk.CC02}
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
		"reject":  is(issuance.Approver, issuance.Enrolled, issuance.Differing, issuance.Suspected, issuance.Approved),
		"cancel":  is(issuance.Registrar, issuance.Enrolled, issuance.Differing, issuance.Suspected, issuance.Approved),
		"make":    is(issuance.Personaliser, issuance.Approved) || making && q.operator.May(issuance.Personaliser),
	}
}

// personOf are the lines of what will be made.
func personOf(d *desk.Draft, lang string) []field {
	p := d.Person
	expiry, sex := p.ExpiryAt(d.Issued), nameOf(sexNames, p.Sex).in(lang)
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
	for _, f := range c.Findings {
		label := nameOf(recordNames, f.Field)
		for _, known := range personFields {
			if known.Name == f.Field {
				label = known.Label
			}
		}
		ours, theirs := population.Beside(f.Field, p.Draft.Person, c.Record)
		if f.Field == "sex" {
			ours, theirs = nameOf(sexNames, ours).in(q.lang), nameOf(sexNames, theirs).in(q.lang)
		}
		p.Compared = append(p.Compared, comparedField{
			Label: label, Ours: ours, Theirs: theirs, Class: f.Class, Cause: nameOf(causeNames, string(f.Cause)),
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
	if err := q.office.ApproveSeen(q.Context(), app, [32]byte(seen)); err != nil {
		return q.beaten(app, err)
	}
	return nil
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
