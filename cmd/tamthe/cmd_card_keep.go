package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

// The verbs for a card between its making and its end.

func newCardSuspend(p *program) *cobra.Command {
	return p.cardVerb("suspend", "Hold a card back for a time",
		"Holds a card back for a time: detention, prison, reformatory, treatment, or reported, of a\nloss that is not certain yet. A checkpoint then says so.\n",
		func(ctx context.Context, o *office, id, reason string) error { return o.Suspend(ctx, id, reason) })
}

func newCardResume(p *program) *cobra.Command {
	return p.cardVerb("resume", "Put a card that was held back in force again",
		"Puts a card that was held back in force again: released, found or mistake.\n",
		func(ctx context.Context, o *office, id, reason string) error { return o.Resume(ctx, id, reason) })
}

// cardVerb is a verb that does something to one card for a reason.
func (p *program) cardVerb(name, short, long string, act func(ctx context.Context, o *office, id, reason string) error) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: name + " CARD", Short: short, Long: long,
		Example: "  tamthe card " + name + " C-1M5V0QXW3Z --reason " + map[string]string{"suspend": "detention", "resume": "released"}[name] + " --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onCard(cmd.Context(), "tamthe/card-"+name+"/1", args[0], func(o *office) error {
				return act(cmd.Context(), o, args[0], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`")
	p.actingFlags(cmd)
	return cmd
}

func newCardReturn(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "return CARD",
		Short:   "Record that a card out of force was taken back",
		Long:    "Records that a card which was revoked or replaced was taken back.\n",
		Example: "  tamthe card return C-1M5V0QXW3Z --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onCard(cmd.Context(), "tamthe/card-return/1", args[0], func(o *office) error {
				return o.Return(cmd.Context(), args[0])
			})
		},
	}
	p.actingFlags(cmd)
	return cmd
}

func newCardDestroy(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "destroy CARD",
		Short:   "Record that a card was cut up, by two",
		Long:    "Records that a card was cut up: one that was spoiled, or is in force no more. Two stock\nkeepers sign.\n",
		Example: "  tamthe card destroy C-1M5V0QXW3Z --operator dung --second em",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onCard(cmd.Context(), "tamthe/card-destroy/1", args[0], func(o *office) error {
				return o.Destroy(cmd.Context(), args[0])
			})
		},
	}
	p.pairFlags(cmd)
	return cmd
}

// onCard does one act on a card.
func (p *program) onCard(ctx context.Context, schema, id string, act func(*office) error) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := act(office); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Card   string `json:"card"`
	}{schema, id}, id, "")
}

func newCardSend(p *program) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:     "send CARD...",
		Short:   "Send checked cards to where they are handed over; prints the shipment",
		Long:    "Records that checked cards are on their way to a place, all in one shipment, and prints its\nname.\n",
		Example: "  tamthe card send C-1M5V0QXW3Z C-8D2KQ1RT0B --to ward-2 --operator binh",
		Args:    atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkWord("--to", to); err != nil {
				return err
			}
			office, err := p.openOffice(cmd.Context(), acting)
			if err != nil {
				return err
			}
			defer office.done()
			shipment, err := office.Send(cmd.Context(), to, args...)
			if err != nil {
				return err
			}
			return p.result(struct {
				Schema   string   `json:"schema"`
				Shipment string   `json:"shipment"`
				Cards    []string `json:"cards"`
			}{"tamthe/card-send/1", shipment, args}, shipment, shipment)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "one `WORD` for the place")
	p.actingFlags(cmd)
	return cmd
}

func newCardReceive(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "receive SHIPMENT CARD...",
		Short: "Take in a shipment; prints the cards that are missing",
		Long: `Records which cards of a shipment have arrived, and prints those that have not. Whoever sent
them cannot.
`,
		Example: "  tamthe card receive s-7k3qx2mb4d C-1M5V0QXW3Z --operator chi",
		Args:    atLeast(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			office, err := p.openOffice(cmd.Context(), acting)
			if err != nil {
				return err
			}
			defer office.done()
			missing, err := office.Receive(cmd.Context(), args[0], args[1:]...)
			if err != nil {
				return err
			}
			return p.result(struct {
				Schema   string   `json:"schema"`
				Shipment string   `json:"shipment"`
				Missing  []string `json:"missing"`
			}{"tamthe/card-receive/1", args[0], append([]string{}, missing...)}, args[0], strings.Join(missing, "\n"))
		},
	}
	p.actingFlags(cmd)
	return cmd
}
