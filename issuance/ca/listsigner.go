package ca

import (
	"cmp"
	"crypto"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/pki"
)

// ListSigner asks for the certificate of a key that signs master lists, or deviation lists.
type ListSigner struct {
	Serial     *big.Int // see NewSerial
	Key        crypto.PublicKey
	Deviations bool // signs deviation lists, else master lists
	CommonName string
	Number     string // serialNumber attribute; may be empty
	From       time.Time
	UseMonths  int // how long the key signs; 0 means 12
	Named      bool
}

// PrepareListSigner lays out the certificate under the CSCA i: its only purpose is that kind
// of list, it is named by key identifier, and is valid for a year after its key's last
// signature, but no longer than i. Errors as for PrepareSigner.
func (i *Issuer) PrepareListSigner(r ListSigner) (*Draft, error) {
	d, err := i.prepareListSigner(r)
	if err != nil {
		return nil, fmt.Errorf("prepare list signer: %w", err)
	}
	return d, nil
}

func (i *Issuer) prepareListSigner(r ListSigner) (*Draft, error) {
	root := i.Certificate
	if r.Serial == nil || r.From.IsZero() || !root.IsCA() {
		return nil, fmt.Errorf("%w: serial number, start and a CSCA are needed", ErrRequest)
	}
	from := r.From.UTC().Truncate(time.Second)
	if root.PrivateKeyUsage == nil || !root.PrivateKeyUsage.Covers(from) {
		return nil, fmt.Errorf("%w of the CSCA", ErrPeriod)
	}
	key, err := cert.NewPublicKey(r.Key)
	if err != nil {
		return nil, err
	}
	if key.Equal(root.PublicKey) {
		return nil, fmt.Errorf("%w: a CSCA signs no list itself", ErrKey)
	}
	subject, err := i.subject(r.CommonName, r.Number)
	if err != nil {
		return nil, err
	}
	algorithm, err := root.Algorithm.Signature()
	if err != nil {
		return nil, err
	}
	use := from.AddDate(0, cmp.Or(r.UseMonths, 12), 0)
	purpose, profile := cert.OIDMasterListSigner, pki.ProfileMasterList
	if r.Deviations {
		purpose, profile = pki.OIDDeviationListSigner, pki.ProfileDeviationList
	}
	t := cert.Template{
		Serial: r.Serial, Algorithm: algorithm, Issuer: root.Subject, Subject: subject,
		NotBefore: from, NotAfter: earlier(use.AddDate(1, 0, 0), root.NotAfter),
		PublicKey: key, Named: r.Named,
		AuthorityKeyID: root.SubjectKeyID, SubjectKeyID: key.KeyID(),
		KeyUsage:              cert.DigitalSignature,
		PrivateKeyUsage:       &cert.Period{NotBefore: from, NotAfter: use},
		SubjectAltName:        root.SubjectAltName,
		IssuerAltName:         root.SubjectAltName,
		ExtKeyUsage:           []asn1.ObjectIdentifier{purpose},
		CRLDistributionPoints: root.CRLDistributionPoints,
	}
	return prepareCertificate(t, root.PublicKey, profile, root, i.twin)
}

// subject names a subordinate: country, organisation and unit are the CSCA's.
func (i *Issuer) subject(commonName, number string) (cert.Name, error) {
	root := i.Certificate.Subject
	return newName([]cert.Attribute{
		{Type: cert.OIDCountry, Value: root.Country()},
		{Type: cert.OIDOrganization, Value: root.Value(cert.OIDOrganization)},
		{Type: cert.OIDOrganizationalUnit, Value: root.Value(cert.OIDOrganizationalUnit)},
		{Type: cert.OIDCommonName, Value: commonName},
		{Type: cert.OIDSerialNumber, Value: number},
	})
}
