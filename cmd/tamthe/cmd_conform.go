package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance"
)

func newConform(p *program) *cobra.Command {
	var cases []string
	cmd := &cobra.Command{
		Use:   "conform",
		Short: "Show that this program refuses every known forgery",
		Long: `Plays forged, odd and sound cards to this very program, and prints for each case what
was expected, what came out, and whether they agree: the attacks that readers are known to
have fallen for (N01 to N84), the cases of BSI TR-03105 part 5.1 for inspection systems, and
some of our own (T01 to T07).
Cards, chips and certificates are made as they are played, of SPECIMEN keys; no reader, no
file and no network is used.

A case passes if each card that is played for it has the expected verdict for the expected
reason, and the same card without its fault is accepted. With --case each card is listed.
Exit status 3 says that some case did not come out as expected.
`,
		Example: "  tamthe conform\n  tamthe conform --case N46 --case LDS_H",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runConform(cmd.Context(), p, cases) },
	}
	cmd.Flags().StringSliceVar(&cases, "case", nil, "only the case of this `ID`, or of this unit, such as LDS_H; may be repeated")
	return cmd
}

// conformJSON is what `conform --json` tells.
type conformJSON struct {
	Schema        string            `json:"schema"`
	Version       string            `json:"version"`
	Passed        int               `json:"passed"`
	Failed        int               `json:"failed"`
	NotApplicable int               `json:"not_applicable"`
	Plays         int               `json:"plays"`
	Faulty        int               `json:"faulty"`   // plays that must not be accepted
	Accepted      int               `json:"accepted"` // … and were
	Cases         []conformCaseJSON `json:"cases"`
}

type conformCaseJSON struct {
	ID       string                `json:"id"`
	Area     string                `json:"area"`
	Clause   string                `json:"clause"`
	Case     string                `json:"case"`
	Wanted   string                `json:"wanted,omitempty"` // what the guideline wants: pass, fail, open, withdrawn
	Result   string                `json:"result"`           // pass, fail, n/a
	Why      string                `json:"why,omitempty"`    // of n/a
	Test     string                `json:"test,omitempty"`   // that covers it instead
	Note     string                `json:"note,omitempty"`
	Outcomes []conformance.Outcome `json:"outcomes"`
}

func runConform(ctx context.Context, p *program, cases []string) error {
	g := p.progress()
	results, err := conformance.Run(ctx, cases, func(done, total int) { g.show("conform", done, total) })
	g.end()
	if errors.Is(err, conformance.ErrCase) {
		return usagef("%w", err)
	}
	if err != nil {
		return err
	}
	doc := conformJSON{Schema: "tamthe/conform/1", Version: version, Cases: []conformCaseJSON{}}
	played := map[string]bool{}
	for _, r := range results {
		row := conformCaseJSON{r.ID, r.Area, r.Clause, r.Title, r.Wanted, "pass", r.NA, r.Test, r.Note, r.Outcomes}
		switch {
		case len(r.Outcomes) == 0:
			row.Result, row.Outcomes = "n/a", []conformance.Outcome{}
			doc.NotApplicable++
		case r.Pass():
			doc.Passed++
		default:
			row.Result = "fail"
			doc.Failed++
		}
		for _, o := range r.Outcomes {
			if played[o.ID] {
				continue
			}
			played[o.ID] = true
			if o.Expected != verify.Accept.String() {
				doc.Faulty++
				if o.Got.Verdict == verify.Accept.String() {
					doc.Accepted++
				}
			}
		}
		doc.Cases = append(doc.Cases, row)
	}
	doc.Plays = len(played)
	if p.documents {
		err = p.document(doc)
	} else {
		_, err = fmt.Fprint(p.out, doc.text(p, len(cases) > 0))
	}
	if err == nil && doc.Failed > 0 {
		return verdictError(exitRefused)
	}
	return err
}

// text is the matrix, in full if each card is to be listed.
func (d *conformJSON) text(p *program, full bool) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	marks := map[string]phrase{"pass": wordConformPass, "fail": wordConformFail, "n/a": wordConformNA}
	fmt.Fprintln(w, p.text(wordConformHead))
	for _, c := range d.Cases {
		expected, got := c.columns()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.ID, c.Clause, expected, got, p.text(marks[c.Result]))
		for _, o := range c.Outcomes {
			if full || !o.Pass {
				fmt.Fprintf(w, "\t%s\t%s\t%s\t%s\n", o.ID, judgement(o.Expected, o.Reason), judgement(o.Got.Verdict, o.Got.Reasons...), p.text(marks[map[bool]string{true: "pass", false: "fail"}[o.Pass]]))
			}
		}
	}
	_ = w.Flush() // into memory
	for _, c := range d.Cases {
		if full {
			fmt.Fprintf(&b, "\n%s  %s\n", c.ID, c.Case)
			for _, s := range []string{c.Why, c.Test, c.Note} {
				if s != "" {
					fmt.Fprintf(&b, "  → %s\n", s)
				}
			}
			for _, o := range c.Outcomes {
				fmt.Fprintf(&b, "  %s: %s\n", o.ID, o.Played)
			}
		}
	}
	fmt.Fprintf(&b, "\n"+p.text(wordConformSum)+"\n", len(d.Cases), d.Passed, d.Failed, d.NotApplicable, d.Plays, d.Faulty, d.Accepted)
	return b.String()
}

// columns are the verdicts that were expected and that came out, each once.
func (c conformCaseJSON) columns() (expected, got string) {
	var want, have []string
	add := func(list []string, s string) []string {
		for _, old := range list {
			if old == s {
				return list
			}
		}
		return append(list, s)
	}
	for _, o := range c.Outcomes {
		want = add(want, judgement(o.Expected, o.Reason))
		reasons := o.Got.Reasons
		if o.Pass && o.Reason != "" {
			reasons = []verify.Reason{o.Reason}
		} else if o.Got.Verdict == verify.Accept.String() {
			reasons = nil
		}
		have = add(have, judgement(o.Got.Verdict, reasons...))
	}
	return short(want), short(have)
}

// short cuts a list that would not fit its column; --case and --json have the whole.
func short(list []string) string {
	const most = 2
	if len(list) <= most {
		return strings.Join(list, " | ")
	}
	return fmt.Sprintf("%s | +%d", strings.Join(list[:most], " | "), len(list)-most)
}

func judgement(verdict string, reasons ...verify.Reason) string {
	for _, r := range reasons {
		if r != "" {
			verdict += " " + string(r)
		}
	}
	return verdict
}
