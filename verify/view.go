package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// View is a report in the words of one language, for whoever shows it: a terminal, a page.
// All text is escaped for a screen, see Escape; a page escapes it for its own form besides.
// Whom the document speaks of stands in it only if that is proven.
type View struct {
	Lang      Lang
	Verdict   Verdict
	Word      string // the verdict in the reader's language
	Other     string // the verdict in the other language
	Without   string // what the policy leaves out: photo not read, chip not asked; or ""
	Why       string // the first reason, or that nothing is proven; "" for a plain yes
	Specimen  string // what to say of test keys; "" if there are none
	Claims    []ViewClaim
	Holder    []ViewRow // whom the document speaks of; none if that is not proven
	Unproven  string    // said in place of the holder; ""
	Unchecked []ViewCheck
	Lists     []ViewRow // dated lists that it rests on, with their ages
	Facts     []ViewRow // policy, time, document, session, digests
}

// ViewClaim is a claim and what was checked for it.
type ViewClaim struct {
	Title  string
	Mark   Mark
	Told   bool   // an officer is told of it without asking for all
	Groups string // the data groups that were found intact, in one line; "" if none were
	Checks []ViewCheck
}

// ViewCheck is a check in words. Cause and Remedy stand with the first check that has the
// reason, and are empty for reasons that go without saying; Remedy also where there is
// nothing to do.
type ViewCheck struct {
	ID, Title     string
	Mark          Mark
	Told          bool
	Reason        Reason
	Cause, Remedy string
	Spec, Detail  string
}

// ViewRow is a label and what it labels.
type ViewRow struct{ Label, Value string }

// Mark says at a glance how a check or claim stands under the report's policy.
type Mark uint8

// The marks; the zero value is that of what was not run.
const (
	MarkNothing Mark = iota
	MarkPassed
	MarkRemark // failed, and softened by the policy
	MarkUnknown
	MarkFailed
)

// String returns the sign: –, ✓, !, ? or ✗.
func (m Mark) String() string {
	return [...]string{MarkNothing: "–", MarkPassed: "✓", MarkRemark: "!", MarkUnknown: "?", MarkFailed: "✗"}[min(m, MarkFailed)]
}

// View puts the report into words.
func (r *Report) View(l Lang) View {
	w, other := words(l), words(English)
	if l != Vietnamese {
		l, other = English, words(Vietnamese)
	}
	v := View{Lang: l, Verdict: r.Verdict, Word: w.verdicts[min(r.Verdict, Refuse)], Other: other.verdicts[min(r.Verdict, Refuse)]}
	switch {
	case !r.Policy.Chip:
		v.Without = w.labels.withoutChip
	case !r.Policy.Photo:
		v.Without = w.labels.withoutPhoto
	}
	if reasons := r.Reasons(); len(reasons) > 0 {
		v.Why = reasons[0].Words(l).Cause
	} else if r.Verdict != Accept {
		v.Why = w.labels.unproven
	}
	if r.Specimen {
		v.Specimen = w.labels.specimen
	}
	b := viewer{r, l, w, map[Reason]bool{}}
	for c := Integrity; c <= HolderBound; c++ {
		v.Claims = append(v.Claims, b.claim(c))
	}
	v.Unchecked = b.unchecked()
	if v.Holder = b.holder(); v.Holder == nil {
		v.Unproven = w.labels.unproven
	}
	v.Lists, v.Facts = b.lists(), b.facts()
	return v
}

// viewer makes a view.
type viewer struct {
	*Report
	lang  Lang
	words *vocabulary
	said  map[Reason]bool // whose words stand above already
}

func (b *viewer) claim(c Claim) ViewClaim {
	needed := slices.Contains(b.Policy.Need, c)
	v := ViewClaim{Title: b.words.claims[c], Told: needed}
	for _, k := range b.Checks {
		if k.Claim == c {
			x := b.check(k)
			v.Checks, v.Told = append(v.Checks, x), v.Told || x.Told
		}
	}
	v.Groups = b.together(v.Checks)
	failed := func(k Check) bool {
		return k.Claim == c && (k.Outcome > Passed || k.Outcome == Failed && b.Policy.failure(k.Reason) == Refuse)
	}
	switch {
	case slices.ContainsFunc(b.Checks, failed):
		v.Mark = MarkFailed
	case b.Passed(c):
		v.Mark = MarkPassed
	case needed:
		v.Mark = MarkUnknown
	}
	return v
}

// together says in one line which groups are intact, so that each need not be told.
func (b *viewer) together(list []ViewCheck) string {
	var numbers []string
	for i, c := range list {
		if n, group := strings.CutPrefix(c.ID, groupPrefix); group && c.Mark == MarkPassed && c.Reason == "" {
			numbers, list[i].Told = append(numbers, n), false
		}
	}
	if len(numbers) == 0 {
		return ""
	}
	return b.words.labels.groups + " " + strings.Join(numbers, ", ")
}

func (b *viewer) check(c Check) ViewCheck {
	v := ViewCheck{
		ID: c.ID, Title: c.Title(b.lang), Mark: b.mark(c), Told: b.tells(c),
		Reason: Reason(Escape(string(c.Reason))), Spec: c.Spec, Detail: Escape(c.Detail),
	}
	if c.Reason != "" && v.Told && !b.said[c.Reason] && (!quiet[c.Reason] || b.decides(c)) {
		b.said[c.Reason] = true
		w := c.Reason.Words(b.lang)
		v.Cause, v.Remedy = w.Cause, w.Remedy
		if c.Reason == ReasonRecorded && c.Outcome == Passed { // whoever judges takes the device's word
			v.Remedy = ""
		}
	}
	if fields := b.printed(c); fields != "" && v.Told {
		v.Cause = c.Reason.Words(b.lang).Cause + ": " + fields
	}
	return v
}

