package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// statusList is the list that the cards of a SPECIMEN authority name.
const statusList = "urn:tamthe:status:1"

// defaultProfile is what cards are made of where nothing else is said.
const defaultProfile = "vn-cccd-2021"

type enrolOptions struct {
	file, portrait, profile, reason, replaces string
}

func newEnrol(p *program) *cobra.Command {
	var o enrolOptions
	cmd := &cobra.Command{
		Use:   "enrol FILE.json",
		Short: "Open an application; prints its name",
		Long: `Opens an application for the person in FILE.json (- is standard input) and prints its
name, A-… . The keys are number, surname, given, sex, birth, nationality, origin,
residence, ethnicity, religion, features, father, mother, spouse and expiry.
` + exitHelp,
		Example: "  tamthe enrol person.json --portrait face.jpg --operator an",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return runEnrol(cmd.Context(), p, o)
		},
	}
	cmd.Flags().StringVar(&o.portrait, "portrait", "", "the portrait, a JPEG `FILE`")
	cmd.Flags().StringVar(&o.profile, "profile", "", "profile of the card (else config.toml's, else "+defaultProfile+")")
	cmd.Flags().StringVar(&o.reason, "reason", "first", "why, in small letters: first, lost, damaged, expired, changed …")
	cmd.Flags().StringVar(&o.replaces, "replaces", "", "the `CARD` that the new one replaces")
	p.actingFlags(cmd)
	return cmd
}

// maxPersonFile bounds the file of a person.
const maxPersonFile = 1 << 16

func (p *program) readInput(path string, most int64) ([]byte, error) {
	var r io.Reader = p.in
	if path == "-" {
		if p.stdinTaken {
			return nil, usagef("standard input can be read for one file only")
		}
		p.stdinTaken = true
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is longer than %d octets", path, most)
	}
	return b, err
}

func runEnrol(ctx context.Context, p *program, o enrolOptions) error {
	b, err := p.readInput(o.file, maxPersonFile)
	if err != nil {
		return err
	}
	person, err := vn.ParsePerson(b)
	if err != nil {
		return fmt.Errorf("%s: %w", o.file, err)
	}
	if o.portrait == "" {
		return usagef("--portrait names the portrait")
	}
	portrait, err := p.readInput(o.portrait, desk.MaxPortrait)
	if err != nil {
		return err
	}
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	name := first(o.profile, p.conf.Profile, defaultProfile)
	if _, err := profile.ByName(name); err != nil {
		return err
	}
	app, err := office.Enrol(ctx, desk.Enrolment{Person: person, Portrait: portrait, Profile: name, Reason: o.reason, Replaces: o.replaces})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, app)
	return err
}

func newApprove(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "approve APP",
		Short: "Say that what an application asks for may be made",
		Long: `Signs that exactly what the application asks for may be made: the data of the chip,
what is printed, expiry and reason. Whoever enrolled it cannot approve it.
` + exitHelp,
		Example: "  tamthe approve A-7K3QX2MB4D --operator binh",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runApprove(cmd.Context(), p, args[0]) },
	}
	p.actingFlags(cmd)
	return cmd
}

func runApprove(ctx context.Context, p *program, app string) error {
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	return office.Approve(ctx, app)
}

type personaliseOptions struct {
	bacOnly, noAA bool
}

func newPersonalise(p *program) *cobra.Command {
	var o personaliseOptions
	cmd := &cobra.Command{
		Use:   "personalise APP",
		Short: "Make the card on the chip in the reader, or go on with it; prints its name",
		Long: `Makes the card of an approved application on the blank chip in the reader and prints
its name, C-… . If it was cut short, by a power failure or a card pulled out, run it
again with the same chip: it goes on from where the ledger says it stands, and nothing
is made twice. The new card is then verified as a checkpoint would.
` + exitHelp,
		Example: "  tamthe personalise A-7K3QX2MB4D --operator an",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runPersonalise(cmd.Context(), p, args[0], o) },
	}
	cmd.Flags().BoolVar(&o.bacOnly, "bac-only", false, "leave PACE out, for readers that know only BAC")
	cmd.Flags().BoolVar(&o.noAA, "no-aa", false, "leave Active Authentication out: the chip proves itself by Chip Authentication")
	p.actingFlags(cmd)
	return cmd
}

