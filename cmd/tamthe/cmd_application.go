package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
)

func newApplication(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "application",
		Short:   "List, show and refuse applications, and settle complaints",
		Long:    "Lists, shows and refuses applications, writes their papers, settles complaints, and asks the\nbiometric register about them.\n",
		Example: "  tamthe application list --late",
	}
	cmd.AddCommand(newApplicationList(p), newApplicationShow(p), newApplicationReject(p), newApplicationComplain(p), newApplicationSettle(p), newABIS(p))
	return family(cmd)
}

func newApplicationList(p *program) *cobra.Command {
	var late bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the applications",
		Long: `Lists the applications with state, reason and the last day of their term: seven working
days, without Saturday, Sunday and the holidays of config.toml.
`,
		Example: "  tamthe application list --late",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runApplicationList(cmd.Context(), p, late) },
	}
	cmd.Flags().BoolVar(&late, "late", false, "only those whose term is over")
	return cmd
}

func newApplicationShow(p *program) *cobra.Command {
	var form, out string
	cmd := &cobra.Command{
		Use:   "show APP",
		Short: "Tell how an application stands, or write a paper",
		Long: `Tells what the ledger says of an application, without personal data. With --form it
prints a paper instead, which has some: cc01, what is asked for, to be signed; cc02, the
appointment slip; cc03, the refusal with its reason.
`,
		Example: "  tamthe application show A-7K3QX2MB4D\n  tamthe application show A-7K3QX2MB4D --form cc02 --lang vi",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if form == "" {
				return runApplicationShow(cmd.Context(), p, args[0])
			}
			return runPaper(cmd.Context(), p, args[0], desk.Form(form), out)
		},
	}
	cmd.Flags().StringVar(&form, "form", "", "the paper to print: cc01, cc02 or cc03")
	cmd.Flags().StringVar(&out, "out", "", "with --form: write it into this new `FILE`")
	return cmd
}

func newApplicationReject(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "reject APP",
		Short:   "Refuse an application",
		Long:    "Refuses an application for a reason, which its paper CC03 says:\n" + strings.Join(issuance.RejectReasons(), ", ") + ".\n",
		Example: "  tamthe application reject A-7K3QX2MB4D --reason documents --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onApplication(cmd.Context(), "tamthe/application-reject/1", args[0], func(o *office) error {
				return o.Reject(cmd.Context(), args[0], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`")
	p.actingFlags(cmd)
	return cmd
}

func newApplicationComplain(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "complain APP",
		Short:   "Record that a holder finds fault with the card",
		Long:    "Records that the holder finds fault with the card of an application: wrong-data, print,\nchip, portrait or other.\n",
		Example: "  tamthe application complain A-7K3QX2MB4D --reason wrong-data --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onApplication(cmd.Context(), "tamthe/application-complain/1", args[0], func(o *office) error {
				return o.Complain(cmd.Context(), args[0], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`")
	p.actingFlags(cmd)
	return cmd
}

func newApplicationSettle(p *program) *cobra.Command {
	var outcome string
	cmd := &cobra.Command{
		Use:     "settle APP",
		Short:   "Answer a complaint",
		Long:    "Answers a complaint: upheld or dismissed. Whoever took it in cannot.\n",
		Example: "  tamthe application settle A-7K3QX2MB4D --outcome upheld --operator chi",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if outcome != "upheld" && outcome != "dismissed" {
				return usagef("--outcome is upheld or dismissed")
			}
			return p.onApplication(cmd.Context(), "tamthe/application-settle/1", args[0], func(o *office) error {
				return o.Settle(cmd.Context(), args[0], outcome == "upheld")
			})
		},
	}
	cmd.Flags().StringVar(&outcome, "outcome", "", "upheld or dismissed")
	p.actingFlags(cmd)
	return cmd
}

// onApplication does one act on an application.
func (p *program) onApplication(ctx context.Context, schema, app string, act func(*office) error) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := act(office); err != nil {
		return err
	}
	return p.result(struct {
		Schema      string `json:"schema"`
		Application string `json:"application"`
	}{schema, app}, app, "")
}

// requestJSON is an application as `application list` and `show` tell it.
type requestJSON struct {
	Application string        `json:"application"`
	State       string        `json:"state"`
	Reason      string        `json:"reason"`
	Ended       string        `json:"ended,omitempty"`
	Person      string        `json:"person"`
	Replaces    string        `json:"replaces"`
	Card        string        `json:"card"`
	Enrolled    string        `json:"enrolled"`
	Due         string        `json:"due"`
	Late        bool          `json:"late"`
	History     []cardActJSON `json:"history,omitempty"`
	Lease       *leaseJSON    `json:"lease,omitempty"`
}

func applicationOf(a *desk.Application) requestJSON {
	return requestJSON{
		a.ID, string(a.Phase), a.Reason, a.Ended, a.Person, a.Replaces, a.Card, a.Enrolled.UTC().Format(time.RFC3339),
		a.Due.Format(time.DateOnly), a.Late, nil, leaseOf(a.Lease),
	}
}

func runApplicationList(ctx context.Context, p *program, late bool) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Applications(ctx)
	if err != nil {
		return err
	}
	if late {
		list = slices.DeleteFunc(list, func(a *desk.Application) bool { return !a.Late })
	}
	if p.documents {
		rows := []requestJSON{}
		for _, a := range list {
			rows = append(rows, applicationOf(a))
		}
		return p.document(struct {
			Schema       string        `json:"schema"`
			Applications []requestJSON `json:"applications"`
		}{"tamthe/application-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, a := range list {
		mark := ""
		if a.Late {
			mark = p.text(wordLate)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.ID, a.Phase, a.Reason, a.Due.Format(time.DateOnly), mark)
	}
	return w.Flush()
}

func runApplicationShow(ctx context.Context, p *program, app string) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	a, err := office.Application(ctx, app)
	if err != nil {
		return err
	}
	if p.documents {
		row := applicationOf(a)
		for _, h := range a.History {
			row.History = append(row.History, cardActJSON{h.Time.UTC().Format(time.RFC3339), string(h.Act), h.Operator, h.Reason})
		}
		return p.document(struct {
			Schema string `json:"schema"`
			requestJSON
		}{"tamthe/application-show/1", row})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"application", a.ID},
		{"state", string(a.Phase)},
		{"reason", a.Reason},
		{"ended because of", a.Ended},
		{"person", a.Person},
		{"replaces", a.Replaces},
		{"card", a.Card},
		{"due", a.Due.Format(time.DateOnly)},
		{"worked on by", leaseLine(a.Lease)},
	} {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	for _, h := range a.History {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", h.Time.Local().Format(time.DateTime), h.Act, h.Operator, h.Reason)
	}
	return w.Flush()
}

func runPaper(ctx context.Context, p *program, app string, form desk.Form, out string) error {
	if !slices.Contains(desk.Forms(), form) {
		return usagef("--form is cc01, cc02 or cc03")
	}
	office, err := p.openOffice(ctx, opening)
	if err != nil {
		return err
	}
	defer office.done()
	text, err := office.Paper(ctx, app, form, p.lang)
	if err != nil {
		return err
	}
	if out != "" {
		return durable.Export(out, []byte(text), 0o600)
	}
	if p.documents {
		return p.document(struct {
			Schema      string `json:"schema"`
			Application string `json:"application"`
			Form        string `json:"form"`
			Text        string `json:"text"`
		}{"tamthe/application-form/1", app, string(form), text})
	}
	for line := range strings.Lines(text) {
		fmt.Fprintln(p.out, verify.Escape(strings.TrimRight(line, "\n")))
	}
	return nil
}
