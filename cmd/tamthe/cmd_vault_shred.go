package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newVaultShred(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "shred APP|CARD",
		Short: "Make a person's data unreadable for good",
		Long: `Destroys the keys of the personal data of an application that has come to its end, or of
the one that a card was made for. The data are noise from then on, in the ledger and all its
copies; nobody can have them back. Two custodians do it. The reason is retention (the time to
keep them is over), request (of the person) or order (of a court or authority).
`,
		Example: "  tamthe vault shred C-1M5V0QXW3Z --reason retention --operator an --second binh",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runVaultShred(cmd.Context(), p, args[0], reason) },
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`WORD` that says why: retention, request or order")
	p.pairFlags(cmd)
	return cmd
}

func runVaultShred(ctx context.Context, p *program, id, reason string) error {
	o, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer o.done()
	if err := o.Shred(ctx, id, reason); err != nil {
		return err
	}
	p.say("what %s was about is unreadable now; copies of subjects.db made before expire with `tamthe vault rotate`", id)
	return p.result(vaultJSON{"tamthe/vault-shred/1", o.subjects.KEK(), 2}, id, "")
}
