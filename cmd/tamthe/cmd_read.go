package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence/slip"
)

// readOptions are the flags of read beside those of verify.
type readOptions struct {
	verifyOptions
	purpose, out string
	biometrics   bool
	terminal     string
	slip         slipOption
}

func newRead(p *program) *cobra.Command {
	var o readOptions
	cmd := &cobra.Command{
		Use:   "read",
		Short: "Read the card in the reader into a folder",
		Long: `Opens the card, reads all its files into a folder that only you can read, and prints
the verdict on them, without the chip's own proof. Reading somebody's card needs a purpose,
which is kept with the files in ` + recordFile + `. Where the State's signature is proven, there
is a PNG beside each file with a picture; JPEG 2000 needs OpenJPEG's opj_decompress. Fingers
and irises are neither read nor shown without --biometrics; chips that open them to a
terminal only want --terminal too, a folder with the terminal's private key in ` + terminalKeyFile + `
(PKCS #8, mode 0600) and its CV certificates, *.cvcert. If the card is removed before
its end, the same command goes on where it stopped.
`,
		Example: "  tamthe read --purpose border-control --out ./card --can-file can.txt",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runRead(cmd.Context(), p, o) },
	}
	o.openFlags(cmd)
	o.judgeFlags(cmd, readPolicy)
	cmd.Flags().StringVar(&o.purpose, "purpose", "", "`WHY` the card is read, in one line")
	cmd.Flags().StringVar(&o.out, "out", "", "the `FOLDER` to write to, empty or new")
	cmd.Flags().BoolVar(&o.biometrics, "biometrics", false, "read and show fingers and irises, too, where the chip lets us")
	cmd.Flags().StringVar(&o.terminal, "terminal", "", "`FOLDER` with key and certificates for Terminal Authentication")
	o.slip.flag(cmd)
	return cmd
}

// readPolicy is how files that were read are judged.
const readPolicy = "archive"

const maxPurpose = 200 // octets

func runRead(ctx context.Context, p *program, o readOptions) error {
	if strings.TrimSpace(o.purpose) == "" || o.out == "" {
		return usagef("read needs --purpose and --out")
	}
	if len(o.purpose) > maxPurpose || verify.Escape(o.purpose) != o.purpose {
		return usagef("--purpose is one line of at most %d octets", maxPurpose)
	}
	if o.terminal != "" && !o.biometrics {
		return usagef("--terminal opens fingers and irises, which are read with --biometrics only")
	}
	opts, err := o.options(p, readPolicy)
	if err != nil {
		return err
	}
	if _, err := o.slip.prepare(p, o.purpose); err != nil {
		return err
	}
	opts.Policy, opts.Directory = whole(opts.Policy), true
	if opts.Protected = o.biometrics; o.terminal != "" {
		if opts.Terminal, err = openTerminal(o.terminal); err != nil {
			return err
		}
	}
	r, err := openReading(o.out, o.purpose, p.now())
	if err != nil {
		return err
	}
	opts.Have, opts.Save = r.have, r.save
	officer, err := p.officer()
	if err != nil {
		return err
	}
	report, elapsed, err := o.inspectWith(ctx, p, opts, "")
	at := occasion{verb: "read", purpose: o.purpose, officer: officer}
	if report == nil && r.begun { // files of the card lie here, so that it was read is on record
		at.verb, report = "read-interrupted", r.unfinished(opts)
	}
	if report != nil {
		o.slip.make(p, p.record(report, at), report, slip.KeptFiles)
	}
	if err != nil {
		return r.interrupted(err)
	}
	if err := r.finish(ctx, report, o.biometrics); err != nil {
		return err
	}
	if p.json {
		return p.readDocument(report, r)
	}
	verdict := p.judged(report, verify.RenderOptions{All: o.all, Elapsed: elapsed})
	p.tellReading(r)
	return verdict
}

// whole is the policy with every group that can be read without more rights: a reader
// keeps what it gets.
func whole(policy verify.Policy) verify.Policy {
	policy.Photo, policy.COM = true, true
	policy.Groups = nil
	for n := 1; n <= 16; n++ {
		if n != 3 && n != 4 { // fingers and irises open to Terminal Authentication only
			policy.Groups = append(policy.Groups, n)
		}
	}
	return policy
}

// tellReading says below the report what lies in the folder.
func (p *program) tellReading(r *reading) {
	line := func(w phrase, a ...any) {
		fmt.Fprintf(p.out, "  %s\n", verify.Escape(fmt.Sprintf(p.text(w), a...)))
	}
	line(wordWritten, r.dir)
	if r.resumed > 0 {
		line(wordResumed, r.resumed)
	}
	var missing, shown []string
	for _, m := range r.record.Missing {
		missing = append(missing, fmt.Sprintf("%s [%s]", m.Name, m.Reason))
	}
	if len(missing) > 0 {
		line(wordNotRead, strings.Join(missing, ", "))
	}
	var applications []string
	for _, a := range r.record.Applications {
		applications = append(applications, cmp.Or(a.Name, a.AID))
	}
	if len(applications) > 0 {
		line(wordApplications, strings.Join(applications, ", "))
	}
	if !r.record.Proven {
		line(wordNoPictures)
		return
	}
	for _, s := range r.record.Pictures {
		shown = append(shown, s.Name)
	}
	if len(shown) > 0 {
		line(wordPictures, strings.Join(shown, ", "))
	}
	for _, s := range r.record.Unshown {
		if s.Reason == reasonNoDecoder {
			line(wordNoPicture, s.Of, p.text(wordNoDecoder))
		} else {
			line(wordNoPicture, s.Of, s.Reason)
		}
	}
	if r.openNetwork {
		line(wordOpenNetwork)
	}
}

// readJSON is what `read --json` prints and, without folder and report, what is kept with
// the files; the report is as that of verify.
type readJSON struct {
	Schema   string          `json:"schema"`
	Purpose  string          `json:"purpose"`
	Folder   string          `json:"folder,omitempty"`
	Files    []readFileJSON  `json:"files"`
	Report   json.RawMessage `json:"report,omitempty"`
	At       time.Time       `json:"at"`
	Complete bool            `json:"complete"`
	Card     string          `json:"card,omitempty"`
	Proven   bool            `json:"proven"` // somebody trusted signed the files
	Missing  []missingJSON   `json:"missing"`
	Pictures []pictureJSON   `json:"pictures"`
	Unshown  []unshownJSON   `json:"unshown"`

	Applications []applicationJSON `json:"applications"` // of EF.DIR, for which nobody vouches
}

type applicationJSON struct {
	AID   string `json:"aid"`
	Name  string `json:"name,omitempty"`  // by the standards
	Label string `json:"label,omitempty"` // by the card
}

type readFileJSON struct {
	Name   string `json:"name"`
	Octets int    `json:"octets"`
	SHA256 string `json:"sha256"`
}

// missingJSON is a group that the SOD lists and that was not read.
type missingJSON struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

type pictureJSON struct {
	Name   string `json:"name"`
	Of     string `json:"of"`
	Coding string `json:"coding"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// unshownJSON is a picture that could not be made.
type unshownJSON struct {
	Of     string `json:"of"`
	Coding string `json:"coding"`
	Reason string `json:"reason"`
}

func (p *program) readDocument(report *verify.Report, r *reading) error {
	raw, err := report.JSON()
	if err != nil {
		return err
	}
	doc := r.record
	doc.Folder, doc.Report = r.dir, raw
	if err := p.document(doc); err != nil {
		return err
	}
	return asError(report.Verdict)
}
