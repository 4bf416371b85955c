package ca

import (
	"cmp"
	"crypto"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/pki"
)

// CSCA asks for a self-signed root certificate.
type CSCA struct {
	Serial       *big.Int         // see NewSerial
	Key          crypto.PublicKey // the root's own
	Algorithm    cert.Algorithm   // zero: cert.DefaultAlgorithm of Key
	Country      string           // two capital letters, ISO 3166-1
	State        string           // as in the MRZ, e.g. "VNM" (Doc 9303-3 §5)
	Organization string
	Unit         string // may be empty
	CommonName   string
	Number       string // serialNumber attribute, tells generations apart; may be empty
	Specimen     bool   // adds Specimen to the organisation
	Contact      string // mail address of the authority
	CRL          []string
	From         time.Time
	UseYears     int  // how long the key signs; 0 means 5
	SignerMonths int  // how long the last document signer's key signs; 0 means 3
	CardYears    int  // longest life of a card
	Named        bool // name the curve instead of writing its parameters out
}

// PrepareCSCA lays out a root certificate: valid until the last card signed under its
// last document signer has expired. Errors wrap ErrRequest, cert's errors or *LintError.
func PrepareCSCA(r CSCA) (*Draft, error) {
	if r.Serial == nil || r.CardYears <= 0 || r.From.IsZero() {
		return nil, fmt.Errorf("prepare CSCA: %w: serial number, start and life of cards are needed", ErrRequest)
	}
	subject, err := r.subject()
	if err != nil {
		return nil, fmt.Errorf("prepare CSCA: %w", err)
	}
	names, err := r.alternativeNames()
	if err != nil {
		return nil, fmt.Errorf("prepare CSCA: %w", err)
	}
	d, err := prepareRoot(generation{
		serial: r.Serial, key: r.Key, algorithm: r.Algorithm, subject: subject, names: names, crl: r.CRL,
		from: r.From, useYears: r.UseYears, signerMonths: r.SignerMonths, cardYears: r.CardYears, named: r.Named,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare CSCA: %w", err)
	}
	return d, nil
}

func (r CSCA) subject() (cert.Name, error) {
	organisation := r.Organization
	if r.Specimen && !strings.Contains(organisation, Specimen) {
		organisation = strings.TrimSpace(organisation + " " + Specimen)
	}
	return newName([]cert.Attribute{
		{Type: cert.OIDCountry, Value: r.Country},
		{Type: cert.OIDOrganization, Value: organisation},
		{Type: cert.OIDOrganizationalUnit, Value: r.Unit},
		{Type: cert.OIDCommonName, Value: r.CommonName},
		{Type: cert.OIDSerialNumber, Value: r.Number},
	})
}

// newName leaves empty attributes out.
func newName(attributes []cert.Attribute) (cert.Name, error) {
	return cert.NewName(slices.DeleteFunc(attributes, func(a cert.Attribute) bool { return a.Value == "" })...)
}

// alternativeNames are a contact and the state as written in the MRZ (Doc 9303-12 §7.1.1.2).
func (r CSCA) alternativeNames() ([]cert.GeneralName, error) {
	state, err := cert.NewName(cert.Attribute{Type: cert.OIDLocality, Tag: byte(tags.PrintableString), Value: r.State})
	if err != nil {
		return nil, err
	}
	return []cert.GeneralName{cert.MailName(r.Contact), cert.DirectoryName(state)}, nil
}

// Signer asks for a document signer certificate.
type Signer struct {
	Serial        *big.Int // see NewSerial
	Key           crypto.PublicKey
	CommonName    string // with the country it names the signer; at most 64 characters
	Number        string // serialNumber attribute; may be empty
	From          time.Time
	UseMonths     int      // how long the key signs; 0 means 3
	CardYears     int      // longest life of a card
	DocumentTypes []string // as in the MRZ, e.g. "I"
	Named         bool
	Cap           int // how many cards it may sign, which the ledger holds, not the certificate; 0 leaves it to the desk
}

// PrepareSigner lays out a document signer certificate under the CSCA i: country,
// organisation, alternative names and distribution points are the CSCA's; valid from
// the first day of the key's use until the last card has expired. A start outside the
// CSCA's own key usage period is ErrPeriod. Errors wrap that, ErrRequest, cert's errors
// or *LintError.
func (i *Issuer) PrepareSigner(r Signer) (*Draft, error) {
	d, err := i.prepareSigner(r)
	if err != nil {
		return nil, fmt.Errorf("prepare document signer: %w", err)
	}
	return d, nil
}

func (i *Issuer) prepareSigner(r Signer) (*Draft, error) {
	root := i.Certificate
	if r.Serial == nil || r.CardYears <= 0 || r.From.IsZero() || !root.IsCA() {
		return nil, fmt.Errorf("%w: serial number, start, life of cards and a CSCA are needed", ErrRequest)
	}
	from := r.From.UTC().Truncate(time.Second)
	if root.PrivateKeyUsage == nil || !root.PrivateKeyUsage.Covers(from) {
		return nil, fmt.Errorf("%w of the CSCA", ErrPeriod)
	}
	key, err := cert.NewPublicKey(r.Key)
	if err != nil {
		return nil, err
	}
	subject, err := i.subject(r.CommonName, r.Number)
	if err != nil {
		return nil, err
	}
	algorithm, err := root.Algorithm.Signature()
	if err != nil {
		return nil, err
	}
	use := from.AddDate(0, cmp.Or(r.UseMonths, 3), 0)
	t := cert.Template{
		Serial: r.Serial, Algorithm: algorithm, Issuer: root.Subject, Subject: subject,
		NotBefore: from, NotAfter: use.AddDate(r.CardYears, 0, 0),
		PublicKey: key, Named: r.Named,
		AuthorityKeyID:        root.SubjectKeyID,
		KeyUsage:              cert.DigitalSignature,
		PrivateKeyUsage:       &cert.Period{NotBefore: from, NotAfter: use},
		SubjectAltName:        root.SubjectAltName,
		IssuerAltName:         root.SubjectAltName,
		CRLDistributionPoints: root.CRLDistributionPoints,
		DocumentTypes:         r.DocumentTypes,
	}
	return prepareCertificate(t, root.PublicKey, pki.ProfileSigner, root, i.twin)
}

func prepareCertificate(t cert.Template, issuer cert.PublicKey, p pki.Profile, root *cert.Certificate, twin crypto.Signer) (*Draft, error) {
	tbs, err := t.TBS()
	if err != nil {
		return nil, err
	}
	d := &Draft{
		TBS: tbs, algorithm: t.Algorithm, issuer: issuer,
		assemble: func(sig []byte) ([]byte, error) { return cert.Assemble(tbs, t.Algorithm, sig) },
		check: func(signed []byte, key cert.PublicKey) ([]Finding, error) {
			c, err := cert.Parse(signed)
			if err != nil {
				return nil, err
			}
			if err := c.CheckSignature(key); err != nil {
				return nil, err
			}
			return Lint(c, p, root), nil
		},
	}
	return d, d.rehearse(twin)
}
