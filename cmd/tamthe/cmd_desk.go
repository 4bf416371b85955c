package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
)

func newDesk(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "desk",
		Short: "Let desks work apart, and take over what they did",
		Long: `A desk without a network keeps a ledger of its own: it is founded there with tamthe init,
and its operators, who are enrolled here too, act as anywhere. From time to time its acts are
carried here, by a file. They are taken over as they are. What contradicts another desk waits
for a person: nothing is undone or won meanwhile.

At the office: invite, enrol, grant, sync, conflicts, settle, list, acts, revoke. At the
desk: export and ack. A desk whose ledger is the office's own keeps applications while that is
away: send and draft. health tells whether a desk can work, of either kind.
`,
		Example: "  tamthe desk list",
	}
	cmd.AddCommand(newDeskInvite(p), newDeskEnrol(p), newDeskGrant(p), newDeskExport(p), newDeskSync(p), newDeskAck(p),
		newDeskConflicts(p), newDeskSettle(p), newDeskList(p), newDeskActs(p), newDeskRevoke(p), newDeskSend(p), newDeskDraft(p), newDeskHealth(p))
	return family(cmd)
}

func newDeskEnrol(p *program) *cobra.Command {
	var logKey, at string
	cmd := &cobra.Command{
		Use:   "enrol NAME",
		Short: "Take a desk's own ledger under this office",
		Long: `Enrols a desk by the public key of its log, as tamthe init printed it there. Two
administrators sign.
`,
		Example: "  tamthe desk enrol hn-01 --log-key hn-01.example/log+1f2e… --at hanoi --operator an --second binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if logKey == "" || checkWord("--at", at) != nil {
				return usagef("--log-key names the desk's log, and --at says in one word where it stands")
			}
			return p.onDesk(cmd.Context(), "tamthe/desk-enrol/1", args[0], func(o *office) error {
				return o.EnrolBranch(cmd.Context(), args[0], logKey, at)
			})
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&logKey, "log-key", "", "public `KEY` of the desk's log")
	cmd.Flags().StringVar(&at, "at", "", "one `WORD` for the place where it stands")
	return cmd
}

func newDeskGrant(p *program) *cobra.Command {
	var g desk.Grant
	cmd := &cobra.Command{
		Use:   "grant NAME",
		Short: "Say what a desk may use up while it is apart",
		Long: `Says what a desk may use up before it has to come back: cards signed under its document
signer, places in the status list, blanks of a batch. What it uses beyond becomes a conflict
when it is synced. Two persons sign.
`,
		Example: "  tamthe desk grant hn-01 --signer ds-001 --cap 50 --operator an --second binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.First > g.Last || g == (desk.Grant{}) {
				return usagef("say what is granted; --first is not above --last")
			}
			return p.onDesk(cmd.Context(), "tamthe/desk-grant/1", args[0], func(o *office) error {
				return o.GrantBranch(cmd.Context(), args[0], g)
			})
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&g.Signer, "signer", "", "`NAME` of its document signer")
	cmd.Flags().IntVar(&g.Cap, "cap", 0, "how many cards that may sign")
	cmd.Flags().Uint32Var(&g.First, "first", 0, "first place in the status list")
	cmd.Flags().Uint32Var(&g.Last, "last", 0, "last place in the status list")
	cmd.Flags().StringVar(&g.Batch, "batch", "", "`BATCH` of blanks")
	cmd.Flags().IntVar(&g.Count, "count", 0, "how many blanks")
	return cmd
}

func newDeskRevoke(p *program) *cobra.Command {
	var reason, from string
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: "End the work of a desk, such as one that was stolen",
		Long: `Ends the work of a desk: nothing more of its ledger is taken over. --from says since when
it is in other hands; tamthe desk acts lists what it did from then on. Two administrators
sign. Its document signer is revoked with tamthe pki crl --revoke.
`,
		Example: "  tamthe desk revoke hn-01 --reason stolen --from 2026-11-20T17:00:00Z --operator an --second binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			since, err := readTime("--from", from)
			if err != nil {
				return err
			}
			return p.onDesk(cmd.Context(), "tamthe/desk-revoke/1", args[0], func(o *office) error {
				return o.RevokeBranch(cmd.Context(), args[0], reason, since)
			})
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "stolen", "why, one `WORD`: stolen, lost, misuse …")
	cmd.Flags().StringVar(&from, "from", "", "since `WHEN` it is in other hands (RFC 3339)")
	return cmd
}

