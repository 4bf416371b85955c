package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// cvOptions are of the verbs about terminals.
type cvOptions struct {
	holder, algorithm, role, voucher, out, to, reason string
	months, days                                      int
	rights                                            []string
	register                                          bool
}

// cvRights are the rights of inspection systems by name.
var cvRights = map[string]int{"dg3": cvc.ReadDG3, "dg4": cvc.ReadDG4}

func newCVCA(p *program) *cobra.Command {
	var o cvOptions
	cmd := &cobra.Command{
		Use:   "cvca",
		Short: "Make the next key of the country verifying CA; prints its reference",
		Long: `Makes the next key of the authority above terminals that may read fingerprints (BSI
TR-03110), with its self-signed certificate and, from the second on, the link by which the
key before vouches for it. Chips are given the newest one when they are made.
`,
		Example: "  tamthe pki cvca --holder VNCVCA --operator an --second binh",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			office, err := p.openOffice(cmd.Context(), certifying)
			if err != nil {
				return err
			}
			defer office.done()
			r, err := office.MakeCVCA(cmd.Context(), desk.CVCA{Holder: o.holder, Algorithm: o.algorithm, Months: o.months})
			if err != nil {
				return err
			}
			return p.reference("tamthe/pki-cvca/1", r, p.home.path(pkiDir, string(r)+".cvcert"))
		},
	}
	cmd.Flags().StringVar(&o.holder, "holder", "VNCVCA", "country code and mnemonic")
	cmd.Flags().StringVar(&o.algorithm, "algorithm", "brainpoolP256r1", "of the key")
	cmd.Flags().IntVar(&o.months, "months", 36, "of validity, 6 to 36")
	p.pairFlags(cmd)
	return cmd
}

// reference prints a reference with its file.
func (p *program) reference(schema string, r cvc.Reference, file string) error {
	return p.result(struct {
		Schema    string `json:"schema"`
		Reference string `json:"reference"`
		File      string `json:"file"`
	}{schema, string(r), file}, string(r), string(r))
}

func newDV(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dv",
		Short:   "Ask for and issue certificates of document verifiers",
		Long:    "Makes and renews document verifiers, which let terminals read fingerprints (BSI TR-03110,\nTR-03139), and issues certificates for their requests.\n",
		Example: "  tamthe pki dv request --holder VNDV --operator an --second binh\n  tamthe pki dv issue VNDV00001.cvreq --register --operator an --second binh",
	}
	cmd.AddCommand(newDVRequest(p), newCVIssue(p, true), newCVTurn(p, "suspend"), newCVTurn(p, "resume"))
	return family(cmd)
}

func newDVRequest(p *program) *cobra.Command {
	var o cvOptions
	cmd := &cobra.Command{
		Use:     "request",
		Short:   "Make the next key of a document verifier of ours, and its request; prints the file",
		Long:    "Makes the next key of a document verifier of this authority and its request to our CVCA,\ncountersigned with the key before.\n",
		Example: "  tamthe pki dv request --holder VNDV --operator an --second binh",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			office, err := p.openOffice(cmd.Context(), certifying)
			if err != nil {
				return err
			}
			defer office.done()
			r, err := office.RequestDV(cmd.Context(), o.holder, o.algorithm)
			if err != nil {
				return err
			}
			return printFile(p, "tamthe/pki-dv-request/1", string(r)+".cvreq")
		},
	}
	cmd.Flags().StringVar(&o.holder, "holder", "VNDV", "country code and mnemonic")
	cmd.Flags().StringVar(&o.algorithm, "algorithm", "brainpoolP256r1", "of the key; it has to be the CVCA's")
	p.pairFlags(cmd)
	return cmd
}

