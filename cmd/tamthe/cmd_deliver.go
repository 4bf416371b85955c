package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newDeliver(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deliver CARD",
		Short: "Record that the card is in its holder's hand",
		Long: `Records that the card is in its holder's hand; it is in force from then on. The card
that it replaces is superseded at the same moment.
`,
		Example: "  tamthe deliver C-1M5V0QXW3Z --operator binh",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDeliver(cmd.Context(), p, args[0]) },
	}
	p.actingFlags(cmd)
	return cmd
}

func runDeliver(ctx context.Context, p *program, id string) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.Deliver(ctx, id); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Card   string `json:"card"`
	}{"tamthe/deliver/1", id}, id, "")
}
