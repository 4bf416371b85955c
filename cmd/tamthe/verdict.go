package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/picture/openjpeg"
	"github.com/tamthe/tamthe/verify"
)

// verifyOptions are the flags of the verbs that judge a card: verify, read and judge.
type verifyOptions struct {
	mrzFile, canFile string
	allowBAC         bool
	holder           string
	qrFile           string
	faceMatch, live  string
	trust            string
	policy           string
	at               string
	save, html       string
	specimen         bool
	all              bool
}

func (o *verifyOptions) openFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.mrzFile, "mrz-file", "", "`FILE` with the MRZ lines or DOCNO;YYMMDD;YYMMDD, - for standard input")
	cmd.Flags().StringVar(&o.canFile, "can-file", "", "`FILE` with the CAN, - for standard input (without a file it is asked for)")
	cmd.Flags().BoolVar(&o.allowBAC, "allow-bac", false, "permit BAC where PACE fails; the report says so")
}

func (o *verifyOptions) judgeFlags(cmd *cobra.Command, policy string) {
	cmd.Flags().StringVar(&o.trust, "trust", "", "`FOLDER` of trusted certificates and revocation lists (else the home's)")
	cmd.Flags().StringVar(&o.policy, "policy", "", "checkpoint, quick, online, archive, desk-qa or `FILE.toml` of your own (else "+policy+")")
	cmd.Flags().StringVar(&o.at, "at", "", "`TIME` of judgement, RFC 3339 or YYYY-MM-DD (else now)")
	cmd.Flags().BoolVar(&o.specimen, "specimen", false, "accept SPECIMEN cards, which are no identity documents")
	cmd.Flags().BoolVar(&o.all, "all", false, "show every check with its clause")
}

// options turns flags into what an inspection needs.
func (o verifyOptions) options(p *program, policy string) (verify.Options, error) {
	opts := verify.Options{Specimen: o.specimen, AllowBAC: o.allowBAC, At: p.now()}
	var err error
	if opts.Policy, err = p.policy(first(o.policy, policyOf(p.conf, policy), policy)); err != nil {
		return opts, err
	}
	if opts.Seen, err = p.seen(); err != nil {
		return opts, err
	}
	if o.at != "" {
		if opts.At, err = parseTime(o.at); err != nil {
			return opts, err
		}
	} else {
		opts.Newest = opts.Seen.Newest()
	}
	if err := o.bearer(p, &opts); err != nil {
		return opts, err
	}
	if opts.Trust, err = p.trust(o.trust); err != nil {
		return opts, err
	}
	opts.Status, err = p.cardLists(o.trust, opts.Trust)
	return opts, err
}

// policy is the built-in policy of that name, or the operator's own in a file whose name
// ends in .toml.
func (p *program) policy(name string) (verify.Policy, error) {
	if !strings.HasSuffix(name, ".toml") {
		policy, err := verify.PolicyByName(name)
		if err != nil {
			return policy, usagef("--policy: %w", err)
		}
		return policy, nil
	}
	text, err := p.input(name, maxSecretFile)
	if err != nil {
		return verify.Policy{}, err
	}
	policy, err := verify.ParsePolicy(text)
	if err != nil {
		return policy, usagef("%s: %w", name, err)
	}
	return policy, nil
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

// passwords reads what opens the card; without a file it is asked for, once the card says
// what it takes.
func (o verifyOptions) passwords(p *program, opts *verify.Options) error {
	switch {
	case o.canFile != "" && o.mrzFile != "":
		return usagef("--can-file and --mrz-file: one of them")
	case o.canFile != "":
		s, err := p.secretFile(o.canFile)
		if err != nil {
			return err
		}
		can, err := parseCAN(s)
		if err != nil {
			return fmt.Errorf("%s: %w", o.canFile, err)
		}
		opts.Passwords = []auth.Password{can}
	case o.mrzFile != "":
		s, err := p.secretFile(o.mrzFile)
		if err != nil {
			return err
		}
		key, err := mrz.ParseKey(s)
		if err != nil {
			return usagef("%s: %w", o.mrzFile, err)
		}
		opts.Passwords, opts.Printed = []auth.Password{auth.MRZ(key.Info())}, key.Zone
	default:
		opts.Ask = p.askPassword
	}
	return nil
}

// inspect opens and reads the card in the reader and, with save, writes its files into
// that folder when all are read.
func (o verifyOptions) inspect(ctx context.Context, p *program, policy, save string) (*verify.Report, time.Duration, error) {
	opts, err := o.options(p, policy)
	if err != nil {
		return nil, 0, err
	}
	return o.inspectWith(ctx, p, opts, save)
}

func (o verifyOptions) inspectWith(ctx context.Context, p *program, opts verify.Options, save string) (*verify.Report, time.Duration, error) {
	if err := o.passwords(p, &opts); err != nil {
		return nil, 0, err
	}
	if save != "" {
		if err := vacant(save); err != nil {
			return nil, 0, err
		}
	}
	status, done := p.statusSource(ctx, opts.Status)
	defer done()
	opts.Status = status
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return nil, 0, err
	}
	defer r.close()
	progress := p.progress()
	opts.Progress = func(f lds.File, done, total int) { progress.show(f.Name(), done, total) }
	opts.Reader, opts.Claimed = r.limits, r.claimed
	begin := time.Now()
	report, err := verify.Inspect(ctx, apdu.Over(r, apdu.Limits{}), opts)
	progress.end()
	if err != nil {
		return nil, 0, err
	}
	elapsed := time.Since(begin)
	p.remember(opts)
	if save != "" {
		err = saveFolder(save, report.Files)
	}
	return report, elapsed, err
}

// report prints what was found: JSON, or the officer's view. Standard error stays empty.
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
		o.Colours, o.Portrait, o.JPEG2000 = true, true, openjpeg.Decode
	}
	return r.Render(p.out, verify.Lang(p.lang), o)
}

// judged prints a report and makes the verdict the exit status.
func (p *program) judged(r *verify.Report, o verify.RenderOptions) error {
	if err := p.report(r, o); err != nil {
		return err
	}
	return asError(r.Verdict)
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
