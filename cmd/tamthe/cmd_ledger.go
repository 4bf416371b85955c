package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/receipt"
)

func newLedger(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ledger",
		Short:   "Audit the ledger, prove what stands in it, copy and watch it",
		Long:    "Audits the ledger, proves what stands in it, publishes, copies and watches it.\n",
		Example: "  tamthe ledger verify",
	}
	cmd.AddCommand(newLedgerVerify(p), newLedgerCheckpoint(p), newLedgerReceipt(p), newLedgerExport(p),
		newLedgerBackup(p), newLedgerRestore(p), newLedgerMove(p), newLedgerWatch(p))
	return family(cmd)
}

type auditOptions struct{ against, logKey string }

func newLedgerVerify(p *program) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Rebuild all that the ledger says and name what does not agree",
		Long: `Reads the whole ledger and rebuilds what it should say: each signed act, the rules,
the tree over the acts and its checkpoint. What does not agree is named, with its place, and
the exit status is 3. With --against also proves that the ledger continues an older
checkpoint, so that a file that was put back is found, and with --log-key that the log is the
one that was founded. Keep both somewhere else: the home itself is no witness.
`,
		Example: "  tamthe ledger verify --against yesterday.checkpoint",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), p, o) },
	}
	cmd.Flags().StringVar(&o.against, "against", "", "`FILE` with an older checkpoint, - for standard input")
	cmd.Flags().StringVar(&o.logKey, "log-key", "", "public `KEY` of the log, as init printed it (else the one in the ledger)")
	return cmd
}

func newLedgerCheckpoint(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest signed checkpoint",
		Long: `Prints the newest checkpoint, a signed note of how many acts there are and their tree's root,
with the cosignatures of witnesses that it has. With --json also the log's public key.
`,
		Example: "  tamthe ledger checkpoint > today.checkpoint",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCheckpoint(cmd.Context(), p) },
	}
}

func runCheckpoint(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	c, err := office.ledger.Checkpoint(ctx)
	if err != nil {
		return hint(err, "`tamthe ledger verify` names the place")
	}
	if w := office.ledger.Cosigned(); w != nil && w.Size == c.Size && w.Root == c.Root {
		c = w
	}
	if p.documents {
		first, err := office.ledger.Leaf(ctx, 0)
		if err != nil {
			return err
		}
		founding, err := receipt.ParseLeaf(first)
		if err != nil {
			return err
		}
		return p.document(struct {
			Schema string `json:"schema"`
			Origin string `json:"origin"`
			Size   int64  `json:"size"`
			Root   string `json:"root"`
			Note   string `json:"note"`
			LogKey string `json:"log_key"`
		}{"tamthe/ledger-checkpoint/1", c.Origin, c.Size, hex.EncodeToString(c.Root[:]), string(c.Note), founding.Fields["logkey"]})
	}
	_, err = p.out.Write(c.Note)
	return err
}

func runLedgerVerify(ctx context.Context, p *program, o auditOptions) error {
	var key note.Verifier
	if o.logKey != "" {
		var err error
		if key, err = note.NewVerifier(o.logKey); err != nil {
			return usagef("--log-key: %w", err)
		}
	}
	l, err := sqlite.Open(ctx, p.ledgerPath(), p.readOnlyAs(key))
	if err != nil {
		return err
	}
	defer l.Close()
	var older *ledger.Checkpoint
	if o.against != "" {
		if older, err = p.olderCheckpoint(ctx, l, o.against); err != nil {
			return err
		}
	}
	report, err := l.Verify(ctx, older)
	if err != nil {
		return err
	}
	if p.documents {
		err = p.document(auditJSON(report))
	} else {
		err = printAudit(p, report)
	}
	if err == nil && !report.OK() {
		return verdictError(exitRefused)
	}
	return err
}

func (p *program) olderCheckpoint(ctx context.Context, l *sqlite.Ledger, path string) (*ledger.Checkpoint, error) {
	b, err := p.input(path, 1<<16)
	if err != nil {
		return nil, err
	}
	v, err := l.Verifier(ctx)
	if err != nil {
		return nil, err
	}
	c, err := ledger.ParseCheckpoint(b, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func printAudit(p *program, r *ledger.Report) error {
	for _, f := range r.Findings {
		fmt.Fprintln(p.out, verify.Escape(f.String()))
	}
	if r.Truncated {
		fmt.Fprintln(p.out, "… and more")
	}
	state := "agrees"
	if !r.OK() {
		state = "does not agree"
	}
	_, err := fmt.Fprintf(p.out, "%s: %d acts, root %s: %s\n", r.Origin, r.Size, r.Root, state)
	return err
}

type findingJSON struct {
	Code   string `json:"code"`
	Index  int64  `json:"index"`
	Stream string `json:"stream"`
	Detail string `json:"detail"`
}

func auditJSON(r *ledger.Report) any {
	findings := []findingJSON{}
	for _, f := range r.Findings {
		stream := ""
		if !f.Stream.IsZero() {
			stream = f.Stream.String()
		}
		findings = append(findings, findingJSON{string(f.Code), f.Index, stream, f.Detail})
	}
	return struct {
		Schema   string        `json:"schema"`
		Origin   string        `json:"origin"`
		Size     int64         `json:"size"`
		Root     string        `json:"root"`
		OK       bool          `json:"ok"`
		Findings []findingJSON `json:"findings"`
	}{"tamthe/ledger-verify/1", r.Origin, r.Size, hex.EncodeToString(r.Root[:]), r.OK(), findings}
}
