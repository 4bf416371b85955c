package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/verify"
)

type verifyOptions struct {
	mrzFile, canFile string
	allowBAC         bool
	holder           string
	trust            string
	policy           string
	at               string
	save             string
	specimen         bool
	all              bool
	purpose          string
}

func newVerify(p *program) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify the card in the reader",
		Long: `Opens the card in the reader with its CAN or MRZ, reads it, checks the State's
signature, the chip's own key, revocation and dates, and says whether it is genuine.
` + exitHelp,
		Example: "  tamthe verify --can-file can.txt\n  tamthe verify --mrz-file - --trust /etc/tamthe/trust --json",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), p, o) },
	}
	o.openFlags(cmd)
	o.judgeFlags(cmd, "checkpoint")
	cmd.Flags().StringVar(&o.holder, "holder", "", "what you see when you compare the bearer with the portrait: match, mismatch or unsure")
	cmd.Flags().StringVar(&o.save, "save", "", "also write the files of the chip into this `FOLDER`")
	return cmd
}

func (o *verifyOptions) openFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.mrzFile, "mrz-file", "", "`FILE` with the MRZ lines or DOCNO;YYMMDD;YYMMDD, - for standard input")
	cmd.Flags().StringVar(&o.canFile, "can-file", "", "`FILE` with the CAN, - for standard input")
	cmd.Flags().BoolVar(&o.allowBAC, "allow-bac", false, "permit BAC where PACE fails; the report says so")
	cmd.MarkFlagsMutuallyExclusive("mrz-file", "can-file")
}

func (o *verifyOptions) judgeFlags(cmd *cobra.Command, policy string) {
	cmd.Flags().StringVar(&o.trust, "trust", "", "`FOLDER` of trusted certificates and revocation lists (else the home's)")
	cmd.Flags().StringVar(&o.policy, "policy", "", "checkpoint, quick, archive or desk-qa (else "+policy+")")
	cmd.Flags().StringVar(&o.at, "at", "", "time of judgement, RFC 3339 or YYYY-MM-DD (else now)")
	cmd.Flags().BoolVar(&o.specimen, "specimen", false, "accept SPECIMEN cards, which are no identity documents")
	cmd.Flags().BoolVar(&o.all, "all", false, "show every check with its clause")
}

// options turns flags into what an inspection needs.
func (o verifyOptions) options(p *program, policy string) (verify.Options, error) {
	opts := verify.Options{Specimen: o.specimen, AllowBAC: o.allowBAC, At: p.now()}
	var err error
	if opts.Policy, err = verify.PolicyByName(first(o.policy, policyOf(p.conf, policy), policy)); err != nil {
		return opts, usageError{err}
	}
	if o.at != "" {
		if opts.At, err = parseTime(o.at); err != nil {
			return opts, err
		}
	}
	switch o.holder {
	case "":
	case "match":
		opts.Holder = verify.HolderMatch
	case "mismatch":
		opts.Holder = verify.HolderMismatch
	case "unsure":
		opts.Holder = verify.HolderUnsure
	default:
		return opts, usagef("--holder is match, mismatch or unsure, not %q", o.holder)
	}
	opts.Trust, err = p.trust(o.trust)
	return opts, err
}

// policyOf is the policy of config.toml, which is meant for cards at a checkpoint.
func policyOf(c config, policy string) string {
	if policy == "checkpoint" {
		return c.Policy
	}
	return ""
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--at %q is no time of RFC 3339 and no YYYY-MM-DD", s)
}

// passwords reads what opens the card.
func (o verifyOptions) passwords(p *program, opts *verify.Options) error {
	switch {
	case o.canFile != "":
		s, err := p.readSecretFile(o.canFile)
		if err != nil {
			return err
		}
		opts.Passwords = []auth.Password{auth.CAN(s)}
	case o.mrzFile != "":
		s, err := p.readSecretFile(o.mrzFile)
		if err != nil {
			return err
		}
		key, err := mrz.ParseKey(s)
		if err != nil {
			return usageError{err}
		}
		opts.Passwords, opts.Printed = []auth.Password{auth.MRZ(key.Info())}, key.Zone
	default:
		opts.Ask = p.askPassword
	}
	return nil
}

// askPassword asks for the CAN where the card takes it, else for the MRZ.
func (p *program) askPassword(_ context.Context, q card.Prompt) (auth.Password, error) {
	for _, kind := range q.Passwords {
		if kind == "CAN" {
			s, err := p.ask("CAN (six digits)")
			return auth.CAN(s), err
		}
	}
	s, err := p.ask("MRZ (DOCNO;YYMMDD;YYMMDD)")
	if err != nil {
		return auth.Password{}, err
	}
	key, err := mrz.ParseKey(s)
	return auth.MRZ(key.Info()), err
}