// newCVIssue is `dv issue` or `terminal issue`.
func newCVIssue(p *program, verifier bool) *cobra.Command {
	var o cvOptions
	what, by, most := "a terminal", "document verifier", "a month"
	example := "  tamthe pki terminal issue VNIS00001.cvreq --register --operator an --second binh"
	if verifier {
		what, by, most = "a document verifier", "CVCA", "three months"
		example = "  tamthe pki dv issue VNDV00001.cvreq --register --operator an --second binh"
	}
	cmd := &cobra.Command{
		Use:   "issue REQUEST",
		Short: "Issue the certificate that a request asks for; prints the files",
		Long: fmt.Sprintf(`Issues the certificate of %s for its request, by our newest %s.
The first request of a holder, who stands here in person, is taken with --register; later
ones have to be countersigned with the key before. With --out the certificates between the
terminal and what chips trust are copied to a folder.
`, what, by),
		Example: example,
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCVIssue(cmd.Context(), p, args[0], o, verifier)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.register, "register", false, "the holder's first request, brought in person")
	f.StringSliceVar(&o.rights, "rights", []string{"dg3"}, "what it may read: dg3, dg4; or none")
	f.IntVar(&o.days, "days", 0, "of validity (else "+most+")")
	f.StringVar(&o.out, "out", "", "a `FOLDER` to copy the certificates to; it is made")
	if verifier {
		f.StringVar(&o.role, "role", "domestic", "domestic or foreign")
		f.StringVar(&o.voucher, "voucher", "", "`FILE` with the certificate of the foreign CVCA that countersigned a first request")
	}
	p.pairFlags(cmd)
	return cmd
}

// order reads what is asked for.
func (o cvOptions) order(p *program, path string, verifier bool) (r desk.CVOrder, err error) {
	r = desk.CVOrder{Days: o.days, Register: o.register, Role: cvc.TerminalRole}
	if verifier {
		switch o.role {
		case "domestic":
			r.Role = cvc.DVDomestic
		case "foreign":
			r.Role = cvc.DVForeign
		default:
			return r, usagef("--role is domestic or foreign")
		}
	}
	for _, name := range o.rights {
		bit, known := cvRights[name]
		if !known && name != "none" {
			return r, usagef("--rights are dg3, dg4 or none")
		}
		if known {
			r.Rights = append(r.Rights, bit)
		}
	}
	b, err := p.input(path, maxCVCertificate)
	if err != nil {
		return r, err
	}
	if r.Request, err = cvc.ParseRequest(b); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	if o.voucher != "" {
		if b, err = p.input(o.voucher, maxCVCertificate); err != nil {
			return r, err
		}
		r.Voucher, err = cvc.Parse(b)
	}
	return r, err
}

func runCVIssue(ctx context.Context, p *program, path string, o cvOptions, verifier bool) error {
	order, err := o.order(p, path, verifier)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	names, err := office.IssueCV(ctx, order)
	if err != nil {
		return err
	}
	dir := p.home.path(pkiDir)
	if o.out != "" {
		if err := copyFiles(dir, o.out, names); err != nil {
			return err
		}
		dir = o.out
	}
	var files []string
	for _, n := range names {
		files = append(files, filepath.Join(dir, n))
	}
	return p.result(struct {
		Schema    string   `json:"schema"`
		Reference string   `json:"reference"`
		Files     []string `json:"files"`
	}{"tamthe/pki-cv-issue/1", string(order.Request.Holder), files}, files[0], strings.Join(files, "\n"))
}

func copyFiles(from, to string, names []string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(from, n))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, n), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// newCVTurn is `dv suspend` and `dv resume`, of terminals too.
func newCVTurn(p *program, verb string) *cobra.Command {
	var o cvOptions
	reason := map[string]string{"suspend": "misuse", "resume": "released"}[verb]
	cmd := &cobra.Command{
		Use:     verb + " HOLDER",
		Short:   map[string]string{"suspend": "Refuse a holder renewals", "resume": "Allow a holder renewals again"}[verb],
		Long:    "CV certificates cannot be revoked: a document verifier or terminal that is suspended gets no\nnew one, and its rights end with the one that it has.\n",
		Example: "  tamthe pki dv " + verb + " VNIS --reason " + reason + " --operator an --second binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkWord("--reason", o.reason); err != nil {
				return err
			}
			office, err := p.openOffice(cmd.Context(), certifying)
			if err != nil {
				return err
			}
			defer office.done()
			if verb == "suspend" {
				err = office.SuspendCV(cmd.Context(), args[0], o.reason)
			} else {
				err = office.ResumeCV(cmd.Context(), args[0], o.reason)
			}
			if err != nil {
				return err
			}
			return p.result(struct {
				Schema string `json:"schema"`
				Holder string `json:"holder"`
			}{"tamthe/pki-cv-" + verb + "/1", args[0]}, args[0], "")
		},
	}
	cmd.Flags().StringVar(&o.reason, "reason", reason, "why, one `WORD`")
	p.pairFlags(cmd)
	return cmd
}

