package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/verify"
)

// readerJSON is a reader of `readers --json` and `doctor --json`.
type readerJSON struct {
	Name     string `json:"name"`
	Card     bool   `json:"card"`
	Busy     bool   `json:"busy"`
	Mute     bool   `json:"mute"`
	ATR      string `json:"atr"`
	Protocol string `json:"protocol,omitempty"`
	Extended string `json:"extended,omitempty"`
	MaxAPDU  int    `json:"max_command,omitempty"`
	Driver   string `json:"driver,omitempty"`
	MaxRate  int    `json:"max_rate,omitempty"`  // of the reader, bit/s
	CardRate int    `json:"card_rate,omitempty"` // that the card offers, bit/s
	Error    string `json:"error,omitempty"`
}

func readerRow(r pcsc.Reader) readerJSON {
	return readerJSON{Name: r.Name, Card: r.Card, Busy: r.Busy, Mute: r.Mute, ATR: hex.EncodeToString(r.ATR)}
}

func newReaders(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "readers",
		Short:   "List the card readers",
		Long:    "Lists the PC/SC readers, whether there is a card, and its answer to reset.\n",
		Example: "  tamthe readers",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runReaders(cmd.Context(), p) },
	}
}

func runReaders(ctx context.Context, p *program) error {
	list, err := pcsc.Readers(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return pcsc.ErrNoReader
	}
	return p.listReaders(list)
}

func (p *program) listReaders(list []pcsc.Reader) error {
	if p.documents {
		rows := []readerJSON{}
		for _, r := range list {
			rows = append(rows, readerRow(r))
		}
		return p.document(struct {
			Schema  string       `json:"schema"`
			Readers []readerJSON `json:"readers"`
		}{"tamthe/readers/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", verify.Escape(r.Name), readerState(r), hex.EncodeToString(r.ATR))
	}
	return w.Flush()
}

func readerState(r pcsc.Reader) string {
	switch {
	case r.Mute:
		return "card does not answer"
	case r.Busy:
		return "card in use"
	case r.Card:
		return "card"
	}
	return "empty"
}
