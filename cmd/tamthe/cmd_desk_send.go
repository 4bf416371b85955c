package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/outbox"
	"github.com/tamthe/tamthe/verify"
)

func newDeskSend(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "send [DRAFT]...",
		Short: "File what this desk kept while the ledger was away",
		Long: `Files the applications that enrol and card replace kept while the ledger was away, in the
order in which they were taken, or those that are named. Each is filed once, however often this
runs and wherever it was cut short, and is then wiped here. Whoever took one in files it: the act
is signed, and dated, now. What was done elsewhere meanwhile was first.

What the ledger refuses stays, with the reason, and is tried again the next time. Exit status 4
says that something is left. tamthe desk draft lists, shows and discards.
`,
		Example: "  tamthe desk send --operator an",
		RunE:    func(cmd *cobra.Command, args []string) error { return runDeskSend(cmd.Context(), p, args) },
	}
	p.actingFlags(cmd)
	return cmd
}

// sentJSON is what became of a draft.
type sentJSON struct {
	Application string `json:"application"`
	State       string `json:"state"` // filed, refused, other-officer
	Code        string `json:"code,omitempty"`
	Message     string `json:"message,omitempty"`
	Hint        string `json:"hint,omitempty"`

	vi failure
}

// The states of a draft that was sent, or waits.
const (
	draftFiled   = "filed"
	draftRefused = "refused"
	draftOther   = "other-officer"
	draftWaits   = "waits"
)

func runDeskSend(ctx context.Context, p *program, names []string) error {
	list, err := p.drafts(names)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return p.sent(nil, nil)
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	b, err := p.openOutbox(ctx)
	if err != nil {
		return err
	}
	var rows []sentJSON
	for _, i := range list {
		row, err := office.sendDraft(ctx, b, i)
		if err != nil {
			return p.sent(rows, err)
		}
		if row.State != "" {
			rows = append(rows, row)
		}
	}
	return p.sent(rows, nil)
}

// drafts are those of this home, or of the names, in their order.
func (p *program) drafts(names []string) ([]outbox.Item, error) {
	list, err := p.box().List()
	if err != nil || len(names) == 0 {
		return list, err
	}
	for _, name := range names {
		if !slices.ContainsFunc(list, func(i outbox.Item) bool { return i.Name == name }) {
			return nil, fmt.Errorf("%s: %w", name, outbox.ErrMissing)
		}
	}
	return slices.DeleteFunc(list, func(i outbox.Item) bool { return !slices.Contains(names, i.Name) }), nil
}

// sendDraft sends one. An error is none of the draft's: the next would meet it, too.
func (o *office) sendDraft(ctx context.Context, b desk.Outbox, i outbox.Item) (sentJSON, error) {
	me, err := issuance.KeyIDOf(o.Signer.Public())
	if err != nil {
		return sentJSON{}, err
	}
	if i.Err == nil && i.Operator != me {
		other, err := o.nameOf(ctx, i.Operator)
		return sentJSON{Application: i.Name, State: draftOther, Message: other}, err
	}
	err = o.SendKept(ctx, b, i.Name)
	switch {
	case err == nil:
		return sentJSON{Application: i.Name, State: draftFiled}, nil
	case errors.Is(err, outbox.ErrMissing):
		return sentJSON{}, nil // another run was faster
	case !desk.Refuses(err) && i.Err == nil:
		return sentJSON{}, err
	}
	f := classify(err)
	err = b.Refuse(i.Name, outbox.Refusal{At: o.Now().UTC(), Code: f.Code, Message: oneLine(f.Message)})
	return sentJSON{i.Name, draftRefused, f.Code, oneLine(f.Message), f.Hint, f.vietnamese()}, err
}

// nameOf is what the ledger calls a key, or the key.
func (o *office) nameOf(ctx context.Context, key issuance.KeyID) (string, error) {
	s, err := issuance.Load(ctx, o.Store, issuance.OperatorStream(key))
	if err != nil {
		return "", err
	}
	if op, ok := s.Operator(key); ok {
		return op.Name, nil
	}
	return fmt.Sprintf("%.8x", key), nil
}

// sent tells what became of drafts. Where something ended the run, that is the result, and what
// was filed before it is said beside it.
func (p *program) sent(rows []sentJSON, failed error) error {
	if failed != nil {
		for _, r := range rows {
			p.say("%s", p.sentLine(r, " "))
		}
		return failed
	}
	if p.documents {
		err := p.document(struct {
			Schema string     `json:"schema"`
			Drafts []sentJSON `json:"drafts"`
		}{"tamthe/desk-send/1", append([]sentJSON{}, rows...)})
		if err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		for _, r := range rows {
			fmt.Fprintln(w, p.sentLine(r, "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(rows, func(r sentJSON) bool { return r.State != draftFiled }) {
		return verdictError(exitRefer)
	}
	return nil
}

// sentLine tells of one in the officer's language.
func (p *program) sentLine(r sentJSON, sep string) string {
	line := r.Application + sep + p.text(wordsDraft[r.State])
	message, hint := r.Message, r.Hint
	if p.lang == "vi" && r.Code != "" {
		message, hint = oneLine(r.vi.Message), r.vi.Hint
	}
	if message != "" {
		line += sep + verify.Escape(message)
	}
	if hint != "" {
		line += sep + p.text(wordHint) + ": " + verify.Escape(hint)
	}
	return line
}
