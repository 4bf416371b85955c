package ca

import (
	"cmp"
	"crypto"
	"fmt"
	"math/big"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/pki"
)

// Successor asks for the self-signed certificate of a CSCA's next key.
type Successor struct {
	Serial       *big.Int // see NewSerial
	Key          crypto.PublicKey
	Algorithm    cert.Algorithm // zero: cert.DefaultAlgorithm of Key
	CommonName   string         // empty: the name stays; else the CSCA is called so from now on
	From         time.Time
	UseYears     int // as of CSCA
	SignerMonths int
	CardYears    int
	Named        bool
}

// PrepareSuccessor lays out the root certificate of the key that follows i's: all but the
// key, its times and perhaps the common name is as it was. A key that i has already is
// ErrKey. Errors as for PrepareCSCA.
func (i *Issuer) PrepareSuccessor(r Successor) (*Draft, error) {
	root := i.Certificate
	key, err := cert.NewPublicKey(r.Key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("prepare next CSCA: %w", err)
	case !root.IsCA():
		return nil, fmt.Errorf("prepare next CSCA: %w: a CSCA is needed", ErrRequest)
	case key.Equal(root.PublicKey):
		return nil, fmt.Errorf("prepare next CSCA: %w: the next key is the present one", ErrKey)
	}
	subject := root.Subject
	if r.CommonName != "" && r.CommonName != subject.CommonName() {
		if subject, err = renamed(subject, r.CommonName); err != nil {
			return nil, fmt.Errorf("prepare next CSCA: %w", err)
		}
	}
	d, err := prepareRoot(generation{
		serial: r.Serial, key: r.Key, algorithm: r.Algorithm, subject: subject, names: root.SubjectAltName, crl: root.CRLDistributionPoints,
		from: r.From, useYears: r.UseYears, signerMonths: r.SignerMonths, cardYears: r.CardYears, named: r.Named,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare next CSCA: %w", err)
	}
	return d, nil
}

// renamed is the name with another common name.
func renamed(n cert.Name, common string) (cert.Name, error) {
	var list []cert.Attribute
	for _, a := range n.Attributes {
		if a.Type.Equal(cert.OIDCommonName) {
			a.Value = common
		}
		list = append(list, a)
	}
	return cert.NewName(list...)
}

// generation is what self-signed certificates of all generations have in common.
type generation struct {
	serial                            *big.Int
	key                               crypto.PublicKey
	algorithm                         cert.Algorithm
	subject                           cert.Name
	names                             []cert.GeneralName
	crl                               []string
	from                              time.Time
	useYears, signerMonths, cardYears int
	named                             bool
}

// prepareRoot lays out a root certificate: valid until the last card signed under its last
// document signer has expired.
func prepareRoot(r generation) (*Draft, error) {
	if r.serial == nil || r.cardYears <= 0 || r.from.IsZero() {
		return nil, fmt.Errorf("%w: serial number, start and life of cards are needed", ErrRequest)
	}
	key, err := cert.NewPublicKey(r.key)
	if err != nil {
		return nil, err
	}
	if r.algorithm == (cert.Algorithm{}) {
		if r.algorithm, err = cert.DefaultAlgorithm(r.key); err != nil {
			return nil, err
		}
	}
	from := r.from.UTC().Truncate(time.Second)
	use := from.AddDate(cmp.Or(r.useYears, 5), 0, 0)
	t := cert.Template{
		Serial: r.serial, Algorithm: r.algorithm, Issuer: r.subject, Subject: r.subject,
		NotBefore: from, NotAfter: use.AddDate(r.cardYears, cmp.Or(r.signerMonths, 3), 7), // months differ in length
		PublicKey: key, Named: r.named,
		AuthorityKeyID: key.KeyID(), SubjectKeyID: key.KeyID(),
		KeyUsage:              cert.KeyCertSign | cert.CRLSign,
		PrivateKeyUsage:       &cert.Period{NotBefore: from, NotAfter: use},
		SubjectAltName:        r.names,
		IssuerAltName:         r.names,
		BasicConstraints:      &cert.BasicConstraints{CA: true, PathLen: 0},
		CRLDistributionPoints: r.crl,
	}
	twin, err := newTwin(key)
	if err != nil {
		return nil, err
	}
	return prepareCertificate(t, key, pki.ProfileCSCA, nil, twin)
}
