package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ceremony"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify"
)

type ceremonyOptions struct {
	transcript, in, out string
	custodians          []string
	rehearsal           bool
}

func newCeremony(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ceremony",
		Short:   "Run a key ceremony by a script, and replay its transcript",
		Long:    "Runs a key ceremony by a script that was written before it, and replays transcripts.\n",
		Example: "  tamthe pki ceremony run first.toml --custodian an --custodian binh --transcript first.log",
	}
	cmd.AddCommand(newCeremonyRun(p), newCeremonyVerify(p))
	return family(cmd)
}

func newCeremonyRun(p *program) *cobra.Command {
	var o ceremonyOptions
	cmd := &cobra.Command{
		Use:   "run SCRIPT",
		Short: "Conduct a ceremony; prints the digest of its transcript",
		Long: `Conducts a ceremony step by step. The script is TOML: title, how many custodians, and the
steps: attend (custodians sign a challenge), say (answered with yes), ask, act (csca,
csca-next, link, ds, crl, list-signer, masterlist, cvca), read (a check value is read aloud
and typed back), import and export (files with two signatures, from --in and to --out).
Answers are read from standard input, a line each.

Every prompt and answer goes into the transcript with its time. A custodian who is missing
stops it. At the end all custodians sign, and the ledger keeps the transcript's digest.
With --rehearsal all keys are throwaway ones, and nothing is recorded here.
`,
		Example: "  tamthe pki ceremony run first.toml --rehearsal --custodian an --custodian binh --transcript r.log",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCeremony(cmd.Context(), p, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.transcript, "transcript", "", "`FILE` for the transcript; it must not be there")
	f.StringArrayVar(&o.custodians, "custodian", nil, "`NAME[=PASSPHRASE-FILE]` of a custodian; once for each")
	f.BoolVar(&o.rehearsal, "rehearsal", false, "with throwaway keys")
	f.StringVar(&o.in, "in", "", "`FOLDER` of files that come in, each with its NAME.sig")
	f.StringVar(&o.out, "out", "", "`FOLDER` for files that go out; it is made")
	return cmd
}

// hall is where a ceremony takes place.
type hall struct {
	*program
	o       ceremonyOptions
	answers *bufio.Scanner
	keys    []crypto.Signer
	by      []ceremony.Custodian
	pass    string // of throwaway keys
}

func runCeremony(ctx context.Context, p *program, path string, o ceremonyOptions) error {
	b, err := p.input(path, 64<<10)
	if err != nil {
		return err
	}
	script, err := ceremony.Parse(b)
	if err != nil {
		return usageError{err}
	}
	if o.transcript == "" || len(o.custodians) > script.Custodians {
		return usagef("--transcript names a file, and there are %d custodians in the script", script.Custodians)
	}
	h := &hall{program: p, o: o, answers: bufio.NewScanner(p.in)}
	defer h.leave()
	if o.rehearsal {
		dir, err := os.MkdirTemp("", "tamthe-rehearsal-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := h.rehearse(ctx, dir); err != nil {
			return err
		}
	}
	raw, err := h.conduct(ctx, script)
	if err != nil {
		return err
	}
	report, err := ceremony.Verify(raw)
	if err != nil {
		return err
	}
	if !o.rehearsal {
		if err := h.record(ctx, report); err != nil {
			return err
		}
	}
	digest := hex.EncodeToString(report.Digest[:])
	return p.result(struct {
		Schema     string `json:"schema"`
		Transcript string `json:"transcript"`
		Digest     string `json:"digest"`
		Rehearsal  bool   `json:"rehearsal"`
	}{"tamthe/pki-ceremony-run/1", o.transcript, digest, o.rehearsal}, o.transcript, digest)
}

// leave forgets the custodians' keys.
func (h *hall) leave() {
	for _, k := range h.keys {
		forget(k)
	}
}

// conduct runs the script and returns the transcript, which stays on the disk whatever comes.
func (h *hall) conduct(ctx context.Context, script *ceremony.Script) ([]byte, error) {
	f, err := os.OpenFile(h.o.transcript, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	err = ceremony.Run(ctx, script, ceremony.Room{
		Now: h.now, Transcript: io.MultiWriter(synced{f}, &all), Custodian: h.custodian, Ask: h.prompt,
		Show: func(text string) { h.say("%s", text) },
		Act:  h.act, CheckValue: h.checkValue, Import: h.take, Export: h.give, Known: h.known,
	}, h.o.rehearsal)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, hint(err, "the transcript up to there is %s", h.o.transcript)
	}
	return all.Bytes(), nil
}

// synced has each line on the disk before the ceremony goes on.
type synced struct{ *os.File }

func (s synced) Write(b []byte) (int, error) {
	n, err := s.File.Write(b)
	return n, errors.Join(err, s.Sync())
}

// prompt shows what is asked and reads a line.
func (h *hall) prompt(_ context.Context, text string) (string, error) {
	if !h.json {
		fmt.Fprintf(h.err, "tamthe: %s?\n", verify.Escape(text))
	}
	if !h.answers.Scan() {
		return "", errors.Join(errNoAnswer, h.answers.Err())
	}
	return strings.TrimRight(h.answers.Text(), "\r"), nil
}

// errNoAnswer says that standard input ended.
var errNoAnswer = errors.New("nobody answers")

// custodian lets the nth come forward.
func (h *hall) custodian(ctx context.Context, n int) (ceremony.Custodian, error) {
	if n >= len(h.o.custodians) {
		return ceremony.Custodian{}, fmt.Errorf("%d of them came", n)
	}
	name, file, _ := strings.Cut(h.o.custodians[n], "=")
	var key crypto.Signer
	var err error
	if h.o.rehearsal {
		key, err = keystore.OpenOperator(h.home.path(keysDir, operatorPrefix+name), []byte(h.pass))
	} else {
		key, err = h.unseal(ctx, "--custodian", name, "--custodian NAME=FILE", file)
	}
	if err != nil {
		return ceremony.Custodian{}, err
	}
	h.keys = append(h.keys, key)
	c := ceremony.Custodian{Name: name, Key: key}
	field, err := issuance.KeyField(key.Public())
	if err != nil {
		return ceremony.Custodian{}, err
	}
	if err := h.known(ctx, name, field); err != nil {
		return ceremony.Custodian{}, fmt.Errorf("%s: %w", name, err)
	}
	h.by = append(h.by, c)
	return c, nil
}

// known asks the ledger whether a key is a custodian's.
func (h *hall) known(ctx context.Context, name, key string) error {
	if h.o.rehearsal {
		return nil
	}
	office, err := h.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	return office.KnownCustodian(ctx, name, key)
}

// office is the desk with the first two custodians at it.
func (h *hall) office(ctx context.Context) (*office, error) {
	h.signedIn = []crypto.Signer{h.by[0].Key, h.by[1].Key}
	defer func() { h.signedIn = nil }()
	return h.openOffice(ctx, certifying)
}

// record puts the digest of the transcript into the ledger.
func (h *hall) record(ctx context.Context, r *ceremony.Report) error {
	office, err := h.office(ctx)
	if err != nil {
		return err
	}
	defer office.done()
	return office.RecordCeremony(ctx, r.Digest, r.Script)
}

// rehearse makes a home of its own with throwaway keys for those who rehearse.
func (h *hall) rehearse(ctx context.Context, dir string) error {
	if len(h.o.custodians) < 2 {
		return nil // the first step stops it
	}
	stage := *h.program
	stage.home, stage.ledger, stage.conf, stage.ring, stage.closers = home(dir), place{}, config{}, nil, nil
	h.program = &stage
	var secret [16]byte
	rand.Read(secret[:])
	h.pass = hex.EncodeToString(secret[:])
	var founders [2]desk.Founder
	for i, c := range h.o.custodians {
		name, _, _ := strings.Cut(c, "=")
		if err := checkWord("--custodian", name); err != nil {
			return err
		}
		if i < 2 {
			founders[i] = desk.Founder{Name: name, Roles: issuance.Roles()}
			continue
		}
		key, err := keystore.GenerateOperator(h.home.path(keysDir, operatorPrefix+name), []byte(h.pass))
		if err != nil {
			return err
		}
		key.Destroy()
	}
	_, err := h.found(ctx, initOptions{origin: "rehearsal.tamthe.example/log"}, h.ledgerPlace(), [2]string{h.pass, h.pass}, founders)
	return err
}

// take reads a file that comes in, with its signatures.
func (h *hall) take(_ context.Context, of string) (content, signed []byte, err error) {
	if h.o.in == "" {
		return nil, nil, usagef("--in names the folder that %s comes from", of)
	}
	if content, err = os.ReadFile(filepath.Join(h.o.in, of)); err != nil {
		return nil, nil, err
	}
	signed, err = os.ReadFile(filepath.Join(h.o.in, of+".sig"))
	return content, signed, err
}

// give writes a published file out, with the custodians' signatures beside it.
func (h *hall) give(_ context.Context, of string, sign func([]byte) ([]byte, error)) (ceremony.Output, error) {
	if h.o.out == "" {
		return ceremony.Output{}, usagef("--out names the folder that %s goes to", of)
	}
	content, err := os.ReadFile(h.home.path(pkiDir, of))
	if err != nil {
		return ceremony.Output{}, err
	}
	signed, err := sign(content)
	if err != nil {
		return ceremony.Output{}, err
	}
	err = errors.Join(os.MkdirAll(h.o.out, 0o755),
		os.WriteFile(filepath.Join(h.o.out, of), content, 0o644), os.WriteFile(filepath.Join(h.o.out, of+".sig"), signed, 0o644))
	return ceremony.Output{Name: of, Digest: ceremony.Digest(content)}, err
}
