package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/outbox"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
)

func newDeskDraft(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "draft",
		Short: "List, show and discard what this desk kept while the ledger was away",
		Long: `Lists, shows and discards the applications that enrol and card replace kept while the
ledger was away. tamthe desk send files them.
`,
		Example: "  tamthe desk draft list",
	}
	cmd.AddCommand(newDeskDraftList(p), newDeskDraftShow(p), newDeskDraftDiscard(p))
	return family(cmd)
}

func newDeskDraftList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the drafts that wait",
		Long: `Lists the drafts that wait, oldest first, without personal data: when each was taken and by
which key, and why it was refused the last time. Neither the ledger nor a key is needed.
`,
		Example: "  tamthe desk draft list",
		Args:    exactly(0),
		RunE:    func(*cobra.Command, []string) error { return runDeskDraftList(p) },
	}
}

func newDeskDraftShow(p *program) *cobra.Command {
	var person bool
	var portrait string
	cmd := &cobra.Command{
		Use:   "show DRAFT",
		Short: "Tell what a draft asks for, or take its person and portrait out",
		Long: `Tells what a draft asks for, without personal data. With --person it prints the person
instead, as enrol reads it, and with --portrait it writes the portrait into a new file: so a
draft that was refused is corrected and enrolled anew, and the old one discarded.
`,
		Example: "  tamthe desk draft show A-7K3QX2MB4D\n  tamthe desk draft show A-7K3QX2MB4D --person --portrait face.jpg > person.json",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeskDraftShow(cmd.Context(), p, args[0], person, portrait)
		},
	}
	cmd.Flags().BoolVar(&person, "person", false, "print the person, as enrol reads it")
	cmd.Flags().StringVar(&portrait, "portrait", "", "write the portrait into this new `FILE`")
	return cmd
}

func newDeskDraftDiscard(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "discard DRAFT",
		Short: "Throw a draft away, for a reason",
		Long: `Throws a draft away and wipes it. Who did it, when and why stays in drafts/discarded of the
home. What an earlier try has filed all the same stays filed: tamthe application show tells.
`,
		Example: "  tamthe desk draft discard A-7K3QX2MB4D --reason withdrawn --operator an",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeskDraftDiscard(cmd.Context(), p, args[0], reason)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`: withdrawn, mistake, duplicate …")
	p.actingFlags(cmd)
	return cmd
}

// keptJSON is a draft as `desk draft list` and `show` tell it.
type keptJSON struct {
	Application string `json:"application"`
	State       string `json:"state"` // waits or refused
	Taken       string `json:"taken,omitempty"`
	Operator    string `json:"operator,omitempty"`
	Code        string `json:"code,omitempty"`
	Message     string `json:"message,omitempty"`
	Tried       string `json:"tried,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Replaces    string `json:"replaces,omitempty"`
}

func draftOf(i outbox.Item) keptJSON {
	d := keptJSON{Application: i.Name, State: draftWaits}
	if i.Err == nil {
		d.Taken, d.Operator = i.Taken.Format(time.RFC3339), fmt.Sprintf("%x", i.Operator)
	} else {
		d.State, d.Code, d.Message = draftRefused, classify(i.Err).Code, oneLine(i.Err.Error())
	}
	if r := i.Refusal; r != nil {
		d.State, d.Code, d.Message, d.Tried = draftRefused, r.Code, r.Message, r.At.Format(time.RFC3339)
	}
	return d
}

func runDeskDraftList(p *program) error {
	list, err := p.drafts(nil)
	if err != nil {
		return err
	}
	rows := []keptJSON{}
	for _, i := range list {
		rows = append(rows, draftOf(i))
	}
	if p.documents {
		return p.document(struct {
			Schema string     `json:"schema"`
			Drafts []keptJSON `json:"drafts"`
		}{"tamthe/desk-draft-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%.16s\t%s\t%s\n", r.Application, r.Taken, r.Operator, p.text(wordsDraft[r.State]), verify.Escape(p.whyRefused(r)))
	}
	return w.Flush()
}

// whyRefused is the reason for which a draft was refused; in Vietnamese its class in front.
func (p *program) whyRefused(r keptJSON) string {
	if w, ok := inVietnamese[r.Code]; ok && p.lang == "vi" {
		return w.what + " (" + r.Message + ")"
	}
	return r.Message
}

func runDeskDraftShow(ctx context.Context, p *program, name string, person bool, portrait string) error {
	list, err := p.drafts([]string{name})
	if err != nil {
		return err
	}
	if err := p.hide(); err != nil {
		return err
	}
	b, err := p.openOutbox(ctx)
	if err != nil {
		return err
	}
	k, err := b.Kept(ctx, name)
	if err != nil {
		return err
	}
	if portrait != "" {
		if err := durable.Export(portrait, k.Portrait, 0o600); err != nil {
			return err
		}
	}
	if person {
		return json.NewEncoder(p.out).Encode(k.Person)
	}
	row := draftOf(list[0])
	row.Reason, row.Replaces = k.Reason, k.Replaces
	return p.printDraft(row)
}

// printDraft tells of one draft, without personal data.
func (p *program) printDraft(row keptJSON) error {
	if p.documents {
		return p.document(struct {
			Schema string `json:"schema"`
			keptJSON
		}{"tamthe/desk-draft-show/1", row})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"draft", row.Application},
		{"state", p.text(wordsDraft[row.State])},
		{"taken", row.Taken},
		{"by", row.Operator},
		{"reason", row.Reason},
		{"replaces", row.Replaces},
		{"refused", p.whyRefused(row)},
		{"tried", row.Tried},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], verify.Escape(line[1]))
		}
	}
	return w.Flush()
}

func runDeskDraftDiscard(ctx context.Context, p *program, name, reason string) error {
	if err := checkWord("--reason", reason); err != nil {
		return err
	}
	list, err := p.drafts([]string{name})
	if err != nil {
		return err
	}
	key, err := p.operator(ctx)
	if err != nil {
		return err
	}
	defer forget(key)
	by, err := issuance.KeyIDOf(key.Public())
	if err != nil {
		return err
	}
	if err := p.box().Discard(list[0], p.now(), by, reason); err != nil {
		return err
	}
	return p.result(struct {
		Schema      string `json:"schema"`
		Application string `json:"application"`
	}{"tamthe/desk-draft-discard/1", name}, name, "")
}
