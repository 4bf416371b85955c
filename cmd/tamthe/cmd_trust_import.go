package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify/pki"
)

// maxOffer is the largest file that is imported: the whole directory of the ICAO PKD has
// 80 MB.
const maxOffer = 256 << 20

// errListRefused says that a list or certificate was not taken; nothing was then.
var errListRefused = errors.New("refused")

// importOptions are the flags of trust import and update.
type importOptions struct {
	trust        string
	documents    []string
	countries    []string
	fingerprints []string
	operator     string
}

func (o *importOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.trust, "trust", "", "`FOLDER` to import into (else the home's)")
	cmd.Flags().StringSliceVar(&o.documents, "documents", nil, "document `CODES` of the MRZ that new anchors vouch for: P,I (else P for lists)")
	cmd.Flags().StringSliceVar(&o.countries, "countries", nil, "take anchors of these `STATES` only, two letters each (else all)")
	cmd.Flags().StringVar(&o.operator, "operator", "", "`NAME` to be kept with what is imported (else TAMTHE_OPERATOR)")
}

func newTrustImport(p *program) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "Take lists and certificates into the trust folder",
		Long: `Takes files into the trust folder, all of them or none: master lists, deviation and
defect lists, revocation lists, certificates, blocked.toml, and LDIF of the ICAO PKD.

A master list counts only if signatures lead from its signer to a CSCA that you pinned: a
file that you put into the folder yourself, or a self-signed certificate that you import
with --fingerprint after you compared its SHA-256 with the issuer. An older list than the
newest that this device has seen is refused. The anchors of a list vouch for passports,
unless --documents says for more.
`,
		Example: "  tamthe trust import csca-germany.cer --fingerprint 2084aed7…ada8\n  tamthe trust import DE_ML_2026-05-28.ml --documents P,I\n  tamthe trust import icaopkd-001-complete-009410.ldif",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s takes one file or more", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return runTrustImport(p, args, o) },
	}
	o.flags(cmd)
	cmd.Flags().StringSliceVar(&o.fingerprints, "fingerprint", nil, "SHA-256 `FINGERPRINT` of an authority's certificate to pin")
	return cmd
}

func newTrustUpdate(p *program) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "update FROM",
		Short: "Take what is newer from a folder or an address",
		Long: `Takes from a folder, or from one file at an http or https address, each list and
certificate that can be taken, and says what became of each. What is there already and
what is older is passed over; if some are refused, the exit status is 3 and the others were
taken all the same. Nothing that comes this way is pinned, and of lists of anchors only new
editions are taken: the first of each is imported by its name.
`,
		Example: "  tamthe trust update /media/usb\n  tamthe trust update https://example.org/DE_ML.ml",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runTrustUpdate(cmd.Context(), p, args[0], o) },
	}
	o.flags(cmd)
	return cmd
}

func runTrustImport(p *program, files []string, o importOptions) error {
	opts, err := o.options(p)
	if err != nil {
		return err
	}
	var offers []pki.Offer
	for _, name := range files {
		b, err := pki.ReadFile(os.DirFS(filepath.Dir(name)), filepath.Base(name), maxOffer)
		if err != nil {
			return fmt.Errorf("%s: %w", name, unwrapPath(err))
		}
		offers = append(offers, pki.Offer{Name: name, Octets: b})
	}
	return p.importOffers("trust-import", o.trust, offers, opts)
}

func runTrustUpdate(ctx context.Context, p *program, from string, o importOptions) error {
	opts, err := o.options(p)
	if err != nil {
		return err
	}
	opts.Each = true
	var offers []pki.Offer
	if strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://") {
		offers, err = fetchOffer(ctx, from)
	} else {
		offers, err = folderOffers(from)
	}
	if err != nil {
		return err
	}
	return p.importOffers("trust-update", o.trust, offers, opts)
}

// unwrapPath takes off the path that an error of the file system names beside ours.
func unwrapPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func (o importOptions) options(p *program) (pki.ImportOptions, error) {
	opts := pki.ImportOptions{At: p.now(), Operator: first(o.operator, os.Getenv("TAMTHE_OPERATOR"))}
	for _, d := range o.documents {
		if d = strings.ToUpper(d); len(d) < 1 || len(d) > 2 || strings.Trim(d, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return opts, usagef("--documents: %q is no document code of one or two letters", d)
		}
		opts.Documents = append(opts.Documents, d)
	}
	for _, c := range o.countries {
		if c = strings.ToUpper(c); len(c) != 2 {
			return opts, usagef("--countries: %q is not two letters", c)
		}
		opts.Countries = append(opts.Countries, c)
	}
	for _, f := range o.fingerprints {
		b, err := hex.DecodeString(strings.ReplaceAll(f, ":", ""))
		if err != nil || len(b) != 32 {
			return opts, usagef("--fingerprint: %q is no SHA-256", f)
		}
		opts.Pins = append(opts.Pins, [32]byte(b))
	}
	return opts, nil
}

// folderOffers reads the files of a folder, in the order of their names.
func folderOffers(dir string) ([]pki.Offer, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var offers []pki.Offer
	total := int64(0)
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		b, err := pki.ReadFile(os.DirFS(dir), e.Name(), maxOffer-total)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, e.Name()), unwrapPath(err))
		}
		total += int64(len(b))
		offers = append(offers, pki.Offer{Name: filepath.Join(dir, e.Name()), Octets: b})
	}
	if len(offers) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, errNothingOffered)
	}
	return offers, nil
}

var errNothingOffered = errors.New("there is no file to import")

// fetchOffer gets one file. Its name is what the address ends in, so that it cannot be
// taken for the operator's own blocked.toml.
func fetchOffer(ctx context.Context, url string) ([]pki.Offer, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, usagef("%w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxOffer+1))
	if err == nil && len(b) > maxOffer {
		err = fmt.Errorf("%s: %w", url, pki.ErrFile)
	}
	return []pki.Offer{{Name: url + "?", Octets: b}}, err
}

// folder is a trust folder, by default that of the home, with what this device has seen.
func (p *program) folder(dir string) (pki.TrustFolder, error) {
	seen, err := p.seen()
	dir = first(dir, p.home.path(trustDir))
	return pki.TrustFolder{Path: dir, Specimen: ofSpecimens(dir), Seen: seen}, err
}

func (p *program) importOffers(verb, dir string, offers []pki.Offer, o pki.ImportOptions) error {
	folder, err := p.folder(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(p.home), 0o700); err != nil {
		return err
	}
	receipts, err := folder.Import(offers, o)
	if err != nil {
		return refusedList(err)
	}
	if err := p.imported(verb, receipts); err != nil {
		return err
	}
	if slices.ContainsFunc(receipts, refused) {
		return verdictError(exitRefused)
	}
	return nil
}

// refused says whether nothing of a file may be taken; one that is only older is passed over.
func refused(r pki.Receipt) bool { return r.Err != nil && !errors.Is(r.Err, pki.ErrRollback) }

// refusedList marks what was found about a list, and is no fault of the program or disk.
func refusedList(err error) error {
	if errors.Is(err, pki.ErrList) || errors.Is(err, pki.ErrUnpinned) {
		return listError{err}
	}
	return err
}

// listError is an errListRefused that says no more than the error within.
type listError struct{ error }

func (e listError) Unwrap() []error { return []error{errListRefused, e.error} }
