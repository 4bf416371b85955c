package verify

import (
	"cmp"
	"context"
	"fmt"
	"io"
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

// width is how wide a report is printed; identifiers and details may be wider.
const width = 80

// Render writes the report for an officer: the verdict in both languages, what it
// rests on with reason and remedy in the given one, the holder and the portrait if
// they are proven, and what was not checked. All text from the card is escaped.
func (r *Report) Render(w io.Writer, l Lang, o RenderOptions) error {
	p := printer{report: r, view: r.View(l), words: words(l), options: o}
	p.headline()
	p.claims()
	p.holder()
	p.unchecked()
	p.session()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// printer is a report on its way to the screen.
type printer struct {
	report  *Report
	view    View
	words   *vocabulary
	options RenderOptions
	out     strings.Builder
}

func (p *printer) line(format string, a ...any) { fmt.Fprintf(&p.out, format+"\n", a...) }

// headline prints the word of the reader's language first and that of the other one
// beside it, then the first reason, on a line of its own if it is long.
func (p *printer) headline() {
	v := p.view
	if v.Specimen != "" {
		p.line("*** %s ***", v.Specimen)
	}
	head := v.Word + " · " + v.Other
	if v.Without != "" {
		head += " · " + v.Without
	}
	colour := verdictColours[min(v.Verdict, Refuse)]
	switch {
	case v.Why == "":
		p.line("%s", p.colour(colour, head))
	case runes(head)+3+runes(v.Why) <= width:
		p.line("%s", p.colour(colour, head+"   "+v.Why))
	default:
		p.line("%s", p.colour(colour, head))
		p.wrapped("  ", "  ", v.Why)
	}
}

var verdictColours = [...]string{Refer: "33;1", Accept: "32;1", Refuse: "31;1"}

func (p *printer) colour(code, s string) string {
	if !p.options.Colours || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

var markColours = [...]string{MarkNothing: "", MarkPassed: "32", MarkRemark: "33", MarkUnknown: "33", MarkFailed: "31"}

func (p *printer) mark(m Mark) string { return p.colour(markColours[m], m.String()) }

// claims prints the claims and below each what an officer has to know of it.
func (p *printer) claims() {
	for _, c := range p.view.Claims {
		if !c.Told && !p.options.All {
			continue
		}
		p.line("  %s %s", p.mark(c.Mark), c.Title)
		if c.Groups != "" && !p.options.All {
			p.line("      %s %s", p.mark(MarkPassed), c.Groups)
		}
		for _, k := range c.Checks {
			if p.options.All || k.Told {
				p.check(k)
			}
		}
	}
}

func (p *printer) check(c ViewCheck) {
	line := fmt.Sprintf("      %s %s", p.mark(c.Mark), c.Title)
	if c.Reason != "" {
		if !p.options.All && 8+runes(c.Title)+4+runes(string(c.Reason)) > width {
			line += "\n        "
		}
		line += "  [" + string(c.Reason) + "]"
	}
	if p.options.All {
		line += "  " + c.Spec
		if c.Detail != "" {
			line += "  (" + c.Detail + ")"
		}
	}
	p.line("%s", line)
	p.say(c)
}

// say prints cause and remedy.
func (p *printer) say(c ViewCheck) {
	if c.Cause != "" {
		p.wrapped("          ", "          ", c.Cause+".")
	}
	if c.Remedy != "" {
		p.wrapped("          → ", "            ", c.Remedy)
	}
}

// wrapped prints words within the width, the lines behind the first with an indent of
// their own.
func (p *printer) wrapped(first, rest, text string) {
	line, used, empty := first, runes(first), true
	for word := range strings.FieldsSeq(text) {
		if n := runes(word); !empty && used+1+n > width {
			p.line("%s", line)
			line, used, empty = rest, runes(rest), true
		}
		if !empty {
			line, used = line+" ", used+1
		}
		line, used, empty = line+word, used+runes(word), false
	}
	p.line("%s", line)
}

func runes(s string) int { return len([]rune(s)) }

// holder prints whom the document speaks of, if that is proven.
func (p *printer) holder() {
	if p.view.Holder == nil {
		p.line("  %s", p.view.Unproven)
		return
	}
	p.line("  %s", p.words.labels.holder)
	for _, f := range p.view.Holder {
		p.line("      %s  %s", pad(f.Label, 16), f.Value)
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

// unchecked prints what the officer must not take for granted.
func (p *printer) unchecked() {
	if len(p.view.Unchecked) == 0 {
		return
	}
	p.line("  %s", p.words.labels.unchecked)
	for _, c := range p.view.Unchecked {
		if p.options.All {
			p.check(c)
			continue
		}
		p.wrapped("      "+MarkNothing.String()+" ", "        ", c.Cause)
		if !quiet[c.Reason] {
			p.wrapped("          → ", "            ", c.Remedy)
		}
	}
}

func (p *printer) session() {
	l := p.words.labels
	for _, row := range p.view.Lists {
		p.wrapped("  ", "      ", row.Label+" "+row.Value)
	}
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
	return s + strings.Repeat(" ", max(0, n-runes(s)))
}