func newDeskSettle(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "settle CONFLICT",
		Short: "Record what two persons decided about a conflict",
		Long: `Records what two persons decided about a conflict, and why. What follows from it, such as
a card's revocation, is an act of its own.
`,
		Example: "  tamthe desk settle X-0G4M2B7KQ1 --reason same-person --operator an --second binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkWord("--reason", reason); err != nil {
				return err
			}
			return p.onDesk(cmd.Context(), "tamthe/desk-settle/1", args[0], func(o *office) error {
				return o.SettleConflict(cmd.Context(), args[0], reason)
			})
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`")
	return cmd
}

// onDesk does an act about a desk or conflict, and says which.
func (p *program) onDesk(ctx context.Context, schema, name string, act func(*office) error) error {
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
		Name   string `json:"name"`
	}{schema, name}, name, "")
}

// readTime reads a flag's time; empty is the zero time.
func readTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usagef("%s is a time like 2026-11-20T17:00:00Z", flag)
	}
	return t, nil
}

func newDeskList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the desks that work apart",
		Long:    "Lists the desks with state, place, how many of their acts are here, and when that was.\n",
		Example: "  tamthe desk list",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDeskList(cmd.Context(), p) },
	}
}

// deskJSON is a desk of `desk list --json`.
type deskJSON struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	At     string `json:"at"`
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Since  string `json:"since"`
	From   string `json:"from,omitempty"`
}

func runDeskList(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.Branches(ctx)
	if err != nil {
		return err
	}
	rows := []deskJSON{}
	for _, b := range list {
		rows = append(rows, deskJSON{b.Name, string(b.Phase), b.At, b.Origin, b.Size, b.Since.UTC().Format(time.RFC3339), b.From})
	}
	if p.documents {
		return p.document(struct {
			Schema string     `json:"schema"`
			Desks  []deskJSON `json:"desks"`
		}{"tamthe/desk-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d acts\t%s\n", r.Name, r.State, r.At, r.Size, r.Since)
	}
	return w.Flush()
}

func newDeskConflicts(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "conflicts",
		Short:   "List what waits for a person's decision",
		Long:    "Lists the conflicts that nobody has settled: what it is about, and where both sides stand.\n",
		Example: "  tamthe desk conflicts",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDeskConflicts(cmd.Context(), p) },
	}
}

// conflictJSON is a conflict of `desk conflicts --json` and `desk sync --json`.
type conflictJSON struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Left   string `json:"left"`
	Right  string `json:"right,omitempty"`
}

func runDeskConflicts(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	list, err := office.OpenConflicts(ctx)
	if err != nil {
		return err
	}
	rows := []conflictJSON{}
	for _, c := range list {
		rows = append(rows, conflictJSON{c.ID, c.Object, c.Left, c.Right})
	}
	if p.documents {
		return p.document(struct {
			Schema    string         `json:"schema"`
			Conflicts []conflictJSON `json:"conflicts"`
		}{"tamthe/desk-conflicts/1", rows})
	}
	return printConflicts(p, rows)
}

func printConflicts(p *program, rows []conflictJSON) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Object, verify.Escape(r.Left), verify.Escape(r.Right))
	}
	return w.Flush()
}

func newDeskActs(p *program) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "acts NAME",
		Short: "List what a desk did, from a time on",
		Long: `Lists the acts of a desk that were taken over, in their order, from --from on, else from
the time that its revocation names. Who has the desk has its clock: what was taken over only
after that time is listed whatever its date.
`,
		Example: "  tamthe desk acts hn-01 --from 2026-11-20T17:00:00Z",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDeskActs(cmd.Context(), p, args[0], from) },
	}
	cmd.Flags().StringVar(&from, "from", "", "since `WHEN` (RFC 3339)")
	return cmd
}

func runDeskActs(ctx context.Context, p *program, name, from string) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	b, err := office.Branch(ctx, name)
	if err != nil {
		return err
	}
	since, err := readTime("--from", first(from, b.From))
	if err != nil {
		return err
	}
	m, err := p.openMirror(ctx, b, false)
	if err != nil {
		return err
	}
	defer m.Close()
	acts, err := office.BranchActs(ctx, name, m, since)
	if err != nil {
		return err
	}
	return printActs(p, acts)
}

// actJSON is an act of `desk acts --json`.
type actJSON struct {
	Time     string `json:"time"`
	Stream   string `json:"stream"`
	Act      string `json:"act"`
	Operator string `json:"operator"`
	Second   string `json:"second,omitempty"`
}

func printActs(p *program, acts []issuance.Entry) error {
	rows := []actJSON{}
	for _, e := range acts {
		r := actJSON{e.Time.Format(time.RFC3339), e.Stream.String(), string(e.Act), e.Operator.String(), ""}
		if !e.Second.IsZero() {
			r.Second = e.Second.String()
		}
		rows = append(rows, r)
	}
	if p.documents {
		return p.document(struct {
			Schema string    `json:"schema"`
			Acts   []actJSON `json:"acts"`
		}{"tamthe/desk-acts/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.16s\n", r.Time, r.Stream, r.Act, r.Operator)
	}
	return w.Flush()
}
