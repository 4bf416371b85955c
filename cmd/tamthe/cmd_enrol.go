package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/durable"
)

type enrolOptions struct {
	file, portrait, fingers, profile, reason, replaces, receipt string
}

func newEnrol(p *program) *cobra.Command {
	var o enrolOptions
	cmd := &cobra.Command{
		Use:   "enrol FILE.json",
		Short: "Open an application; prints its name",
		Long: `Opens an application for the person in FILE.json (- is standard input) and prints its
name, A-… . The keys are number, surname, given, sex (M or F), birth (YYYY, YYYY-MM or
YYYY-MM-DD), nationality, origin, residence, ethnicity, religion, features, father, mother,
spouse and expiry (a date, or null for what the law says). Unknown keys are an error.

The reasons are first; age, name, birth, features, sex, wrong-data, unit, renumbered, request
for a card in place of another; lost, damaged, nationality for one that is issued again.

Where the ledger's database is away, the application is checked, kept in this home, sealed, and
named; it is not filed, and the exit status is 15. tamthe desk send files it later.
`,
		Example: "  tamthe enrol person.json --portrait face.jpg --operator an",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return runEnrol(cmd.Context(), p, o)
		},
	}
	o.flags(p, cmd, "first")
	cmd.Flags().StringVar(&o.replaces, "replaces", "", "the `CARD` that the new one replaces")
	return cmd
}

// flags are those of the verbs that open an application.
func (o *enrolOptions) flags(p *program, cmd *cobra.Command, reason string) {
	cmd.Flags().StringVar(&o.portrait, "portrait", "", "the portrait, a JPEG `FILE`, - for standard input")
	cmd.Flags().StringVar(&o.fingers, "fingers", "", "fingerprints as a whole DG3 (ISO/IEC 19794-4 or 39794-4), a `FILE`; needs a CVCA, see tamthe pki cvca")
	cmd.Flags().StringVar(&o.profile, "profile", "", "profile of the card (else config.toml's, else "+desk.Profile+")")
	cmd.Flags().StringVar(&o.reason, "reason", reason, "why, one `WORD`; see tamthe enrol --help")
	cmd.Flags().StringVar(&o.receipt, "receipt", "", "also write the appointment slip CC02 into this new `FILE`")
	p.actingFlags(cmd)
}

// The bounds of what is read for an application. The desk refuses a portrait far below.
const (
	maxPersonFile   = 1 << 16
	maxPortraitFile = 1 << 24
)

func runEnrol(ctx context.Context, p *program, o enrolOptions) error {
	if err := checkWord("--reason", o.reason); err != nil {
		return err
	}
	n, err := o.enrolment(p)
	if err != nil {
		return err
	}
	n.Application, p.keeps = desk.NewApplication(), true
	defer p.taken()
	office, err := p.openOffice(ctx, acting)
	var app string
	if err == nil {
		defer office.done()
		app, err = office.Enrol(ctx, n)
	}
	if errors.Is(err, ledger.ErrAway) && ctx.Err() == nil { // who breaks off keeps nothing
		return p.keep(ctx, n, err) // by that name: an act of which only the answer was lost is found
	}
	if err != nil {
		return err
	}
	if err := o.slip(ctx, p, office, app); err != nil {
		return err
	}
	return p.result(struct {
		Schema      string `json:"schema"`
		Application string `json:"application"`
	}{"tamthe/enrol/1", app}, app, app)
}

// enrolment reads what the flags name: the person, where there is a file, and pictures.
func (o enrolOptions) enrolment(p *program) (desk.Enrolment, error) {
	if o.portrait == "" {
		return desk.Enrolment{}, usageBoth(wordNoPortrait)
	}
	return o.filled(p, false)
}

// filled is enrolment; where the portrait was filed it is to be put in.
func (o enrolOptions) filled(p *program, filed bool) (n desk.Enrolment, err error) {
	n = desk.Enrolment{Profile: first(o.profile, p.conf.Profile, desk.Profile), Reason: o.reason, Replaces: o.replaces}
	if o.file != "" {
		b, err := p.input(o.file, maxPersonFile)
		if err != nil {
			return n, err
		}
		if n.Person, err = vn.ParsePerson(b); err != nil {
			return n, hintBoth(fmt.Errorf("%s: %w", o.file, err), wordCorrectPerson)
		}
	}
	if !filed {
		if n.Portrait, err = p.input(o.portrait, maxPortraitFile); err != nil {
			return n, err
		}
	}
	if o.fingers != "" {
		if n.Fingers, err = p.input(o.fingers, maxPortraitFile); err != nil {
			return n, err
		}
	}
	_, err = profile.ByName(n.Profile)
	return n, err
}

// slip writes the appointment slip of an application, if one was asked for.
func (o enrolOptions) slip(ctx context.Context, p *program, office *office, app string) error {
	if o.receipt == "" {
		return nil
	}
	text, err := office.Paper(ctx, app, desk.CC02, p.lang)
	if err == nil {
		err = durable.Export(o.receipt, []byte(text), 0o600)
	}
	if err != nil {
		return hintBoth(fmt.Errorf("write the slip: %w", err), wordSlipLost, app)
	}
	return nil
}
