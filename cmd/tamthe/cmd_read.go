package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

func newRead(p *program) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "read",
		Short: "Read the card in the reader into a folder",
		Long: `Opens the card, reads all its files into a folder that only you can read, and prints
the verdict on them, without the chip's own proof. Reading somebody's card needs a purpose,
which is kept with the files. If the card is not read to its end, nothing is written.
`,
		Example: "  tamthe read --purpose border-control --out ./card --can-file can.txt",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runRead(cmd.Context(), p, o) },
	}
	o.openFlags(cmd)
	o.judgeFlags(cmd, readPolicy)
	cmd.Flags().StringVar(&o.purpose, "purpose", "", "`WHY` the card is read, in one line")
	cmd.Flags().StringVar(&o.save, "out", "", "the `FOLDER` to write to, empty or new")
	return cmd
}

// readPolicy is how files that were read are judged.
const readPolicy = "archive"

// The note that is kept with the files.
const (
	purposeFile = "purpose.txt"
	maxPurpose  = 200 // octets
)

// readJSON is what `read --json` prints; the report is as that of verify.
type readJSON struct {
	Schema  string          `json:"schema"`
	Purpose string          `json:"purpose"`
	Folder  string          `json:"folder"`
	Files   []readFileJSON  `json:"files"`
	Report  json.RawMessage `json:"report"`
}

type readFileJSON struct {
	Name   string `json:"name"`
	Octets int    `json:"octets"`
	SHA256 string `json:"sha256"`
}

func runRead(ctx context.Context, p *program, o verifyOptions) error {
	if o.purpose == "" || o.save == "" {
		return usagef("read needs --purpose and --out")
	}
	if len(o.purpose) > maxPurpose || verify.Escape(o.purpose) != o.purpose {
		return usagef("--purpose is one line of at most %d octets", maxPurpose)
	}
	opts, err := o.options(p, readPolicy)
	if err != nil {
		return err
	}
	opts.Policy = whole(opts.Policy)
	report, elapsed, err := o.inspectWith(ctx, p, opts, o.save)
	if err != nil {
		return err
	}
	if p.json {
		return p.readDocument(report, o.save, o.purpose)
	}
	verdict := p.judged(report, verify.RenderOptions{All: o.all, Elapsed: elapsed})
	fmt.Fprintf(p.out, "  "+p.text(wordWritten)+"\n", o.save)
	return verdict
}

// purposeNote is the note that is kept with the files: why and when they were read.
func (o verifyOptions) purposeNote(p *program) string {
	if o.purpose == "" {
		return ""
	}
	return fmt.Sprintf("%s\n%s\n", o.purpose, p.now().UTC().Format(time.RFC3339))
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

func (p *program) readDocument(r *verify.Report, dir, purpose string) error {
	report, err := r.JSON()
	if err != nil {
		return err
	}
	doc := readJSON{"tamthe/read/1", purpose, dir, []readFileJSON{}, report}
	for _, f := range lds.Files() {
		if b, ok := r.Files[f]; ok {
			sum := sha256.Sum256(b)
			doc.Files = append(doc.Files, readFileJSON{f.FileName(), len(b), hex.EncodeToString(sum[:])})
		}
	}
	if err := p.document(doc); err != nil {
		return err
	}
	return asError(r.Verdict)
}
