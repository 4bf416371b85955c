package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/ca"
)

type pkiOptions struct {
	country, state, organization, algorithm string
	cardYears, days                         int
	named                                   bool
	documents                               []string
	revoke                                  []string
}

func newPKI(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "pki", Short: "Make the authority's certificates and revocation lists"}
	var o pkiOptions
	csca := &cobra.Command{
		Use:   "csca",
		Short: "Make the root of a SPECIMEN authority",
		Long: `Makes the key and the self-signed certificate of a Country Signing CA after ICAO
9303-12, marked SPECIMEN, and puts it into this home's trust folder.
` + exitHelp,
		Example: "  tamthe pki csca --operator an",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCSCA(cmd.Context(), p, o) },
	}
	csca.Flags().StringVar(&o.country, "country", "VN", "two letters")
	csca.Flags().StringVar(&o.state, "state", "VNM", "issuing state as in the MRZ")
	csca.Flags().StringVar(&o.organization, "organization", "tamthe", "organisation of the subject; SPECIMEN is added")
	ds := &cobra.Command{
		Use:   "ds",
		Short: "Make the next document signer",
		Long: `Makes the key and certificate of the next document signer, ds-001, ds-002 and so on,
under the CSCA. Its key signs for three months.
` + exitHelp,
		Example: "  tamthe pki ds --operator an",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDS(cmd.Context(), p, o) },
	}
	ds.Flags().StringSliceVar(&o.documents, "documents", []string{"ID"}, "document codes of the MRZ that it may sign")
	for _, c := range []*cobra.Command{csca, ds} {
		c.Flags().IntVar(&o.cardYears, "card-years", 25, "longest life of a card in years")
		c.Flags().BoolVar(&o.named, "named-curve", false, "name the curve instead of writing its parameters out")
	}
	csca.Flags().StringVar(&o.algorithm, "algorithm", "P-384", "of the key")
	var dsAlgorithm string
	ds.Flags().StringVar(&dsAlgorithm, "algorithm", "P-256", "of the key")
	ds.PreRun = func(*cobra.Command, []string) { o.algorithm = dsAlgorithm }
	crl := &cobra.Command{
		Use:     "crl",
		Short:   "Issue the next revocation list",
		Long:    "Issues the CSCA's next revocation list and puts it into this home's trust folder.\n" + exitHelp,
		Example: "  tamthe pki crl --operator an\n  tamthe pki crl --revoke ds-001 --operator an",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCRL(cmd.Context(), p, o) },
	}
	crl.Flags().IntVar(&o.days, "days", 90, "days until the next list, at most 90")
	crl.Flags().StringSliceVar(&o.revoke, "revoke", nil, "document signers to revoke, such as ds-001")
	for _, c := range []*cobra.Command{csca, ds, crl} {
		p.actingFlags(c)
		cmd.AddCommand(c)
	}
	return cmd
}

func runCSCA(ctx context.Context, p *program, o pkiOptions) error {
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	err = office.MakeCSCA(ctx, ca.CSCA{
		Country: o.country, State: o.state, Organization: o.organization, CommonName: "CSCA", Specimen: true,
		Contact: "ca@tamthe.example", CRL: []string{"http://tamthe.example/csca.crl"}, From: p.now(), CardYears: o.cardYears,
		Named: o.named,
	}, o.algorithm)
	if err != nil {
		return err
	}
	if err := writeIssuers(p, o.country); err != nil {
		return err
	}
	return publishTrust(p, "csca.cer")
}

// writeIssuers says for this home's trust folder what the issuer has, unless the operator
// has said so already.
func writeIssuers(p *program, country string) error {
	path := p.home.path(trustDir, "issuers.toml")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	text := fmt.Sprintf("# What the issuer of this home has; see tamthe trust --help.\n[[issuer]]\ncountry = %q\ndocuments = [\"I\"]\ncrl = \"required\"\nstatus = \"required\"\nchip = \"required\"\n", country)
	return os.WriteFile(path, []byte(text), 0o600)
}

// publishTrust copies what was issued into the home's trust folder.
func publishTrust(p *program, name string) error {
	b, err := os.ReadFile(p.home.path(pkiDir, name))
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.home.path(trustDir, name), b, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, p.home.path(pkiDir, name))
	return err
}

func runDS(ctx context.Context, p *program, o pkiOptions) error {
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	name, err := office.MakeSigner(ctx, ca.Signer{From: p.now(), CardYears: o.cardYears, DocumentTypes: o.documents, Named: o.named}, o.algorithm)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, name)
	return err
}

func runCRL(ctx context.Context, p *program, o pkiOptions) error {
	office, done, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer done()
	if err := office.MakeCRL(ctx, o.days, o.revoke...); err != nil {
		return err
	}
	return publishTrust(p, "csca.crl")
}
