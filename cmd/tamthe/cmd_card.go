package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
)

func newCard(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "card", Short: "Show, list, replace and revoke cards"}
	show := &cobra.Command{
		Use: "show CARD", Short: "Tell a card's life", Example: "  tamthe card show C-1M5V0QXW3Z", Args: exactly(1),
		Long: "Tells what the ledger says of a card, without personal data.\n" + exitHelp,
		RunE: func(cmd *cobra.Command, args []string) error { return runCardShow(cmd.Context(), p, args[0]) },
	}
	list := &cobra.Command{
		Use: "list", Short: "List the cards", Example: "  tamthe card list", Args: exactly(0),
		Long: "Lists the cards, oldest first.\n" + exitHelp,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCardList(cmd.Context(), p) },
	}
	var o enrolOptions
	replace := &cobra.Command{
		Use: "replace CARD FILE.json", Short: "Open an application that replaces a card; prints its name", Args: exactly(2),
		Long: `Opens an application for a card that replaces CARD, as enrol does. The old card stays
in force until the new one is delivered, and is superseded at that moment.
` + exitHelp,
		Example: "  tamthe card replace C-1M5V0QXW3Z person.json --portrait face.jpg --reason lost --operator an",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.replaces, o.file = args[0], args[1]
			return runEnrol(cmd.Context(), p, o)
		},
	}
	replace.Flags().StringVar(&o.portrait, "portrait", "", "the portrait, a JPEG `FILE`")
	replace.Flags().StringVar(&o.profile, "profile", "", "profile of the card")
	replace.Flags().StringVar(&o.reason, "reason", "damaged", "why, in small letters: lost, damaged, expired, changed …")
	p.actingFlags(replace)
	var reason string
	revoke := &cobra.Command{
		Use: "revoke CARD", Short: "End a card's life", Example: "  tamthe card revoke C-1M5V0QXW3Z --reason lost --operator binh", Args: exactly(1),
		Long: "Revokes a card for good.\n" + exitHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCardRevoke(cmd.Context(), p, args[0], reason)
		},
	}
	revoke.Flags().StringVar(&reason, "reason", "lost", "why, in small letters: lost, stolen, wrong-data, nationality …")
	p.actingFlags(revoke)
	cmd.AddCommand(show, list, replace, revoke)
	return cmd
}

func runCardRevoke(ctx context.Context, p *program, id, reason string) error {
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	return office.Revoke(ctx, id, reason)
}

type actJSON struct {
	Time     string `json:"time"`
	Act      string `json:"act"`
	Operator string `json:"operator"`
	Reason   string `json:"reason,omitempty"`
}

func runCardShow(ctx context.Context, p *program, id string) error {
	office, done, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer done()
	c, err := office.Card(ctx, id)
	if err != nil {
		return err
	}
	if p.json {
		history := []actJSON{}
		for _, a := range c.History {
			history = append(history, actJSON{a.Time.UTC().Format(time.RFC3339), string(a.Act), a.Operator, a.Reason})
		}
		return json.NewEncoder(p.out).Encode(struct {
			Schema      string    `json:"schema"`
			Card        string    `json:"card"`
			State       string    `json:"state"`
			Application string    `json:"application"`
			CardID      string    `json:"card_id"`
			Signer      string    `json:"signer"`
			Replaces    string    `json:"replaces"`
			Successor   string    `json:"successor"`
			History     []actJSON `json:"history"`
		}{"tamthe/card-show/1", c.ID, string(c.Phase), c.Application, c.CardID, c.Signer, c.Replaces, c.Successor, history})
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

func runCardList(ctx context.Context, p *program) error {
	office, done, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer done()
	list, err := office.Cards(ctx)
	if err != nil {
		return err
	}
	if p.json {
		return json.NewEncoder(p.out).Encode(struct {
			Schema string     `json:"schema"`
			Cards  []cardJSON `json:"cards"`
		}{"tamthe/card-list/1", cardRows(list)})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Stream.ID, c.Phase, c.Since.Local().Format(time.DateTime))
	}
	return w.Flush()
}

type cardJSON struct {
	Card  string `json:"card"`
	State string `json:"state"`
	Since string `json:"since"`
}

func cardRows(list []issuance.Summary) []cardJSON {
	rows := []cardJSON{}
	for _, c := range list {
		rows = append(rows, cardJSON{c.Stream.ID, string(c.Phase), c.Since.UTC().Format(time.RFC3339)})
	}
	return rows
}
