package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify"
)

func newDoctor(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find out why cards cannot be read here",
		Long: `Looks at the PC/SC service, the readers, the cards in them, and at the ledger and the
trust folder of this home, and says what is wrong and what to do about it. The exit status
is that of the first problem.
`,
		Example: "  tamthe doctor",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDoctor(cmd.Context(), p, pcsc.Diagnose(cmd.Context()))
		},
	}
}

// doctorJSON is what `doctor --json` tells.
type doctorJSON struct {
	Schema   string          `json:"schema"`
	Service  bool            `json:"service"` // PC/SC answers
	Library  string          `json:"library"`
	Readers  []readerJSON    `json:"readers"`
	Home     string          `json:"home"`
	Ledger   ledgerStateJSON `json:"ledger"`
	Trust    trustStateJSON  `json:"trust"`
	CRL      string          `json:"crl,omitempty"` // as in `pki status`, where there is an authority
	Problems []failure       `json:"problems"`
}

type ledgerStateJSON struct {
	Path string `json:"path"`
	Here bool   `json:"here"`
	Acts int64  `json:"acts"`
}

type trustStateJSON struct {
	Folder  string `json:"folder"`
	Anchors int    `json:"anchors"`
	CRLs    int    `json:"crls"`
	Skipped int    `json:"skipped"`
}

// runDoctor prints a diagnosis. What is wrong is its result, so that it stands on standard
// output; only the exit status is an error's.
func runDoctor(ctx context.Context, p *program, d pcsc.Diagnosis) error {
	doc := doctorJSON{Schema: "tamthe/doctor/1", Home: string(p.home), Readers: []readerJSON{}, Problems: []failure{}}
	doc.pcsc(d)
	doc.ledger(ctx, p)
	doc.trust(p)
	var err error
	if p.documents {
		err = p.document(doc)
	} else {
		err = doc.print(p)
	}
	if err == nil && len(doc.Problems) > 0 {
		return verdictError(doc.Problems[0].Exit)
	}
	return err
}

func (d *doctorJSON) problem(err error) { d.Problems = append(d.Problems, classify(err)) }

func (d *doctorJSON) pcsc(found pcsc.Diagnosis) {
	d.Service, d.Library = found.Service == nil, found.Library
	switch {
	case found.Service != nil:
		d.problem(found.Service)
	case len(found.Readers) == 0:
		d.problem(hint(pcsc.ErrNoReader, "plug in a reader; most need the driver package libccid"))
	}
	for _, r := range found.Readers {
		row := readerRow(r.Reader)
		row.Protocol, row.MaxAPDU = string(r.Protocol), r.MaxCommand
		row.Driver, row.MaxRate, row.CardRate = r.Driver, r.MaxRate, r.CardRate
		if r.Card {
			row.Extended = r.Extended.String()
		}
		if r.Error != nil {
			row.Error = r.Error.Error()
			d.problem(fmt.Errorf("%s: %w", r.Name, r.Error))
		}
		d.Readers = append(d.Readers, row)
	}
}

func (d *doctorJSON) ledger(ctx context.Context, p *program) {
	d.Ledger.Path = p.ledgerPlace().String()
	office, err := p.openOffice(ctx, looking)
	if errors.Is(err, ledger.ErrMissing) && p.ledger == (place{}) {
		return // a checkpoint needs none
	}
	if err != nil {
		d.problem(err)
		return
	}
	defer office.done()
	d.Ledger.Here = true
	c, err := office.ledger.Checkpoint(ctx)
	if err != nil {
		d.problem(hint(err, "`tamthe ledger verify` names the place"))
		return
	}
	d.Ledger.Acts = c.Size
	s, err := office.PKIStatus(ctx)
	if err != nil {
		d.problem(err)
		return
	}
	if len(s.CSCA) == 0 {
		return
	}
	if d.CRL = s.CRL.State; s.CRL.Alarm() {
		d.problem(fmt.Errorf("%w: %s", errCRLAlarm, s.CRL.State))
	}
}

// errCRLAlarm says that the next revocation list is due.
var errCRLAlarm = errors.New("the authority's revocation list")

func (d *doctorJSON) trust(p *program) {
	d.Trust.Folder = p.home.path(trustDir)
	s, err := p.trust("")
	if err != nil {
		d.problem(err)
		return
	}
	d.Trust.Anchors, d.Trust.CRLs, d.Trust.Skipped = len(s.Anchors()), len(s.CRLs()), len(s.Skipped())
}

func (d *doctorJSON) print(p *program) error {
	var b strings.Builder
	line := func(what, format string, a ...any) { fmt.Fprintf(&b, "%-8s  %s\n", what, fmt.Sprintf(format, a...)) }
	if d.Service {
		line("PC/SC", "answers  %s", d.Library)
	}
	for _, r := range d.Readers {
		line("reader", "%s: %s", verify.Escape(r.Name), readerLine(r))
		if r.Card && r.Protocol != "" {
			line("", "%s", verify.Escape(r.able()))
		}
	}
	line("home", "%s", d.Home)
	if d.Ledger.Here {
		line("ledger", "%s, %d acts", d.Ledger.Path, d.Ledger.Acts)
	}
	if d.CRL != "" {
		line("crl", "%s", d.CRL)
	}
	line("trust", "%s: %d anchors, %d revocation lists, %d files of no use", d.Trust.Folder, d.Trust.Anchors, d.Trust.CRLs, d.Trust.Skipped)
	if d.Trust.Anchors == 0 {
		line("", "without an anchor every card is referred")
	}
	for _, f := range d.Problems {
		if p.lang == "vi" {
			f = f.vietnamese()
		}
		line("PROBLEM", "%s", verify.Escape(f.Message))
		if f.Hint != "" {
			line("", "→ %s", verify.Escape(f.Hint))
		}
	}
	_, err := fmt.Fprint(p.out, b.String())
	return err
}

func readerLine(r readerJSON) string {
	switch {
	case r.Mute || r.Error != "":
		return "a card that cannot be opened"
	case r.Busy:
		return "a card in use"
	case !r.Card:
		return "empty"
	}
	text := "card, " + r.Protocol + ", ATR " + r.ATR
	if r.Extended != "" {
		text += ", extended length: " + r.Extended
	}
	return text
}

// able says what the reader and its driver can do, as far as they tell.
func (r readerJSON) able() string {
	told := func(ok bool, format string, a ...any) string {
		if !ok {
			return "not told"
		}
		return fmt.Sprintf(format, a...)
	}
	return "driver: " + told(r.Driver != "", "%s", r.Driver) +
		", longest command: " + told(r.MaxAPDU > 0, "%d octets", r.MaxAPDU) +
		", bit rate of the reader: " + told(r.MaxRate > 0, "up to %d bit/s", r.MaxRate) +
		", of the card: " + told(r.CardRate > 0, "up to %d bit/s", r.CardRate)
}
