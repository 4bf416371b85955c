package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence/slip"
)

func newVerify(p *program) *cobra.Command {
	var o verifyOptions
	var keep evidenceOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify the card in the reader",
		Long: `Opens the card in the reader with its CAN or MRZ, reads it, checks the State's
signature, the chip's own key, revocation and dates, and says whether it is genuine: accept
(exit status 0), refuse (3) or refer to a second look (4).

It keeps no file of the card and no picture. With --evidence it writes a bundle of what the
verdict rests on, sealed by this device, which judge judges again. Each inspection is
appended to the record of the home, without names; where it cannot be, standard error says
so, and the verdict and the exit status stay. --slip, or every = true under [slip] of
config.toml, makes a slip for the citizen.
`,
		Example: "  tamthe verify --can-file can.txt\n  tamthe verify --mrz-file - --trust /etc/tamthe/trust --json\n  tamthe verify --can-file can.txt --evidence VA-17.evidence --case VA-17 --recipients court.txt",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), p, o, keep) },
	}
	o.openFlags(cmd)
	o.judgeFlags(cmd, "checkpoint")
	o.bearerFlags(cmd)
	o.pageFlag(cmd)
	cmd.Flags().StringVar(&o.save, "save", "", "also write the files of the chip into this empty or new `FOLDER`")
	keep.flags(p, cmd)
	return cmd
}

func runVerify(ctx context.Context, p *program, o verifyOptions, keep evidenceOptions) error {
	if err := o.pageFree(); err != nil {
		return err
	}
	opts, err := o.options(p, "checkpoint")
	if err != nil {
		return err
	}
	kept, err := keep.prepare(p)
	if err != nil {
		return err
	}
	opts.Challenge = kept.context.Challenge()
	report, elapsed, err := o.inspectWith(ctx, p, opts, o.save)
	if report != nil {
		err = errors.Join(err, kept.keep(p, "verify", report, o.kept()...))
	}
	if err != nil {
		return err
	}
	if err := o.page(ctx, p, report); err != nil {
		return err
	}
	return p.judged(report, verify.RenderOptions{All: o.all, Elapsed: elapsed})
}

// kept is what verify leaves of a card, as a citizen is told.
func (o verifyOptions) kept() (list []string) {
	if o.save != "" {
		list = append(list, slip.KeptFiles)
	}
	if o.html != "" {
		list = append(list, slip.KeptPage)
	}
	return list
}
