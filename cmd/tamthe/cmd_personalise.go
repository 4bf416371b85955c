package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// statusList is the list that the cards of a SPECIMEN authority name.
const statusList = "urn:tamthe:status:1"

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
`,
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
	if err := p.notApartTooLong(); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
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
	card, err := office.Personalise(ctx, app, r, desk.Personalisation{
		Transport: []gp.Keys{gp.TransportKeys()}, Master: master.Bytes(), BACOnly: o.bacOnly, NoAA: o.noAA, Status: statusList,
		Verify: qa, Progress: func(s perso.Progress) { progress.show(string(s.Act), s.Done, s.Total) },
	})
	progress.end()
	if err != nil {
		return resumable(ctx, office, app, card, err)
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Card   string `json:"card"`
	}{"tamthe/personalise/1", card}, card, card)
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
