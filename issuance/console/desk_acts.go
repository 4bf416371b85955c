package console

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// choice is an act that a page offers beside what comes next, with the reasons that it takes.
type choice struct {
	Act     issuance.Act
	Name    say // on its button
	Reasons []string
	Second  bool // two persons sign, or may have to
	Danger  bool
}

// ID names the act's form and its parts.
func (c choice) ID() string { return string(c.Act) }

// choiceNames are what acts are called on their buttons.
var choiceNames = map[issuance.Act]say{
	issuance.Complain: {"Ghi khiếu nại", "Take in a complaint"}, issuance.Settle: {"Giải quyết khiếu nại", "Settle the complaint"},
	issuance.Suspend: {"Tạm giữ hiệu lực", "Suspend"}, issuance.Resume: {"Cho hiệu lực lại", "Resume"}, issuance.Revoke: {"Thu hồi thẻ", "Revoke"},
	issuance.Return: {"Đã thu lại thẻ", "Taken back"}, issuance.Spoil: {"Bỏ thẻ hỏng", "Spoil"}, issuance.Destroy: {"Tiêu hủy thẻ", "Destroy"},
}

// dangerous are the acts that nothing takes back.
var dangerous = []issuance.Act{issuance.Spoil, issuance.Revoke, issuance.Destroy}

// choices are those of some acts that may follow a phase and that the operator's roles allow.
// Whether the persons differ the rules say.
func (q *request) choices(kind issuance.Kind, phase issuance.Phase, of ...issuance.Act) []choice {
	var list []choice
	possible := issuance.Possible(kind, phase)
	for _, act := range of {
		if !slices.Contains(possible, act) || !slices.ContainsFunc(issuance.RolesOf(kind, act), q.operator.May) {
			continue
		}
		c := choice{act, choiceNames[act], issuance.Reasons(kind, act), issuance.NeedsSecond(kind, act, nil), slices.Contains(dangerous, act)}
		if act == issuance.Settle {
			c.Reasons = outcomes
		}
		list = append(list, c)
	}
	return list
}

// outcomes are what becomes of a complaint.
var outcomes = []string{"upheld", "dismissed"}

// settle answers a complaint with one of the outcomes.
func settle(o *desk.Office, ctx context.Context, app, outcome string) error {
	if !slices.Contains(outcomes, outcome) {
		return errReason
	}
	return o.Settle(ctx, app, outcome == "upheld")
}

// cardActs are the acts on a card that need nothing but a reason, if that.
var cardActs = map[issuance.Act]func(o *desk.Office, ctx context.Context, card, reason string) error{
	issuance.Suspend: (*desk.Office).Suspend, issuance.Resume: (*desk.Office).Resume, issuance.Revoke: (*desk.Office).Revoke,
	issuance.Spoil:   (*desk.Office).Spoil,
	issuance.Return:  func(o *desk.Office, ctx context.Context, card, _ string) error { return o.Return(ctx, card) },
	issuance.Destroy: func(o *desk.Office, ctx context.Context, card, _ string) error { return o.Destroy(ctx, card) },
}

// actOnCard does one act on a card.
func (q *request) actOnCard() error {
	card, act := q.PathValue("card"), issuance.Act(q.PathValue("act"))
	do := cardActs[act]
	if do == nil {
		return errNoPage
	}
	reason, reasons := q.PostFormValue("reason"), issuance.Reasons(issuance.KindCard, act)
	return q.once(func() (string, error) {
		if len(reasons) > 0 && !slices.Contains(reasons, reason) {
			return "", errReason
		}
		forget, err := q.pair()
		if err != nil {
			return "", err
		}
		defer forget()
		return "/desk/cards/" + card, do(q.office, q.Context(), card, reason)
	})
}

// pair lets the second person sign too, if a form names one. What it returns forgets the key.
func (q *request) pair() (forget func(), err error) {
	name, passphrase := strings.TrimSpace(q.PostFormValue("second")), q.PostFormValue(secondPassphrase)
	if name == "" {
		return func() {}, nil
	}
	if !q.c.mayTry(q.RemoteAddr) {
		return nil, errBusyPages
	}
	if name == q.operator.Name {
		return nil, issuance.ErrFourEyes
	}
	key, err := q.c.config.Unlock(q.Context(), name, []byte(passphrase))
	if err != nil {
		return nil, err
	}
	q.office.Second = key
	return func() {
		q.office.Second = nil
		if k, ok := key.(interface{ Destroy() }); ok {
			k.Destroy()
		}
	}, nil
}

// secondPassphrase is the field in which a second person types a passphrase.
const secondPassphrase = "second-passphrase"

// withoutSecrets is a form that waits for its operator, without what nobody keeps.
func withoutSecrets(kind string, body []byte) []byte {
	if !strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		return body
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !form.Has(secondPassphrase) {
		return body
	}
	form.Del(secondPassphrase)
	clear(body)
	return []byte(form.Encode())
}

// find opens an application or a card by its name.
func (q *request) find() error {
	name := strings.ToUpper(strings.TrimSpace(q.FormValue("q")))
	switch {
	case name == "" || len(name) > 40:
		return errNoPage
	case strings.HasPrefix(name, "C-"):
		return q.redirect("/desk/cards/" + url.PathEscape(name))
	}
	return q.redirect("/desk/applications/" + url.PathEscape(name))
}

// did is the act that a page says was done, if it is one.
func (q *request) did() issuance.Act {
	done := q.FormValue("done")
	if _, ok := actNames[done]; !ok {
		return ""
	}
	return issuance.Act(done)
}

// tabbed puts a tab between the columns of a paper: letters of even width, which spaces would
// need, have no Vietnamese marks on many a machine.
func tabbed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if label, value, ok := strings.Cut(line, ":  "); ok {
			line = label + ":\t" + strings.TrimLeft(value, " ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// paper is one of the papers of an application, to be printed.
func (q *request) paper() error {
	form := desk.Form(q.PathValue("form"))
	if !slices.Contains(desk.Forms(), form) {
		return errNoPage
	}
	text, err := q.office.Paper(q.Context(), q.PathValue("app"), form, q.lang)
	if err != nil {
		return err
	}
	return q.render("desk_paper.html", struct {
		App  string
		Form desk.Form
		Text string
	}{q.PathValue("app"), form, tabbed(text)})
}