func runVerify(ctx context.Context, p *program, o verifyOptions) error {
	report, elapsed, err := o.inspect(ctx, p, "checkpoint", o.save)
	if err != nil {
		return err
	}
	if err := p.report(report, verify.RenderOptions{All: o.all, Elapsed: elapsed}); err != nil {
		return err
	}
	return asError(report.Verdict)
}

// inspect opens and reads the card in the reader.
func (o verifyOptions) inspect(ctx context.Context, p *program, policy, save string) (*verify.Report, time.Duration, error) {
	opts, err := o.options(p, policy)
	if err != nil {
		return nil, 0, err
	}
	if err := o.passwords(p, &opts); err != nil {
		return nil, 0, err
	}
	if office, done, err := p.openOffice(ctx, looking); err == nil {
		defer done()
		opts.Status = office
	}
	if save != "" {
		if err := os.MkdirAll(save, 0o700); err != nil {
			return nil, 0, err
		}
		opts.Save = saveTo(save)
	}
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return nil, 0, err
	}
	defer r.close()
	progress := p.progress()
	opts.Progress = func(f lds.File, done, total int) { progress.show(f.Name(), done, total) }
	begin := time.Now()
	report, err := verify.Inspect(ctx, apdu.Over(r, apdu.Limits{}), opts)
	progress.end()
	return report, time.Since(begin), err
}

// saveTo writes each file as it was read, readable by its owner only.
func saveTo(dir string) func(lds.File, []byte) error {
	return func(f lds.File, b []byte) error {
		return os.WriteFile(filepath.Join(dir, f.FileName()), b, 0o600)
	}
}

// report prints what was found: JSON, or the officer's view.
func (p *program) report(r *verify.Report, o verify.RenderOptions) error {
	if p.json {
		b, err := r.JSON()
		if err != nil {
			return err
		}
		_, err = p.out.Write(b)
		return err
	}
	if isTerminal(p.out) {
		o.Colours, o.Portrait = true, true
	}
	return r.Render(p.out, verify.Lang(p.lang), o)
}

func verdictStatus(v verify.Verdict) int {
	switch v {
	case verify.Accept:
		return exitOK
	case verify.Refuse:
		return exitRefused
	}
	return exitRefer
}

func asError(v verify.Verdict) error {
	if v == verify.Accept {
		return nil
	}
	return verdictError(verdictStatus(v))
}

func newRead(p *program) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "read",
		Short: "Read the card in the reader into a folder",
		Long: `Opens the card, reads its files into a folder (readable by you only) and prints the
verdict on them. Reading somebody's card needs a purpose, which is kept with the files.
` + exitHelp,
		Example: "  tamthe read --purpose border-control --out ./card --can-file can.txt",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.purpose == "" || o.save == "" {
				return usagef("read needs --purpose and --out")
			}
			return runRead(cmd.Context(), p, o)
		},
	}
	o.openFlags(cmd)
	o.judgeFlags(cmd, "archive")
	cmd.Flags().StringVar(&o.purpose, "purpose", "", "why the card is read")
	cmd.Flags().StringVar(&o.save, "out", "", "the `FOLDER` to write to; it must be empty or not there")
	return cmd
}

func runRead(ctx context.Context, p *program, o verifyOptions) error {
	if entries, err := os.ReadDir(o.save); err == nil && len(entries) > 0 {
		return hint(fmt.Errorf("%s is not empty", o.save), "name an empty or new folder")
	}
	if err := os.MkdirAll(o.save, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.save, "purpose.txt"), []byte(o.purpose+"\n"), 0o600); err != nil {
		return err
	}
	report, elapsed, err := o.inspect(ctx, p, "archive", o.save)
	if err != nil {
		return err
	}
	if err := p.report(report, verify.RenderOptions{All: o.all, Elapsed: elapsed}); err != nil {
		return err
	}
	return asError(report.Verdict)
}

func newJudge(p *program) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "judge PATH",
		Short: "Judge files that were read before",
		Long: `Judges an EF folder (EF.SOD.bin, DG1.bin …) as verify does a card, without the chip's
own proof.
` + exitHelp,
		Example: "  tamthe judge ./card --trust ./trust --at 2026-07-01T00:00:00Z",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runJudge(cmd.Context(), p, args[0], o) },
	}
	o.judgeFlags(cmd, "archive")
	return cmd
}

func runJudge(ctx context.Context, p *program, path string, o verifyOptions) error {
	opts, err := o.options(p, "archive")
	if err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return usagef("%s is no folder", path)
	}
	files, err := verify.ReadFiles(os.DirFS(path))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return hint(fmt.Errorf("%s holds no files of a card", path), "an EF folder holds EF.SOD.bin, DG1.bin and so on")
	}
	if office, done, err := p.openOffice(ctx, looking); err == nil {
		defer done()
		opts.Status = office
	}
	report, err := verify.JudgeFiles(ctx, files, opts)
	if err != nil {
		return err
	}
	if err := p.report(report, verify.RenderOptions{All: o.all}); err != nil {
		return err
	}
	return asError(report.Verdict)
}
