package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newCancel(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "cancel APP",
		Short: "Withdraw an application, so that the person can apply again",
		Long: `Withdraws an application that was opened by mistake or is not wanted any more. The
person can then apply again. While a card is in the making for it, give that up first with
tamthe card revoke.
`,
		Example: "  tamthe cancel A-7K3QX2MB4D --reason mistake --operator an",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCancel(cmd.Context(), p, args[0], reason) },
	}
	cmd.Flags().StringVar(&reason, "reason", "mistake", "why, one `WORD`: mistake, withdrawn …")
	p.actingFlags(cmd)
	return cmd
}

func runCancel(ctx context.Context, p *program, app, reason string) error {
	if err := checkWord("--reason", reason); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.Cancel(ctx, app, reason); err != nil {
		return err
	}
	return p.result(struct {
		Schema      string `json:"schema"`
		Application string `json:"application"`
	}{"tamthe/cancel/1", app}, app, "")
}
