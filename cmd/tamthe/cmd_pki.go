package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify/durable"
)

type pkiOptions struct {
	country, state, organization, algorithm string
	cardYears, days, useMonths, cap         int
	named, next                             bool
	documents                               []string
	revoke                                  []string
	rename, urgent, reason                  string
}

func newPKI(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "pki",
		Short:   "Make the authority's certificates and revocation lists",
		Long:    "Makes the certificates and revocation lists of a SPECIMEN authority after ICAO 9303-12, and\nsays which of its rules anyone's break.\n",
		Example: "  tamthe pki csca --operator an --second binh\n  tamthe pki ds --operator an --second binh\n  tamthe pki crl --operator an --second binh",
	}
	cmd.AddCommand(newCSCA(p), newLink(p), newDS(p), newCRL(p), newMasterList(p), newDeviation(p), newCVCA(p), newDV(p), newTerminal(p), newPKD(p), newPKIStatus(p), newLint(p), newCeremony(p))
	return family(cmd)
}

func newCSCA(p *program) *cobra.Command {
	var o pkiOptions
	cmd := &cobra.Command{
		Use:   "csca",
		Short: "Make the root of a SPECIMEN authority; prints its file",
		Long: `Makes the key and the self-signed certificate of a Country Signing CA after ICAO
9303-12, marked SPECIMEN, and puts it into this home's trust folder.

With --next it is the key that follows. The first call makes and announces it, and prints
when the notice of 90 days to other states is over; a call after that certifies it. The
next key signs nothing before tamthe pki link and two days after that; then it signs
everything. --name-change gives the CSCA another name with its next key; --urgent, with a
reason in one word, does without the notice: the present key was lost, say.
`,
		Example: "  tamthe pki csca --operator an --second binh\n  tamthe pki csca --next --operator an --second binh",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !o.next && (o.rename != "" || o.urgent != "") {
				return usagef("--name-change and --urgent are of --next")
			}
			if o.next {
				return runNextCSCA(cmd.Context(), p, o)
			}
			return runCSCA(cmd.Context(), p, o)
		},
	}
	cmd.Flags().BoolVar(&o.next, "next", false, "announce or certify the key that follows")
	cmd.Flags().StringVar(&o.rename, "name-change", "", "common `NAME` of the CSCA from its next key on")
	cmd.Flags().StringVar(&o.urgent, "urgent", "", "why the notice is not waited for, one `WORD`: compromised, lost …")
	cmd.Flags().StringVar(&o.country, "country", "VN", "two letters")
	cmd.Flags().StringVar(&o.state, "state", "VNM", "issuing state as in the MRZ")
	cmd.Flags().StringVar(&o.organization, "organization", "tamthe", "organisation of the subject; SPECIMEN is added")
	o.keyFlags(p, cmd, "P-384")
	return cmd
}

func newDS(p *program) *cobra.Command {
	var o pkiOptions
	cmd := &cobra.Command{
		Use:   "ds",
		Short: "Make the next document signer; prints its name",
		Long: `Makes the key and certificate of the next document signer, ds-001, ds-002 and so on,
under the CSCA that signs today. Its key signs for --use-months, and no more than --cap
cards: what a revocation would call into question.
`,
		Example: "  tamthe pki ds --operator an --second binh",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDS(cmd.Context(), p, o) },
	}
	cmd.Flags().StringSliceVar(&o.documents, "documents", []string{"ID"}, "document codes of the MRZ that it may sign")
	cmd.Flags().IntVar(&o.useMonths, "use-months", 3, "how long its key signs, 1 to 3 months")
	cmd.Flags().IntVar(&o.cap, "cap", 100_000, "how many cards it may sign")
	o.keyFlags(p, cmd, "P-256")
	return cmd
}

func (o *pkiOptions) keyFlags(p *program, cmd *cobra.Command, algorithm string) {
	cmd.Flags().StringVar(&o.algorithm, "algorithm", algorithm, "of the key: P-256, P-384, brainpoolP256r1, brainpoolP384r1, RSA-3072 …")
	cmd.Flags().IntVar(&o.cardYears, "card-years", 25, "longest life of a card in years")
	cmd.Flags().BoolVar(&o.named, "named-curve", false, "name the curve instead of writing its parameters out")
	p.pairFlags(cmd)
}

