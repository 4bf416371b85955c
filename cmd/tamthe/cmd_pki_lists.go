package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/pki"
)

type listOptions struct {
	signer, named bool
	algorithm     string
}

func (o *listOptions) flags(p *program, cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.signer, "signer", false, "make the next signer of such lists first; prints its name")
	cmd.Flags().StringVar(&o.algorithm, "algorithm", "P-256", "of a signer's key")
	cmd.Flags().BoolVar(&o.named, "named-curve", false, "name the curve of a signer's key")
	p.pairFlags(cmd)
}

// makeListSigner makes a signer and prints its name.
func makeListSigner(ctx context.Context, p *program, o listOptions, deviations bool) error {
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	name, err := office.MakeListSigner(ctx, ca.ListSigner{From: p.now(), Deviations: deviations, Named: o.named}, o.algorithm)
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Signer string `json:"signer"`
		File   string `json:"file"`
	}{"tamthe/pki-list-signer/1", name, p.home.path(pkiDir, name+".cer")}, name, name)
}

func newMasterList(p *program) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "masterlist [FILE…]",
		Short: "Sign the master list of CSCA certificates; prints its file",
		Long: `Signs a CSCA master list (ICAO 9303-12 §9) with all CSCA and link certificates of this
authority, and those of other states in the files. It is signed by a key of its own, which
--signer makes and certifies.
`,
		Example: "  tamthe pki masterlist --signer --operator an --second binh\n  tamthe pki masterlist --operator an --second binh",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.signer {
				if len(args) > 0 {
					return usagef("--signer takes no files")
				}
				return makeListSigner(cmd.Context(), p, o, false)
			}
			return runMasterList(cmd.Context(), p, args)
		},
	}
	o.flags(p, cmd)
	return cmd
}

func runMasterList(ctx context.Context, p *program, paths []string) error {
	var others [][]byte
	for _, path := range paths {
		b, err := p.input(path, cert.MaxCRL)
		if err != nil {
			return err
		}
		for _, x := range lintable(path, b) {
			if x.cert == nil {
				return fmt.Errorf("%s: %w", path, errors.Join(errNoCertificate, x.err))
			}
			others = append(others, x.cert.Raw)
		}
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	file, err := office.MakeMasterList(ctx, others...)
	if err != nil {
		return err
	}
	return printFile(p, "tamthe/pki-masterlist/1", file)
}

// errNoCertificate says that a file holds something else.
var errNoCertificate = errors.New("no certificate")

func newDeviation(p *program) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "deviation FILE",
		Short: "Sign the list of cards that are known to have a fault; prints its file",
		Long: `Signs a deviation list (ICAO 9303-12 §10) of all recalls in the file, in the place of the
list before. It is TOML with one table [[deviation]] a recall: fault (group-malformed,
group-hash, mrz-data, mrz-check-digit, chip, certificate-or-key …), group for the first two,
and whom it concerns: ds, document, first and last day of issue, numbers. All that is said
of a card must hold. --signer makes and certifies the key that signs such lists.
`,
		Example: "  tamthe pki deviation --signer --operator an --second binh\n  tamthe pki deviation recalls.toml --operator an --second binh",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.signer && len(args) == 0:
				return makeListSigner(cmd.Context(), p, o, true)
			case o.signer || len(args) != 1:
				return usagef("one FILE of recalls, or --signer")
			}
			return runDeviation(cmd.Context(), p, args[0])
		},
	}
	o.flags(p, cmd)
	return cmd
}

// recallTOML is a recall in a file.
type recallTOML struct {
	Fault    string         `toml:"fault"`
	Group    int            `toml:"group"`
	Text     string         `toml:"text"`
	DS       string         `toml:"ds"`
	Document string         `toml:"document"`
	First    toml.LocalDate `toml:"first"`
	Last     toml.LocalDate `toml:"last"`
	Numbers  []string       `toml:"numbers"`
}

func parseRecalls(b []byte) ([]desk.Recall, error) {
	var file struct {
		Deviation []recallTOML `toml:"deviation"`
	}
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, usageError{err}
	}
	var list []desk.Recall
	for _, r := range file.Deviation {
		x := ca.Deviation{Fault: pki.Fault(r.Fault), Group: r.Group, Text: r.Text, DocumentType: r.Document, Numbers: r.Numbers}
		if r.First != (toml.LocalDate{}) {
			x.First = r.First.AsTime(time.UTC)
		}
		if r.Last != (toml.LocalDate{}) {
			x.Last = r.Last.AsTime(time.UTC).Add(24*time.Hour - time.Second)
		}
		list = append(list, desk.Recall{Signer: r.DS, Deviation: x})
	}
	return list, nil
}

func runDeviation(ctx context.Context, p *program, path string) error {
	b, err := p.input(path, 16<<20)
	if err != nil {
		return err
	}
	recalls, err := parseRecalls(b)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	file, err := office.MakeDeviationList(ctx, recalls...)
	if err != nil {
		return err
	}
	return printFile(p, "tamthe/pki-deviation/1", file)
}

func newPKD(p *program) *cobra.Command {
	var out string
	version := 1
	cmd := &cobra.Command{
		Use:   "pkd",
		Short: "Write what the ICAO PKD is given; prints the files",
		Long: `Writes the document signers in use, the newest revocation list and the newest master list
as LDIF in the form of the ICAO PKD's collections, after its own checks of uploads.
`,
		Example: "  tamthe pki pkd --out upload --version 7",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runPKD(cmd.Context(), p, out, version) },
	}
	cmd.Flags().StringVar(&out, "out", "", "the `FOLDER` to write to; it is made")
	cmd.Flags().IntVar(&version, "version", 1, "of the collection; it rises with each")
	return cmd
}

func runPKD(ctx context.Context, p *program, out string, version int) error {
	if out == "" || version < 1 || version > 999999 {
		return usagef("--out names a folder, --version is 1 to 999999")
	}
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	files, err := office.Export(ctx, version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(out, name)
		if err := durable.Export(path, files[name], 0o600); err != nil {
			if errors.Is(err, fs.ErrExist) {
				err = hint(err, "give the collection its next --version")
			}
			return err
		}
		paths = append(paths, path)
	}
	return p.result(struct {
		Schema string   `json:"schema"`
		Files  []string `json:"files"`
	}{"tamthe/pki-pkd/1", paths}, out, strings.Join(paths, "\n"))
}
