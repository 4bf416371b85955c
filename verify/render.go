package verify

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/picture"
)

// RenderOptions say how a report is printed.
type RenderOptions struct {
	Colours  bool          // the output is a terminal that shows colours
	All      bool          // every check, with its clause and details
	Portrait bool          // draw the portrait, if it is proven
	Columns  int           // width of the portrait in characters; 0 for 40
	Elapsed  time.Duration // reading time; 0 is not shown

	JPEG2000 picture.Decoder // for a portrait in JPEG 2000; nil draws none of that coding
}

// Render writes the report for an officer: the verdict in both languages, what it
// rests on with reason and remedy in the given one, the holder and the portrait if
// they are proven. All text from the card is escaped.
func (r *Report) Render(w io.Writer, l Lang, o RenderOptions) error {
	p := printer{report: r, lang: l, words: words(l), options: o}
	p.banner()
	p.verdict()
	p.checks()
	p.holder()
	p.session()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// printer is a report on its way to the screen.
type printer struct {
	report  *Report
	lang    Lang
	words   *vocabulary
	options RenderOptions
	out     strings.Builder
	said    []Reason // whose words stand above already
}

func (p *printer) line(format string, a ...any) { fmt.Fprintf(&p.out, format+"\n", a...) }

func (p *printer) banner() {
	if p.report.Specimen {
		p.line("*** %s ***", p.words.labels.specimen)
	}
}

// verdict prints the word of the reader's language first and that of the other one
// beside it, then the first reason.
func (p *printer) verdict() {
	other := English
	if p.lang != Vietnamese {
		other = Vietnamese
	}
	head := p.words.verdicts[p.report.Verdict] + " · " + words(other).verdicts[p.report.Verdict]
	if p.report.Policy.Chip && !p.report.Policy.Photo {
		head += " · " + p.words.labels.withoutPhoto
	}
	if reasons := p.report.Reasons(); len(reasons) > 0 {
		head += "   " + reasons[0].Words(p.lang).Cause
	} else if p.report.Verdict != Accept {
		head += "   " + p.words.labels.unproven
	}
	p.line("%s", p.colour(verdictColours[p.report.Verdict], head))
}

var verdictColours = [...]string{Refer: "33;1", Accept: "32;1", Refuse: "31;1"}

func (p *printer) colour(code, s string) string {
	if !p.options.Colours {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// checks prints the claims and below each what an officer has to know of it.
func (p *printer) checks() {
	for c := Integrity; c <= HolderBound; c++ {
		list := p.of(c)
		if !slices.Contains(p.report.Policy.Need, c) && !slices.ContainsFunc(list, p.telling) && !p.options.All {
			continue
		}
		p.line("  %s %s", p.claimMark(c, list), p.words.claims[c])
		if c == Integrity && !p.options.All {
			list = p.together(list)
		}
		for _, k := range list {
			if p.options.All || p.telling(k) {
				p.check(k)
			}
		}
	}
}

// together prints the groups that are intact in one line and returns the other checks.
func (p *printer) together(list []Check) []Check {
	var numbers []string
	rest := slices.DeleteFunc(slices.Clone(list), func(c Check) bool {
		n, group := strings.CutPrefix(c.ID, "lds.dg")
		if group && c.Outcome == Passed && c.Reason == "" {
			numbers = append(numbers, n)
			return true
		}
		return false
	})
	if len(numbers) > 0 {
		p.line("      %s %s %s", p.colour("32", markPassed), p.words.labels.groups, strings.Join(numbers, ", "))
	}
	return rest
}

func (p *printer) of(c Claim) []Check {
	var list []Check
	for _, k := range p.report.Checks {
		if k.Claim == c {
			list = append(list, k)
		}
	}
	return list
}

// telling says whether an officer is told of the check without asking for all.
func (p *printer) telling(c Check) bool {
	if p.report.decides(c) {
		return true
	}
	switch c.Outcome {
	case Failed, Undetermined:
		return c.Reason != ReasonSODUntrusted
	case Passed:
		return c.Reason != "" && !quiet[c.Reason] || constitutive(c.ID)
	case NotRun, Absent:
		return c.Reason != "" && !quiet[c.Reason]
	}
	return true
}

func constitutive(id string) bool {
	return slices.ContainsFunc(catalogue, func(k kind) bool { return k.id == id && k.role != speaks })
}

func (p *printer) check(c Check) {
	line := fmt.Sprintf("      %s %s", p.mark(c), c.Title(p.lang))
	if c.Reason != "" {
		line += "  [" + Escape(string(c.Reason)) + "]"
	}
	if p.options.All {
		line += "  " + c.Spec
		if c.Detail != "" {
			line += "  (" + Escape(c.Detail) + ")"
		}
	}
	p.line("%s", line)
	if c.Reason == "" || slices.Contains(p.said, c.Reason) || quiet[c.Reason] && !p.report.decides(c) {
		return
	}
	p.said = append(p.said, c.Reason)
	w := c.Reason.Words(p.lang)
	p.line("          %s.", w.Cause)
	p.line("          → %s", w.Remedy)
}

// The marks of checks.
const (
	markPassed  = "✓"
	markFailed  = "✗"
	markUnknown = "?"
	markRemark  = "!"
	markNothing = "–"
)

func (p *printer) mark(c Check) string {
	switch c.Outcome {
	case Passed:
		return p.colour("32", markPassed)
	case Failed:
		if p.report.Policy.failure(c.Reason) == Accept {
			return p.colour("33", markRemark)
		}
		return p.colour("31", markFailed)
	case Undetermined:
		return p.colour("33", markUnknown)
	case NotRun, Absent:
	}
	return markNothing
}

func (p *printer) claimMark(c Claim, list []Check) string {
	switch {
	case slices.ContainsFunc(list, func(k Check) bool { return k.Outcome == Failed && p.report.Policy.failure(k.Reason) == Refuse }):
		return p.colour("31", markFailed)
	case p.report.Passed(c):
		return p.colour("32", markPassed)
	case slices.Contains(p.report.Policy.Need, c):
		return p.colour("33", markUnknown)
	}
	return markNothing
}

// holder prints whom the document speaks of, if that is proven.
func (p *printer) holder() {
	i, err := p.report.Identity()
	if err != nil {
		p.line("  %s", p.words.labels.unproven)
		return
	}
	l := p.words.labels
	expiry := i.Expiry
	if i.NoExpiry {
		expiry = l.noExpiry
	}
	name := cmp.Or(i.Name, strings.TrimSpace(i.Surname+" "+i.Given))
	p.line("  %s", l.holder)
	for _, f := range []struct{ label, value string }{
		{l.name, name},
		{l.number, cmp.Or(i.Number, i.DocumentNumber)},
		{l.birth, i.Birth},
		{l.sex, i.Sex},
		{l.nationality, i.Nationality},
		{l.expiry, expiry},
	} {
		if f.value != "" {
			p.line("      %s  %s", pad(f.label, 16), Escape(f.value))
		}
	}
	if p.options.Portrait {
		p.portrait()
	}
}

func (p *printer) portrait() {
	img, ok, err := p.report.Portrait()
	if err != nil || !ok {
		return
	}
	decoded, err := picture.Decode(context.Background(), img.Image, picture.Options{JPEG2000: p.options.JPEG2000})
	if err != nil {
		p.line("      %s", Escape(err.Error()))
		return
	}
	drawPortrait(&p.out, decoded, cmp.Or(p.options.Columns, 40), p.options.Colours, "      ")
}

func (p *printer) session() {
	l := p.words.labels
	parts := []string{l.policy + " " + p.report.Policy.Name}
	if s := p.report.Session; s != nil {
		parts = append(parts, l.access+" "+s.Access, fmt.Sprintf("%d %s", s.APDUs, l.apdus))
	}
	if p.options.Elapsed > 0 {
		parts = append(parts, fmt.Sprintf("%s %.2f %s", l.time, p.options.Elapsed.Seconds(), l.seconds))
	}
	p.line("  %s", strings.Join(parts, " · "))
}

// pad fills a label with blanks up to that many characters.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-len([]rune(s))))
}