// printed names what is printed otherwise than the chip has it.
func (b *viewer) printed(c Check) string {
	if c.ID != CheckPrint && c.ID != CheckQR || c.Outcome != Failed {
		return ""
	}
	var list []string
	for f := range strings.SplitSeq(c.Detail, ", ") {
		if word, ok := b.words.printed[f]; ok {
			list = append(list, word)
		}
	}
	return strings.Join(list, ", ")
}

func (b *viewer) mark(c Check) Mark {
	switch c.Outcome {
	case Passed:
		return MarkPassed
	case Failed:
		if b.Policy.failure(c.Reason) == Accept {
			return MarkRemark
		}
		return MarkFailed
	case Undetermined:
		return MarkUnknown
	case NotRun, Absent:
		return MarkNothing
	}
	return MarkFailed
}

// tells says whether an officer is told of the check without asking for all. What was not
// run and decides nothing is told apart, see unchecked.
func (b *viewer) tells(c Check) bool {
	if b.decides(c) {
		return true
	}
	switch c.Outcome {
	case Failed, Undetermined:
		return c.Reason != ReasonSODUntrusted
	case Passed:
		return c.Reason != "" && !quiet[c.Reason] || constitutive(c.ID) || c.Claim == HolderBound
	case Absent:
		return c.Reason != "" && !quiet[c.Reason]
	case NotRun:
		return false
	}
	return true
}

func constitutive(id string) bool {
	return slices.ContainsFunc(catalogue, func(k kind) bool { return k.id == id && k.role != speaks })
}

// unchecked says what was not checked, each reason once, with the data groups that share it.
func (b *viewer) unchecked() []ViewCheck {
	var list []ViewCheck
	groups := map[Reason][]string{}
	for _, c := range b.Unchecked() {
		if n, ok := strings.CutPrefix(c.ID, groupPrefix); ok {
			groups[c.Reason] = append(groups[c.Reason], "DG"+n)
		}
		if !b.said[c.Reason] {
			b.said[c.Reason] = true
			w := c.Reason.Words(b.lang)
			list = append(list, ViewCheck{ID: c.ID, Title: c.Title(b.lang), Reason: c.Reason, Told: true, Cause: w.Cause, Remedy: w.Remedy, Spec: c.Spec, Detail: Escape(c.Detail)})
		}
	}
	for i, v := range list {
		if g := groups[v.Reason]; len(g) > 0 {
			list[i].Cause += " (" + strings.Join(g, ", ") + ")"
		}
	}
	return list
}

// holder is whom the document speaks of; nil if that is not proven.
func (b *viewer) holder() []ViewRow {
	i, err := b.Identity()
	if err != nil {
		return nil
	}
	l := b.words.labels
	expiry := b.words.date(i.Expiry)
	if i.NoExpiry {
		expiry = l.noExpiry
	}
	sex := i.Sex
	if s, ok := b.words.sexes[i.Sex]; ok {
		sex = s
	}
	rows := []ViewRow{}
	for _, row := range []ViewRow{
		{l.name, cmp.Or(i.Name, strings.TrimSpace(i.Surname+" "+i.Given))},
		{l.number, cmp.Or(i.Number, i.DocumentNumber)},
		{l.birth, b.words.date(i.Birth)},
		{l.sex, sex},
		{l.nationality, i.Nationality},
		{l.expiry, expiry},
	} {
		if row.Value != "" {
			rows = append(rows, ViewRow{row.Label, Escape(row.Value)})
		}
	}
	return rows
}

// lists are the dated lists with their ages at the time of judgement.
func (b *viewer) lists() []ViewRow {
	var rows []ViewRow
	for _, l := range b.Lists() {
		value := b.words.date(l.Signed.In(b.At.Location()).Format(time.DateOnly)) + ", " + b.words.age(b.At.Sub(l.Signed))
		if issuer := cmp.Or(b.words.sources[l.Issuer], l.Issuer); issuer != "" {
			value += " · " + Escape(issuer)
		}
		rows = append(rows, ViewRow{cmp.Or(b.words.lists[l.Kind], l.Kind), value})
	}
	return rows
}

// facts say by what and of what this report is.
func (b *viewer) facts() []ViewRow {
	l, d := b.words.labels, b.Document
	zone := b.At.Format("-07:00")
	rows := []ViewRow{
		{l.policy, b.Policy.Name},
		{l.at, b.words.date(b.At.Format(time.DateOnly)) + b.At.Format(" 15:04:05 ") + zone},
		{l.document, strings.TrimSpace(d.Type + " " + d.State + " " + d.Profile)},
	}
	if d.Card != (CardID{}) {
		rows = append(rows, ViewRow{l.card, d.Card.String()})
	}
	rows = append(rows, ViewRow{l.signer, d.Signer}, ViewRow{l.csca, d.CSCA}, ViewRow{l.store, d.Store})
	if s := b.Session; s != nil {
		rows = append(rows, ViewRow{l.access, strings.TrimSpace(s.Access + " " + s.PACE)}, ViewRow{l.apdus, fmt.Sprint(s.APDUs)})
	}
	rows = slices.DeleteFunc(rows, func(r ViewRow) bool { return r.Value == "" })
	for i := range rows {
		rows[i].Value = Escape(rows[i].Value)
	}
	return rows
}