func runPersonalise(ctx context.Context, p *program, app string, o personaliseOptions) error {
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	master, err := keystore.OpenSecret(p.home.path(keysDir, masterKeyName), keystore.UseCardMaster)
	if err != nil {
		return err
	}
	defer master.Destroy()
	qa, err := p.qaOptions()
	if err != nil {
		return err
	}
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return err
	}
	defer r.close()
	progress := p.progress()
	defer progress.end()
	card, err := office.Personalise(ctx, app, r, desk.Personalisation{
		Transport: []gp.Keys{gp.TransportKeys()}, Master: master.Bytes(), BACOnly: o.bacOnly, NoAA: o.noAA, Status: statusList,
		Verify: qa, Progress: func(s perso.Progress) { progress.show(string(s.Act), s.Done, s.Total) },
	})
	progress.end()
	if err != nil {
		if card != "" && !errors.Is(err, issuance.ErrChanged) {
			p.say("card %s was begun; the same command with the same chip goes on with it", card)
		}
		return err
	}
	_, err = fmt.Fprintln(p.out, card)
	return err
}

// qaOptions are how the desk inspects its own cards: by its own trust folder, in which
// the SPECIMEN authority is at home.
func (p *program) qaOptions() (verify.Options, error) {
	policy, err := verify.PolicyByName("desk-qa")
	if err != nil {
		return verify.Options{}, err
	}
	trust, err := p.trust(p.home.path(trustDir))
	return verify.Options{Trust: trust, Policy: policy, Specimen: true}, err
}

type checkOptions struct{ printed string }

func newCheck(p *program) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check CARD",
		Short: "Inspect a finished card before it is handed out",
		Long: `Inspects the finished card in the reader as a stranger would and records the report.
Whoever personalised it cannot check it. --mrz-file gives the MRZ as it was read from the
printed card, to be compared with the chip.
` + exitHelp,
		Example: "  tamthe check C-1M5V0QXW3Z --operator binh",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCheck(cmd.Context(), p, args[0], o) },
	}
	cmd.Flags().StringVar(&o.printed, "mrz-file", "", "`FILE` with the MRZ lines as printed, - for standard input")
	p.actingFlags(cmd)
	return cmd
}

func runCheck(ctx context.Context, p *program, id string, o checkOptions) error {
	qa, err := p.qaOptions()
	if err != nil {
		return err
	}
	if o.printed != "" {
		text, err := p.readSecretFile(o.printed)
		if err != nil {
			return err
		}
		if qa.Printed, err = mrz.Parse(text); err != nil {
			return err
		}
	}
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return err
	}
	defer r.close()
	report, err := office.Check(ctx, id, apdu.Over(r, apdu.Limits{}), qa)
	if report != nil {
		if err := p.report(report, verify.RenderOptions{}); err != nil {
			return err
		}
	}
	var refused *desk.RefusedError
	if errors.As(err, &refused) {
		return verdictError(verdictStatus(report.Verdict))
	}
	return err
}

func newDeliver(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deliver CARD",
		Short: "Record that the card is in its holder's hand",
		Long: `Records that the card is in its holder's hand; it is in force from then on. The card
that it replaces is superseded at the same moment.
` + exitHelp,
		Example: "  tamthe deliver C-1M5V0QXW3Z --operator binh",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDeliver(cmd.Context(), p, args[0]) },
	}
	p.actingFlags(cmd)
	return cmd
}

func runDeliver(ctx context.Context, p *program, id string) error {
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	return office.Deliver(ctx, id)
}

// progress draws how far a long step has come, on a terminal only.
type progress struct {
	w     io.Writer
	drawn bool
}

func (p *program) progress() *progress {
	if p.json || !p.terminal() {
		return &progress{}
	}
	return &progress{w: p.err}
}

func (g *progress) show(what string, done, total int) {
	if g.w == nil {
		return
	}
	g.drawn = true
	if total == 0 {
		fmt.Fprintf(g.w, "\r\x1b[K%s", what)
		return
	}
	const width = 30
	n := min(width, width*done/total)
	fmt.Fprintf(g.w, "\r\x1b[K%-12s %s%s %d/%d", what, strings.Repeat("█", n), strings.Repeat("░", width-n), done, total)
}

func (g *progress) end() {
	if g.drawn {
		fmt.Fprint(g.w, "\r\x1b[K")
		g.drawn = false
	}
}
