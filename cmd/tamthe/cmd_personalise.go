package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// statusList is the list that the cards of a SPECIMEN authority name.
const statusList = "urn:tamthe:status:1"

type personaliseOptions struct {
	bacOnly, noAA, imports, testCard bool
	driver                           string
	blank                            string
}

// personaliseJSON is the document of `personalise --json`.
type personaliseJSON struct {
	Schema  string `json:"schema"`
	Card    string `json:"card"`
	Scripts int    `json:"scripts,omitempty"` // that a centre sent to the chip
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
`,
		Example: "  tamthe personalise A-7K3QX2MB4D --operator an",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runPersonalise(cmd.Context(), p, args[0], o) },
	}
	cmd.Flags().StringVar(&o.blank, "blank", "", "the blank card that is in the reader, as `BATCH:NUMBER` (else the next one in stock)")
	cmd.Flags().BoolVar(&o.bacOnly, "bac-only", false, "leave PACE out, for readers that know only BAC")
	cmd.Flags().BoolVar(&o.noAA, "no-aa", false, "leave Active Authentication out: the chip proves itself by Chip Authentication")
	cmd.Flags().StringVar(&o.driver, "driver", "", "`NAME` of the card's operating system: "+strings.Join(perso.Drivers(), ", ")+" (else "+perso.Default+")")
	cmd.Flags().BoolVar(&o.imports, "import-keys", false, "make the chip's key pairs here and put them onto the chip; the ledger says so for good")
	cmd.Flags().BoolVar(&o.testCard, "test-card", false, "this is a test card: allow a driver that sends keys in the clear")
	p.actingFlags(cmd)
	return cmd
}

func runPersonalise(ctx context.Context, p *program, app string, o personaliseOptions) error {
	driver, err := o.check()
	if err == nil {
		err = p.notApartTooLong()
	}
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.MayPersonalise(ctx, app); err != nil {
		return err // before anybody is asked for a reader or a chip
	}
	if driver.TestOnly {
		p.say("driver %s is for test cards: keys cross the reader in the clear", driver.Name)
	}
	plan := desk.Personalisation{BACOnly: o.bacOnly, NoAA: o.noAA, Driver: o.driver, Import: o.imports, TestCard: o.testCard}
	if err := p.making(ctx, office, &plan); err != nil {
		return err
	}
	plan.Verify, err = p.qaOptions()
	if err != nil {
		return err
	}
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return err
	}
	defer r.close()
	if plan.Blank, err = office.blank(o.blank); err != nil {
		return err
	}
	if driver.Extended { // else nobody says what a blank chip takes
		plan.Limits = r.limits
	}
	progress := p.progress()
	plan.Progress = func(s perso.Progress) { progress.show(string(s.Act), s.Done, s.Total) }
	card, err := office.Personalise(ctx, app, r, plan)
	progress.end()
	if err != nil {
		return resumable(ctx, office, app, card, err)
	}
	done := personaliseJSON{Schema: "tamthe/personalise/1", Card: card}
	if plan.Centre != nil {
		done.Scripts = plan.Centre.Scripts
	}
	return p.result(done, card, card)
}

// check refuses what no run could make.
func (o personaliseOptions) check() (*perso.Driver, error) {
	d, err := perso.DriverByName(o.driver)
	switch {
	case err != nil:
		return nil, usagef("--driver %s: one of %s", o.driver, strings.Join(perso.Drivers(), ", "))
	case d.TestOnly && !o.testCard:
		return nil, usagef("driver %s sends keys in the clear: it makes test cards only, with --test-card", d.Name)
	case d.CA == perso.ByImport && !o.imports:
		return nil, usagef("driver %s makes no keys on the chip: --import-keys", d.Name)
	case d.BAC && !o.bacOnly:
		return nil, usagef("driver %s makes cards for BAC only: --bac-only", d.Name)
	case d.AA == perso.NoKey && !o.noAA:
		return nil, usagef("driver %s makes no Active Authentication: --no-aa", d.Name)
	}
	return d, nil
}

// supplied are the keys of blanks that came with a transport key: that key in all three
// places, whatever version the supplier gave it.
func (p *program) supplied(ctx context.Context, name string) ([]gp.Keys, error) {
	if name == "" {
		p.say("%s", p.text(wordTestKeys))
		return []gp.Keys{gp.TransportKeys()}, nil
	}
	key, err := p.transportKey(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("transport key %s: %w", name, err)
	}
	defer key.Destroy()
	return []gp.Keys{threefold(key.Bytes())}, nil
}

// threefold is the key set of a supplier who gives one key.
func threefold(key []byte) gp.Keys {
	return gp.Keys{Version: gp.TransportKeys().Version, Enc: key, MAC: key, DEK: key}.Clone()
}

// blank reads which blank card was named, if any.
func (o *office) blank(name string) (desk.Blank, error) {
	if name == "" {
		return desk.Blank{}, nil
	}
	batch, number, _ := strings.Cut(name, ":")
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return desk.Blank{}, usagef("--blank is BATCH:NUMBER, not %q", name)
	}
	return desk.Blank{Batch: batch, Number: n, At: o.Place}, nil
}

// resumable adds how to go on with a card that was begun. Where the chip itself is at
// fault, what the error means says more.
func resumable(ctx context.Context, office *office, app, card string, err error) error {
	cut := errors.Is(err, context.Canceled)
	for _, e := range []error{apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout, apdu.ErrAbandoned} {
		cut = cut || errors.Is(err, e)
	}
	if !cut || card == "" {
		return err
	}
	if _, missing := office.Card(context.WithoutCancel(ctx), card); missing != nil {
		return err // nothing is recorded: any chip will do
	}
	return hintError{
		err:  fmt.Errorf("card %s: %w", card, err),
		hint: fmt.Sprintf("put the same chip back and run `tamthe personalise %s` again: it goes on where it stopped", app),
		vi:   fmt.Sprintf("đặt lại đúng con chip ấy và chạy lại `tamthe personalise %s`: lệnh sẽ làm tiếp từ chỗ dừng", app),
	}
}

// qaOptions say whom the desk trusts when it looks at its own cards: its own trust folder,
// in which the SPECIMEN authority is at home.
func (p *program) qaOptions() (verify.Options, error) {
	trust, err := p.trust(p.home.path(trustDir))
	return verify.Options{Trust: trust, Specimen: true}, err
}
