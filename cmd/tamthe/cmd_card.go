package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
)

func newCard(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "card",
		Short:   "Show, list, replace, hold, send and revoke cards",
		Long:    "Shows and lists cards, replaces and revokes them, holds them back, sends them and takes them\nback.\n",
		Example: "  tamthe card list",
	}
	cmd.AddCommand(newCardShow(p), newCardList(p), newCardReplace(p), newCardRevoke(p), newCardSuspend(p), newCardResume(p),
		newCardReturn(p), newCardDestroy(p), newCardSend(p), newCardReceive(p))
	return family(cmd)
}

func newCardShow(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "show CARD",
		Short:   "Tell a card's life",
		Long:    "Tells what the ledger says of a card, without personal data.\n",
		Example: "  tamthe card show C-1M5V0QXW3Z",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCardShow(cmd.Context(), p, args[0]) },
	}
}

func newCardList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the cards",
		Long:    "Lists the cards with their states, oldest first.\n",
		Example: "  tamthe card list",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCardList(cmd.Context(), p) },
	}
}

func newCardReplace(p *program) *cobra.Command {
	var o enrolOptions
	cmd := &cobra.Command{
		Use:   "replace CARD FILE.json",
		Short: "Open an application that replaces a card; prints its name",
		Long: `Opens an application for a card that replaces CARD, as enrol does. The old card stays
in force until the new one is delivered, and is superseded at that moment.
`,
		Example: "  tamthe card replace C-1M5V0QXW3Z person.json --portrait face.jpg --reason lost --operator an",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.replaces, o.file = args[0], args[1]
			return runEnrol(cmd.Context(), p, o)
		},
	}
	o.flags(p, cmd, "damaged")
	return cmd
}

func newCardRevoke(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "revoke CARD",
		Short: "End a card's life",
		Long: `Ends a card's life for good. A card that was delivered is revoked, and a checkpoint
refuses it from then on. One that is still in the making is spoiled: its chip is never used
again, and personalise makes another for the same application.
`,
		Example: "  tamthe card revoke C-1M5V0QXW3Z --reason lost --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCardRevoke(cmd.Context(), p, args[0], reason)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "lost", "why: lost, stolen, damaged, wrong-data …; for a card in the making torn, chip, print …")
	p.actingFlags(cmd)
	return cmd
}

func runCardRevoke(ctx context.Context, p *program, id, reason string) error {
	if err := checkWord("--reason", reason); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	card, err := office.Card(ctx, id)
	if err != nil {
		return err
	}
	state, end := "revoked", office.Revoke
	if slices.Contains(issuance.Possible(issuance.KindCard, card.Phase), issuance.Spoil) { // nobody has it yet
		state, end = "spoiled", office.Spoil
	}
	if err := end(ctx, id, reason); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Card   string `json:"card"`
		State  string `json:"state"`
	}{"tamthe/card-revoke/1", id, state}, id, "")
}

// cardActJSON is one line of a card's history.
type cardActJSON struct {
	Time     string `json:"time"`
	Act      string `json:"act"`
	Operator string `json:"operator"`
	Reason   string `json:"reason,omitempty"`
}

// cardJSON is what `card show --json` tells.
type cardJSON struct {
	Schema      string        `json:"schema"`
	Card        string        `json:"card"`
	State       string        `json:"state"`
	Application string        `json:"application"`
	CardID      string        `json:"card_id"`
	Signer      string        `json:"signer"`
	Replaces    string        `json:"replaces"`
	Successor   string        `json:"successor"`
	History     []cardActJSON `json:"history"`
	Lease       *leaseJSON    `json:"lease,omitempty"`
}

func runCardShow(ctx context.Context, p *program, id string) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	c, err := office.Card(ctx, id)
	if err != nil {
		return err
	}
	if p.documents {
		history := []cardActJSON{}
		for _, a := range c.History {
			history = append(history, cardActJSON{a.Time.UTC().Format(time.RFC3339), string(a.Act), a.Operator, a.Reason})
		}
		return p.document(cardJSON{
			"tamthe/card-show/1", c.ID, string(c.Phase), c.Application, c.CardID, c.Signer, c.Replaces, c.Successor, history, leaseOf(c.Lease),
		})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"card", c.ID},
		{"state", string(c.Phase)},
		{"application", c.Application},
		{"card id", c.CardID},
		{"signer", c.Signer},
		{"replaces", c.Replaces},
		{"replaced by", c.Successor},
		{"worked on by", leaseLine(c.Lease)},
	} {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	for _, a := range c.History {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", a.Time.Local().Format(time.DateTime), a.Act, a.Operator, a.Reason)
	}
	return w.Flush()
}

// cardRowJSON is a card of `card list --json`.
type cardRowJSON struct {
	Card  string `json:"card"`
	State string `json:"state"`
	Since string `json:"since"`
}

func runCardList(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Cards(ctx)
	if err != nil {
		return err
	}
	if p.documents {
		rows := []cardRowJSON{}
		for _, c := range list {
			rows = append(rows, cardRowJSON{c.Stream.ID, string(c.Phase), c.Since.UTC().Format(time.RFC3339)})
		}
		return p.document(struct {
			Schema string        `json:"schema"`
			Cards  []cardRowJSON `json:"cards"`
		}{"tamthe/card-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Stream.ID, c.Phase, c.Since.Local().Format(time.DateTime))
	}
	return w.Flush()
}
