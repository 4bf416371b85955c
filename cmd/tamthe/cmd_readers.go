package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu/pcsc"
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
	Error    string `json:"error,omitempty"`
}

func readerRow(r pcsc.Reader) readerJSON {
	return readerJSON{Name: r.Name, Card: r.Card, Busy: r.Busy, Mute: r.Mute, ATR: hex.EncodeToString(r.ATR)}
}

func newReaders(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "readers",
		Short:   "List the card readers",
		Long:    "Lists the PC/SC readers and what is in them.\n" + exitHelp,
		Example: "  tamthe readers",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := pcsc.Readers(cmd.Context())
			if err != nil {
				return err
			}
			if p.json {
				rows := []readerJSON{}
				for _, r := range list {
					rows = append(rows, readerRow(r))
				}
				return json.NewEncoder(p.out).Encode(struct {
					Schema  string       `json:"schema"`
					Readers []readerJSON `json:"readers"`
				}{"tamthe/readers/1", rows})
			}
			if len(list) == 0 {
				return hint(pcsc.ErrNoReader, "plug in a reader, then run `tamthe doctor`")
			}
			w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
			for _, r := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", printable(r.Name), readerState(r), hex.EncodeToString(r.ATR))
			}
			return w.Flush()
		},
	}
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

func newDoctor(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find out why cards cannot be read here",
		Long: `Looks at the PC/SC service, the readers, the cards in them and tamthe's home, and
says what is wrong and what to do about it.
` + exitHelp,
		Example: "  tamthe doctor",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDoctor(p, pcsc.Diagnose(cmd.Context()))
		},
	}
}

// runDoctor prints a diagnosis; it fails if no card could be read now.
func runDoctor(p *program, d pcsc.Diagnosis) error {
	var rows []readerJSON
	for _, r := range d.Readers {
		row := readerRow(r.Reader)
		row.Protocol, row.Extended, row.MaxAPDU = string(r.Protocol), r.Extended.String(), r.MaxCommand
		if r.Error != nil {
			row.Error = r.Error.Error()
		}
		rows = append(rows, row)
	}
	var trouble error
	switch {
	case d.Service != nil:
		trouble = d.Service
	case len(d.Readers) == 0:
		trouble = hint(pcsc.ErrNoReader, "plug in a reader; contactless readers need a driver such as libccid")
	}
	if p.json {
		if trouble != nil {
			return trouble
		}
		return json.NewEncoder(p.out).Encode(struct {
			Schema  string       `json:"schema"`
			Library string       `json:"library"`
			Readers []readerJSON `json:"readers"`
		}{"tamthe/doctor/1", d.Library, rows})
	}
	if trouble != nil {
		return trouble
	}
	fmt.Fprintf(p.out, "PC/SC service  answers  %s\n", printable(d.Library))
	for _, r := range rows {
		fmt.Fprintf(p.out, "reader         %s\n", printable(r.Name))
		fmt.Fprintf(p.out, "  card         %s\n", strings.TrimSpace(readerLine(r)))
	}
	fmt.Fprintf(p.out, "home           %s\n", p.homeLine())
	return nil
}

func readerLine(r readerJSON) string {
	switch {
	case r.Error != "":
		return printable(r.Error)
	case !r.Card:
		return "none"
	}
	line := r.Protocol + "  ATR " + r.ATR
	if r.Extended != "" {
		line += "  extended length: " + r.Extended
	}
	return line
}
