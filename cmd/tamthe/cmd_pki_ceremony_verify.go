package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/ceremony"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify"
)

func newCeremonyVerify(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "verify TRANSCRIPT",
		Short: "Replay the transcript of a ceremony",
		Long: `Replays a transcript: its lines are whole, each step of its script was done in order with
the answers that it needs, and all custodians signed. Where there is a ledger, their keys
must be custodians' in it, and it must hold the transcript's digest, unless that is of a
rehearsal. What does not hold is exit status 3.
`,
		Example: "  tamthe pki ceremony verify csca.transcript",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCeremonyVerify(cmd.Context(), p, args[0]) },
	}
}

type attendanceJSON struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

type outputJSON struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

type ceremonyJSON struct {
	Schema     string           `json:"schema"`
	Verdict    string           `json:"verdict"` // whole or not
	Problem    string           `json:"problem,omitempty"`
	Title      string           `json:"title,omitempty"`
	Rehearsal  bool             `json:"rehearsal"`
	Digest     string           `json:"digest"`
	Began      string           `json:"began,omitempty"`
	Ended      string           `json:"ended,omitempty"`
	Custodians []attendanceJSON `json:"custodians"`
	Outputs    []outputJSON     `json:"outputs"`
	Ledger     string           `json:"ledger"` // recorded, none, or not asked
}

func runCeremonyVerify(ctx context.Context, p *program, path string) error {
	raw, err := p.input(path, 8<<20)
	if err != nil {
		return err
	}
	digest := ceremony.Digest(raw)
	doc := ceremonyJSON{
		Schema: "tamthe/pki-ceremony-verify/1", Verdict: "whole", Digest: hex.EncodeToString(digest[:]), Ledger: "not asked",
		Custodians: []attendanceJSON{}, Outputs: []outputJSON{},
	}
	report, err := ceremony.Verify(raw)
	if err == nil {
		doc.fill(report)
		err = doc.ask(ctx, p, report)
	}
	if err != nil {
		doc.Verdict, doc.Problem = "not whole", err.Error()
	}
	if p.documents {
		err = p.document(doc)
	} else {
		err = doc.print(p)
	}
	if err == nil && doc.Problem != "" {
		return verdictError(exitRefused)
	}
	return err
}

func (d *ceremonyJSON) fill(r *ceremony.Report) {
	d.Title, d.Rehearsal, d.Began, d.Ended = r.Title, r.Rehearsal, instant(r.Began), instant(r.Ended)
	for _, c := range r.Custodians {
		d.Custodians = append(d.Custodians, attendanceJSON{c.Name, c.Key})
	}
	for _, o := range r.Outputs {
		d.Outputs = append(d.Outputs, outputJSON{o.Name, hex.EncodeToString(o.Digest[:])})
	}
}

// ask holds the transcript against the ledger of this home, if there is one.
func (d *ceremonyJSON) ask(ctx context.Context, p *program, r *ceremony.Report) error {
	if r.Rehearsal {
		return nil
	}
	office, err := p.openOffice(ctx, looking)
	if errors.Is(err, ledger.ErrMissing) && p.ledger == (place{}) {
		return nil
	}
	if err != nil {
		return err
	}
	defer office.done()
	for _, c := range r.Custodians {
		if err := office.KnownCustodian(ctx, c.Name, c.Key); err != nil {
			return fmt.Errorf("custodian %s: %w", c.Name, err)
		}
	}
	recorded, err := office.CeremonyRecorded(ctx, r.Digest)
	if err != nil {
		return err
	}
	if d.Ledger = "recorded"; !recorded {
		d.Ledger = "none"
		return errors.New("the ledger has no such transcript")
	}
	return nil
}

func (d *ceremonyJSON) print(p *program) error {
	word := wordCeremonyWhole
	if d.Problem != "" {
		word = wordCeremonyBroken
	}
	out := p.text(word)
	if d.Rehearsal {
		out += ", " + p.text(wordCeremonyRehearsal)
	}
	if d.Problem != "" {
		out += ": " + verify.Escape(d.Problem)
	}
	out += "\n"
	if d.Title != "" {
		out += fmt.Sprintf("%s\n%s %s\n", verify.Escape(d.Title), d.Began, d.Ended)
	}
	for _, c := range d.Custodians {
		out += fmt.Sprintf("%s: %s\n", p.text(wordCeremonyCustodian), c.Name)
	}
	for _, o := range d.Outputs {
		out += fmt.Sprintf("%s  %s\n", o.SHA256, verify.Escape(o.Name))
	}
	out += fmt.Sprintf("%s  %s\n", d.Digest, p.text(wordCeremonyTranscript))
	_, err := fmt.Fprint(p.out, out)
	return err
}