func newTerminal(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "terminal",
		Short: "Make a terminal's key and request, and issue its certificates",
		Long: `A terminal keeps its key in a folder of its own, which tamthe read --terminal takes: request
makes key and request there, issue signs the request at the authority, and install puts the
certificates into the folder. Renewal is the same again.
`,
		Example: "  tamthe pki terminal request gate7 --holder VNIS --sequence 00001\n  tamthe pki terminal issue gate7/VNIS00001.cvreq --register --out certs --operator an --second binh\n  tamthe pki terminal install gate7 certs",
	}
	cmd.AddCommand(newTerminalRequest(p), newCVIssue(p, false), newTerminalInstall(p))
	return family(cmd)
}

// nextKeyFile is the key of a terminal whose certificate is not there yet.
const nextKeyFile = "next.pem"

func newTerminalRequest(p *program) *cobra.Command {
	var o cvOptions
	var sequence string
	cmd := &cobra.Command{
		Use:     "request FOLDER",
		Short:   "Make the next key of a terminal, and its request; prints the file",
		Long:    "Makes a key in the terminal's folder and a request for its certificate, countersigned with\nthe key before if there is one. No ledger is needed.\n",
		Example: "  tamthe pki terminal request gate7 --holder VNIS --sequence 00001",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return runTerminalRequest(p, args[0], o, sequence)
		},
	}
	cmd.Flags().StringVar(&o.holder, "holder", "", "country code and mnemonic, such as VNIS")
	cmd.Flags().StringVar(&sequence, "sequence", "00001", "five characters that the holder's references had never before")
	cmd.Flags().StringVar(&o.to, "to", "", "the `REFERENCE` of the document verifier that it goes to")
	cmd.Flags().StringVar(&o.algorithm, "algorithm", "brainpoolP256r1", "of the key; it has to be the document verifier's")
	return cmd
}

func runTerminalRequest(p *program, dir string, o cvOptions, sequence string) error {
	holder, err := ca.NewReference(o.holder, sequence)
	if err != nil {
		return usageError{err}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	old, err := openTerminal(dir)
	if err != nil && !errors.Is(err, keystore.ErrMissing) {
		return err
	}
	key, err := keystore.Generate(filepath.Join(dir, nextKeyFile), o.algorithm)
	if errors.Is(err, keystore.ErrExists) {
		key, err = keystore.Open("file:" + filepath.Join(dir, nextKeyFile))
	}
	if err != nil {
		return err
	}
	algorithm, err := ca.DefaultCVAlgorithm(key.Public())
	if err != nil {
		return err
	}
	q, err := cvc.NewRequest(cvc.Reference(o.to), holder, algorithm, key)
	if err != nil {
		return err
	}
	if old != nil {
		if q, err = q.Countersign(old.Certificate.Holder, old.Certificate.Key.Algorithm, old.Signer); err != nil {
			return err
		}
	}
	path := filepath.Join(dir, string(holder)+".cvreq")
	if err := os.WriteFile(path, q.Raw, 0o644); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
	}{"tamthe/pki-terminal-request/1", path}, path, path)
}

func newTerminalInstall(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "install FOLDER CERTIFICATES",
		Short:   "Put the certificates that came back into a terminal's folder",
		Long:    "Copies the certificates of a folder into the terminal's, and takes the key into use that\none of them is for.\n",
		Example: "  tamthe pki terminal install gate7 certs",
		Args:    exactly(2),
		RunE:    func(_ *cobra.Command, args []string) error { return runTerminalInstall(p, args[0], args[1]) },
	}
}

func runTerminalInstall(p *program, dir, from string) error {
	next := filepath.Join(dir, nextKeyFile)
	key, err := keystore.Open("file:" + next)
	if err != nil && !errors.Is(err, keystore.ErrMissing) {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(from, "*.cvcert"))
	if err != nil {
		return err
	}
	var names []string
	reference := cvc.Reference("")
	for _, path := range paths {
		c, err := readCVCertificate(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if key != nil && c.CHAT.Role == cvc.TerminalRole && c.Key.Is(key.Public()) {
			reference = c.Holder
		}
		names = append(names, filepath.Base(path))
	}
	if key != nil && reference == "" {
		return fmt.Errorf("%s: %w", from, errNoTerminal)
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: no certificates: %w", from, fs.ErrNotExist)
	}
	if err := copyFiles(from, dir, names); err != nil {
		return err
	}
	if key != nil {
		if err := os.Rename(next, filepath.Join(dir, terminalKeyFile)); err != nil {
			return err
		}
	}
	t, err := openTerminal(dir)
	if err != nil {
		return err
	}
	return p.reference("tamthe/pki-terminal-install/1", t.Certificate.Holder, dir)
}
