package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
)

func newVerify(p *program) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify the card in the reader",
		Long: `Opens the card in the reader with its CAN or MRZ, reads it, checks the State's
signature, the chip's own key, revocation and dates, and says whether it is genuine: accept
(exit status 0), refuse (3) or refer to a second look (4).
`,
		Example: "  tamthe verify --can-file can.txt\n  tamthe verify --mrz-file - --trust /etc/tamthe/trust --json",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), p, o) },
	}
	o.openFlags(cmd)
	o.judgeFlags(cmd, "checkpoint")
	o.bearerFlags(cmd)
	o.pageFlag(cmd)
	cmd.Flags().StringVar(&o.save, "save", "", "also write the files of the chip into this empty or new `FOLDER`")
	return cmd
}

func runVerify(ctx context.Context, p *program, o verifyOptions) error {
	if err := o.pageFree(); err != nil {
		return err
	}
	report, elapsed, err := o.inspect(ctx, p, "checkpoint", o.save)
	if err != nil {
		return err
	}
	if err := o.page(ctx, p, report); err != nil {
		return err
	}
	return p.judged(report, verify.RenderOptions{All: o.all, Elapsed: elapsed})
}
