package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func newLedger(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: "Audit the ledger and print its checkpoint"}
	var against string
	audit := &cobra.Command{
		Use:   "verify",
		Short: "Rebuild all that the ledger says and name what does not agree",
		Long: `Reads the whole ledger and rebuilds what it should say: each signed act, the rules,
the tree over the acts and its checkpoint. With --against also proves that the ledger
continues an older checkpoint, so that a file that was put back is found. Keep a
checkpoint somewhere else: ledger.db's own folder is no witness.
` + exitHelp,
		Example: "  tamthe ledger verify --against yesterday.checkpoint",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), p, against) },
	}
	audit.Flags().StringVar(&against, "against", "", "`FILE` with an older checkpoint, - for standard input")
	checkpoint := &cobra.Command{
		Use:     "checkpoint",
		Short:   "Print the newest signed checkpoint",
		Long:    "Prints the newest checkpoint, a signed note of how many acts there are and their tree's root.\n" + exitHelp,
		Example: "  tamthe ledger checkpoint > today.checkpoint",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCheckpoint(cmd.Context(), p) },
	}
	cmd.AddCommand(audit, checkpoint)
	return cmd
}

func runCheckpoint(ctx context.Context, p *program) error {
	office, done, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer done()
	c, err := store(office).Checkpoint(ctx)
	if err != nil {
		return err
	}
	_, err = p.out.Write(c.Note)
	return err
}

func runLedgerVerify(ctx context.Context, p *program, against string) error {
	office, done, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer done()
	l := store(office)
	var older *ledger.Checkpoint
	if against != "" {
		if older, err = p.olderCheckpoint(ctx, l, against); err != nil {
			return err
		}
	}
	report, err := l.Verify(ctx, older)
	if err != nil {
		return err
	}
	if p.json {
		err = json.NewEncoder(p.out).Encode(auditJSON(report))
	} else {
		err = printAudit(p, report)
	}
	if err == nil && !report.OK() {
		return verdictError(exitError)
	}
	return err
}

func (p *program) olderCheckpoint(ctx context.Context, l *sqlite.Ledger, path string) (*ledger.Checkpoint, error) {
	b, err := p.readInput(path, 1<<16)
	if err != nil {
		return nil, err
	}
	v, err := l.Verifier(ctx)
	if err != nil {
		return nil, err
	}
	return ledger.ParseCheckpoint(b, v)
}

func printAudit(p *program, r *ledger.Report) error {
	for _, f := range r.Findings {
		fmt.Fprintln(p.out, printable(f.String()))
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