func newCRL(p *program) *cobra.Command {
	var o pkiOptions
	cmd := &cobra.Command{
		Use:   "crl",
		Short: "Issue the next revocation list; prints its file",
		Long: `Issues the CSCA's next revocation list and puts it into this home's trust folder. The key
that signs today signs it, and it tells what earlier keys issued too. A CSCA is revoked by
one last list of its own, after which it signs nothing.
`,
		Example: "  tamthe pki crl --operator an --second binh\n  tamthe pki crl --revoke ds-001 --operator an --second binh",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCRL(cmd.Context(), p, o) },
	}
	cmd.Flags().IntVar(&o.days, "days", 90, "days until the next list, 1 to 90")
	cmd.Flags().StringSliceVar(&o.revoke, "revoke", nil, "signers to revoke, such as ds-001 or mls-001; or one CSCA")
	cmd.Flags().StringVar(&o.reason, "reason", "compromised", "why a CSCA is revoked: compromised, lost, superseded or ceased")
	p.pairFlags(cmd)
	return cmd
}

// letters says whether s is so many capital letters.
func letters(s string, from, to int) bool {
	return len(s) >= from && len(s) <= to && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func runCSCA(ctx context.Context, p *program, o pkiOptions) error {
	if !letters(o.country, 2, 2) || !letters(o.state, 1, 3) {
		return usagef("--country is two capital letters, --state one to three: VN and VNM")
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	err = office.MakeCSCA(ctx, ca.CSCA{
		Country: o.country, State: o.state, Organization: o.organization, CommonName: "CSCA", Specimen: true,
		Contact: "ca@tamthe.example", CRL: []string{"http://tamthe.example/csca.crl"}, From: p.now(), CardYears: o.cardYears,
		Named: o.named,
	}, o.algorithm)
	if err != nil {
		return err
	}
	if err := writeIssuers(ctx, p, o.country); err != nil {
		return err
	}
	return publishTrust(p, "tamthe/pki-csca/1", "csca.cer")
}

// writeIssuers says for this home's trust folder what the issuer has, unless the operator
// has said so already.
func writeIssuers(ctx context.Context, p *program, country string) error {
	key, err := desk.Authority{Keys: laterRing{p}}.StatusKeyID(ctx)
	pin := ""
	switch {
	case err == nil:
		pin = fmt.Sprintf("status_keys = [\"%x\"]\n", key)
	case !errors.Is(err, keystore.ErrMissing): // as in a home that an older program made
		return err
	}
	log, err := keystore.OpenLogIn(ctx, p.home.path(keysDir, logKeyName), laterRing{p})
	if err != nil {
		return err
	}
	// No card of this issuer is older than its log: each must prove that it stands there.
	pin += fmt.Sprintf("log = \"required\"\nlogs = [%q]\n", log.Verifier)
	text := fmt.Sprintf("# What the issuer of this home has; see tamthe trust --help.\n[[issuer]]\ncountry = %q\ndocuments = [\"I\"]\ncrl = \"required\"\nstatus = \"required\"\nchip = \"required\"\n%s", country, pin)
	if err = durable.Export(p.home.path(trustDir, "issuers.toml"), []byte(text), 0o600); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// publishTrust copies what was issued into the home's trust folder and prints where it is.
func publishTrust(p *program, schema, name string) error {
	path := p.home.path(pkiDir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.home.path(trustDir, name), b, 0o600); err != nil {
		return err
	}
	return printFile(p, schema, name)
}

// printFile prints where something that was issued is.
func printFile(p *program, schema, name string) error {
	path := p.home.path(pkiDir, name)
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
	}{schema, path}, path, path)
}

func runDS(ctx context.Context, p *program, o pkiOptions) error {
	if o.useMonths < 1 || o.useMonths > 3 || o.cap < 1 {
		return usagef("--use-months is 1 to 3, --cap one or more")
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	name, err := office.MakeSigner(ctx, ca.Signer{
		From: p.now(), CardYears: o.cardYears, DocumentTypes: o.documents, Named: o.named, UseMonths: o.useMonths, Cap: o.cap,
	}, o.algorithm)
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Signer string `json:"signer"`
		File   string `json:"file"`
	}{"tamthe/pki-ds/1", name, p.home.path(pkiDir, name+".cer")}, name, name)
}

func runCRL(ctx context.Context, p *program, o pkiOptions) error {
	if o.days < 1 || o.days > 90 {
		return usagef("--days is 1 to 90, not %d", o.days)
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	if len(o.revoke) == 1 && strings.HasPrefix(o.revoke[0], "csca") {
		err = office.RevokeCSCA(ctx, o.revoke[0], o.days, o.reason)
	} else {
		err = office.MakeCRL(ctx, o.days, o.revoke...)
	}
	if err != nil {
		return err
	}
	return publishTrust(p, "tamthe/pki-crl/1", "csca.crl")
}
