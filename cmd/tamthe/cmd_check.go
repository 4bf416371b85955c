package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
)

type checkOptions struct{ printed string }

func newCheck(p *program) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check CARD",
		Short: "Inspect a finished card before it is handed out",
		Long: `Inspects the finished card in the reader as a stranger would, prints the report and
records it. Whoever personalised it cannot check it. --mrz-file gives the MRZ as it was read
from the printed card, to be compared with the chip.
`,
		Example: "  tamthe check C-1M5V0QXW3Z --operator binh\n  tamthe check C-1M5V0QXW3Z --mrz-file printed.txt --operator binh",
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
		text, err := p.secretFile(o.printed)
		if err != nil {
			return err
		}
		if qa.Printed, err = mrz.Parse(text); err != nil {
			return usageError{err}
		}
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
	report, err := office.Check(ctx, id, apdu.Over(r, apdu.Limits{}), qa)
	if errors.Is(err, auth.ErrWrongPassword) {
		return hint(err, "what is printed on card %s does not open the chip in the reader: is it another card?", id)
	}
	if _, refused := errors.AsType[*desk.RefusedError](err); err != nil && !refused {
		return err
	}
	return p.judged(report, verify.RenderOptions{})
}
