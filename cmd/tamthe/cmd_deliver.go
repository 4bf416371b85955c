package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
)

func newDeliver(p *program) *cobra.Command {
	var h desk.Handover
	cmd := &cobra.Command{
		Use:   "deliver CARD",
		Short: "Record that the card is in its holder's hand",
		Long: `Records that the card is in its holder's hand; it is in force from then on. The card
that it replaces is superseded at the same moment, and is taken back: say so if its holder
cannot give it back. Who takes a card for another, as parents do for a child under 14, is
let in by two clerks.
`,
		Example: "  tamthe deliver C-1M5V0QXW3Z --operator binh",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDeliver(cmd.Context(), p, args[0], h) },
	}
	cmd.Flags().BoolVar(&h.Proxy, "proxy", false, "somebody takes it for the holder; a second clerk signs too")
	cmd.Flags().BoolVar(&h.OldLost, "old-lost", false, "the card that it replaces cannot be taken back")
	p.pairFlags(cmd)
	return cmd
}

func runDeliver(ctx context.Context, p *program, id string, h desk.Handover) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := office.Deliver(ctx, id, h); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Card   string `json:"card"`
	}{"tamthe/deliver/1", id}, id, "")
}
