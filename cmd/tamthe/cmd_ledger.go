package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
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
	cmd.AddCommand(newLedgerVerify(p), newLedgerAudit(p), newLedgerCheckpoint(p), newLedgerReceipt(p), newLedgerExport(p),
		newLedgerBackup(p), newLedgerRestore(p), newLedgerMove(p), newLedgerWatch(p), newLedgerCapacity(p))
	return family(cmd)
}

type auditOptions struct {
	against []string
	logKey  string
	hashes  bool
}

func newLedgerVerify(p *program) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Rebuild all that the ledger says and name what does not agree",
		Long: `Reads the whole ledger and rebuilds what it should say: each signed act, the rules,
the tree over the acts and its checkpoint. What does not agree is named, with its place, and
the exit status is 3. With --against also proves that the ledger continues what is known of it
from elsewhere: an older checkpoint, a receipt that a citizen holds, or a folder that
` + "`ledger export`" + ` wrote; the latter two tell the place of what was rewritten. With --log-key
also proves that the log is the one that was founded. Keep all of it somewhere else: the home
itself is no witness.
`,
		Example: "  tamthe ledger verify --against yesterday.checkpoint",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), p, o) },
	}
	cmd.Flags().StringArrayVar(&o.against, "against", nil, "`FILE` with an older checkpoint or a receipt (- for standard input), or the folder of an export; may be repeated")
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
	l, err := p.ledgerPlace().open(ctx, p.readOnlyAs(key))
	if err != nil {
		return err
	}
	defer l.Close()
	var shown []*ledger.Older
	for _, path := range o.against {
		older, err := p.shown(ctx, l, path)
		if err != nil {
			return err
		}
		shown = append(shown, older)
	}
	verify := l.VerifyAgainst
	if o.hashes {
		verify = l.Rehash
	}
	report, err := verify(ctx, shown...)
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

// shown reads what is known of the log from elsewhere: a checkpoint, a receipt or an export.
func (p *program) shown(ctx context.Context, l store, path string) (*ledger.Older, error) {
	v, err := l.Verifier(ctx)
	if err != nil {
		return nil, err
	}
	dir := ""
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		dir, path = path, filepath.Join(path, "checkpoint")
	}
	b, err := p.input(path, receipt.MaxProof)
	if err != nil {
		return nil, err
	}
	if proof, err := receipt.Parse(b); err == nil && dir == "" {
		proven, err := receipt.Verify(proof, proof.Extra, receipt.Policy{Logs: []note.Verifier{v}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", path, ledger.ErrCheckpoint, err)
		}
		return ledger.ShownReceipt(path, proof, &proven.Checkpoint)
	}
	c, err := ledger.ParseCheckpoint(b, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if dir != "" {
		return ledger.ShownExport(dir, c), nil
	}
	return ledger.ShownCheckpoint(path, c), nil
}

func newLedgerAudit(p *program) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Rehash the ledger quickly, against what is known of it from elsewhere",
		Long: `Hashes every leaf and node of the ledger anew and compares them with the tree, the checkpoint
and what --against shows: it finds what was changed since, at its place, in a fraction of the
time of ` + "`ledger verify`" + `, which also verifies every signature and replays every rule. Both
need no more memory for a long ledger than for a short one.
`,
		Example: "  tamthe ledger audit --against /srv/www/log",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), p, o) },
	}
	o.hashes = true
	cmd.Flags().StringArrayVar(&o.against, "against", nil, "`FILE` with an older checkpoint or a receipt (- for standard input), or the folder of an export; may be repeated")
	cmd.Flags().StringVar(&o.logKey, "log-key", "", "public `KEY` of the log, as init printed it (else the one in the ledger)")
	return cmd
}

func printAudit(p *program, r *ledger.Report) error {
	for _, f := range r.Findings {
		fmt.Fprintln(p.out, verify.Escape(f.String()))
	}
	if r.Truncated {
		fmt.Fprintln(p.out, "… and more")
	}
	state := wordLedgerAgrees
	if !r.OK() {
		state = wordLedgerDiffers
	}
	_, err := fmt.Fprintf(p.out, p.text(wordLedgerRoot)+"\n", r.Origin, r.Size, r.Root, p.text(state))
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
