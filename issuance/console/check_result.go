package console

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// lookPage is what the page of a card that was looked at shows.
type lookPage struct {
	verify.View
	ID       string
	Light    string // accept, refer or refuse
	Sign     string
	Codes    []verify.Reason // that keep it from being accepted
	Remedy   string          // for the first of them
	Fields   []verify.ViewRow
	Portrait bool
	Hidden   *Failure
	Asked    bool // whether the bearer is the holder can be asked
	Holder   string
	Recorded *Failure
	Seconds  float64
	Slip     bool
	At       time.Time
}

var (
	lights  = [...]string{verify.Refer: "refer", verify.Accept: "accept", verify.Refuse: "refuse"}
	signs   = [...]string{verify.Refer: "?", verify.Accept: "✓", verify.Refuse: "✗"}
	holders = map[string]verify.Holder{"match": verify.HolderMatch, "mismatch": verify.HolderMismatch, "unsure": verify.HolderUnsure}
)

// showCard is the page of a card that was looked at: the verdict with reason and remedy, and,
// if they are proven, portrait and data to compare with the bearer.
func (q *request) showCard() error {
	l, err := q.c.looks.find(q.PathValue("look"), q.operator.Name)
	if err != nil {
		return err
	}
	r, holder, recorded := l.state()
	p := lookPage{
		View: r.View(verify.Lang(q.lang)), ID: l.id, Codes: r.Reasons(), Portrait: l.portrait != nil, Slip: l.slip != nil, Recorded: recorded,
		Seconds: l.took.Seconds(), At: r.At, Light: lights[min(r.Verdict, verify.Refuse)], Sign: signs[min(r.Verdict, verify.Refuse)],
	}
	if len(p.Codes) > 0 {
		p.Remedy = p.Codes[0].Words(verify.Lang(q.lang)).Remedy
	}
	if l.hidden != nil {
		p.Hidden = l.hidden.told(q.lang)
	}
	if i, err := r.Identity(); err == nil {
		p.Asked, p.Fields = l.portrait != nil, q.fields(i)
	}
	for name, h := range holders {
		if h == holder {
			p.Holder = name
		}
	}
	return q.render("check_result.html", p)
}

// fields are the country's own fields, with names that people know. Dates of DG13 stand as
// people write them.
func (q *request) fields(i verify.Identity) []verify.ViewRow {
	var rows []verify.ViewRow
	for _, f := range i.Fields {
		name, ok := fieldNames[f.Name]
		if !ok || strings.TrimSpace(f.Value) == "" {
			continue
		}
		rows = append(rows, verify.ViewRow{Label: name.in(q.lang), Value: verify.Escape(f.Value)})
	}
	return rows
}

// showPortrait gives the portrait to its page alone.
func (q *request) showPortrait() error {
	l, err := q.c.looks.find(q.PathValue("look"), q.operator.Name)
	if err != nil {
		return err
	}
	if l.portrait == nil {
		return l.hidden
	}
	h := q.w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Disposition", "inline")
	h.Set("Cache-Control", "no-store")
	http.ServeContent(q.w, q.Request, "", time.Time{}, bytes.NewReader(l.portrait))
	return nil
}

// showSlip gives the slip for the citizen: what was read, and no value of the card.
func (q *request) showSlip() error {
	l, err := q.c.looks.find(q.PathValue("look"), q.operator.Name)
	if err != nil {
		return err
	}
	if l.slip == nil {
		return errNoPage
	}
	return q.file("slip.txt", l.slip[q.lang])
}

// answerHolder takes the officer's answer whether the bearer is the holder, judges the card with
// it and records that, too. An answer may be corrected; each stands in the record.
func (q *request) answerHolder() error {
	l, err := q.c.looks.find(q.PathValue("look"), q.operator.Name)
	if err != nil {
		return err
	}
	h, ok := holders[q.PostFormValue("holder")]
	if !ok {
		return errHolder
	}
	if l.portrait == nil {
		return l.hidden
	}
	l.mu.Lock()
	l.report, l.holder = l.report.WithHolder(h), h
	_, l.recorded = q.note(record.Compare, l.report)
	l.mu.Unlock()
	return q.redirect("/checkpoint/card/" + l.id)
}
