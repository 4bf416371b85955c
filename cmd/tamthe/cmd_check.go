package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/verify"
)

type checkOptions struct {
	mrz, qr  string
	body     string
	ocr      string
	scans    []string
	sample   int
	terminal string
	final    bool
}

func newCheck(p *program) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check CARD",
		Short: "Examine a finished card before it is handed out",
		Long: `Examines the finished card in the reader by ten checks and, if it passes, records that.
Whoever personalised it cannot check it. The chip is opened with what stands on the card's
body, if that was read: typed into --mrz-file and --qr-file, or read by a program. --ocr runs
PROGRAM without a shell, with each --scan as an argument; it prints a JSON object, which
--body takes from a file:

  {"front": {"fields": {"number": "…"}, "qr": "…", "portrait": "base64 of JPEG or PNG"},
   "back": {"mrz": "…\n…\n…"}}

A card whose body was printed by "tamthe print" passes only with a whole reading.
`,
		Example: "  tamthe check C-1M5V0QXW3Z --operator binh\n" +
			"  tamthe check C-1M5V0QXW3Z --ocr read-card --scan front.png --scan back.png --operator binh",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runCheck(cmd.Context(), p, args[0], o) },
	}
	cmd.Flags().StringVar(&o.mrz, "mrz-file", "", "`FILE` with the MRZ lines as printed, - for standard input")
	cmd.Flags().StringVar(&o.qr, "qr-file", "", "`FILE` with the text of the QR code as printed, - for standard input")
	cmd.Flags().StringVar(&o.body, "body", "", "`FILE` with the reading of both sides as JSON, - for standard input")
	cmd.Flags().StringVar(&o.ocr, "ocr", "", "`PROGRAM` that reads both sides")
	cmd.Flags().StringArrayVar(&o.scans, "scan", nil, "`FILE` that is given to the program of --ocr; may be repeated")
	cmd.Flags().IntVar(&o.sample, "sample", 0, "one card of `N` goes through the long suite; 0 is 16, 1 every card")
	cmd.Flags().StringVar(&o.terminal, "terminal", "", "`FOLDER` with the key and certificates of a terminal that may read fingers (tamthe pki terminal)")
	cmd.Flags().BoolVar(&o.final, "final", false, "record a card that does not pass as failed: then it can only be spoiled")
	p.actingFlags(cmd)
	return cmd
}

func runCheck(ctx context.Context, p *program, id string, o checkOptions) error {
	e := desk.Examination{Sample: o.sample, Final: o.final}
	var err error
	if e.Verify, err = p.qaOptions(); err != nil {
		return err
	}
	if o.terminal != "" {
		if e.Verify.Terminal, err = openTerminal(o.terminal); err != nil {
			return err
		}
	}
	if e.Body, e.Partial, err = o.reading(ctx, p); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return err
	}
	defer r.close()
	q, err := office.Check(ctx, id, r, e)
	if _, failed := errors.AsType[*desk.QualityError](err); err != nil && !failed {
		return err
	}
	if q.Report == nil && errors.Is(err, auth.ErrWrongPassword) {
		return hintBoth(err, wordNotThatCard, id)
	}
	return p.examined(id, q)
}

// reading is what was read from the card's body, and whether it is only a part of it.
func (o checkOptions) reading(ctx context.Context, p *program) (*printjob.Reading, bool, error) {
	typed := o.mrz != "" || o.qr != ""
	switch {
	case o.body != "" && (o.ocr != "" || typed), o.ocr != "" && typed:
		return nil, false, usagef("--body, --ocr, and --mrz-file with --qr-file: one of them")
	case (o.ocr == "") != (len(o.scans) == 0):
		return nil, false, usageBoth(wordOcrScan)
	case o.body != "":
		b, err := p.input(o.body, printjob.MaxReading)
		if err != nil {
			return nil, false, err
		}
		return bodyOf(b)
	case o.ocr != "":
		b, err := readBody(ctx, o.ocr, o.scans)
		if err != nil {
			return nil, false, err
		}
		return bodyOf(b)
	case !typed:
		return nil, false, nil
	}
	return o.typed(p)
}

func bodyOf(b []byte) (*printjob.Reading, bool, error) {
	r, err := printjob.ParseReading(b)
	if err != nil {
		return nil, false, usageError{err}
	}
	return &r, false, nil
}

// typed is what a person has typed from the card.
func (o checkOptions) typed(p *program) (*printjob.Reading, bool, error) {
	var r printjob.Reading
	var err error
	if o.mrz != "" {
		if r.Back.MRZ, err = p.secretFile(o.mrz); err != nil {
			return nil, false, err
		}
		if _, err := r.MRZ(); err != nil {
			return nil, false, usageError{err}
		}
	}
	if o.qr != "" {
		if r.Front.QR, err = p.secretFile(o.qr); err != nil {
			return nil, false, err
		}
		r.Back.QR = r.Front.QR
	}
	return &r, true, nil
}

type (
	checkDocument struct {
		Schema     string          `json:"schema"`
		Card       string          `json:"card"`
		Passed     bool            `json:"passed"`
		Reason     string          `json:"reason"` // of the first check that fails, "" if passed
		Checks     []qualityLine   `json:"checks"`
		Inspection json.RawMessage `json:"inspection"` // a document of verify, or null
	}
	qualityLine struct {
		Number  int    `json:"number"`
		Check   string `json:"check"`
		Outcome string `json:"outcome"`
		Detail  string `json:"detail"`
	}
)

// examined prints what an examination found and makes it the exit status.
func (p *program) examined(id string, q *desk.Quality) error {
	if err := p.quality(id, q); err != nil {
		return err
	}
	if q.Passed() {
		return nil
	}
	return verdictError(exitRefused)
}

func (p *program) quality(id string, q *desk.Quality) error {
	if p.json {
		doc := checkDocument{Schema: "tamthe/check/1", Card: id, Passed: q.Passed(), Reason: q.Reason(), Inspection: []byte("null")}
		for _, c := range q.Checks {
			doc.Checks = append(doc.Checks, qualityLine{c.Number, c.Code, c.Outcome.String(), c.Detail})
		}
		if q.Report != nil {
			b, err := q.Report.JSON()
			if err != nil {
				return err
			}
			doc.Inspection = b
		}
		b, err := json.MarshalIndent(doc, "", "  ")
		if err != nil {
			return err
		}
		_, err = p.out.Write(append(b, '\n'))
		return err
	}
	if q.Report != nil {
		if err := p.report(q.Report, verify.RenderOptions{}); err != nil {
			return err
		}
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, c := range q.Checks {
		detail, _ := desk.DetailText(c.Detail, p.lang)
		fmt.Fprintf(w, "%2d  %s\t%s\t%s\n", c.Number, p.text(wordQuality[c.Code]), p.text(wordOutcomes[c.Outcome]), detail)
	}
	return w.Flush()
}
