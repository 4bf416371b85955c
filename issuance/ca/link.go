package ca

import (
	"fmt"
	"math/big"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/pki"
)

// The times of a rollover (Doc 9303-12 §4.1, §4.2). Other states hear of it Notice before
// the new key is certified; and for Embargo behind its link certificate the new key signs
// nothing, so that lists and certificates reach them first.
const (
	Notice  = 90 * 24 * time.Hour
	Embargo = 48 * time.Hour
)

// Link asks for the certificate by which a CSCA's key vouches for the next one.
type Link struct {
	Serial *big.Int          // see NewSerial
	Next   *cert.Certificate // self-signed, of the key that follows
	At     time.Time
}

// PrepareLink lays out the link certificate from the CSCA i to the next (Doc 9303-12
// §4.2.1): the next one's subject, key, use and contacts under i's name, valid from now on
// as long as both are. Where the names differ it says so (NameChange, §7.1.1.5). A time
// when i's key signs no more, or when the next is not valid yet, is ErrPeriod. Errors wrap
// that, ErrRequest, cert's errors or *LintError.
func (i *Issuer) PrepareLink(r Link) (*Draft, error) {
	d, err := i.prepareLink(r)
	if err != nil {
		return nil, fmt.Errorf("prepare link: %w", err)
	}
	return d, nil
}

func (i *Issuer) prepareLink(r Link) (*Draft, error) {
	root, next := i.Certificate, r.Next
	if r.Serial == nil || r.At.IsZero() || next == nil || !root.IsCA() || !next.IsCA() || !next.SelfSigned() || next.PrivateKeyUsage == nil {
		return nil, fmt.Errorf("%w: serial number, time, a CSCA and its next self-signed certificate are needed", ErrRequest)
	}
	if next.PublicKey.Equal(root.PublicKey) {
		return nil, fmt.Errorf("%w: the next key is the present one", ErrKey)
	}
	at := r.At.UTC().Truncate(time.Second)
	if root.PrivateKeyUsage == nil || !root.PrivateKeyUsage.Covers(at) {
		return nil, fmt.Errorf("%w of the CSCA", ErrPeriod)
	}
	if at.Before(next.NotBefore) || !at.Before(next.PrivateKeyUsage.NotAfter) {
		return nil, fmt.Errorf("%w of the next CSCA", ErrPeriod)
	}
	algorithm, err := root.Algorithm.Signature()
	if err != nil {
		return nil, err
	}
	t := cert.Template{
		Serial: r.Serial, Algorithm: algorithm, Issuer: root.Subject, Subject: next.Subject,
		NotBefore: at, NotAfter: earlier(root.NotAfter, next.NotAfter),
		PublicKey: next.PublicKey, Named: !next.PublicKey.Explicit,
		AuthorityKeyID: root.SubjectKeyID, SubjectKeyID: next.SubjectKeyID,
		KeyUsage:              cert.KeyCertSign | cert.CRLSign,
		PrivateKeyUsage:       &cert.Period{NotBefore: later(at, next.PrivateKeyUsage.NotBefore), NotAfter: next.PrivateKeyUsage.NotAfter},
		SubjectAltName:        next.SubjectAltName,
		IssuerAltName:         root.SubjectAltName,
		BasicConstraints:      &cert.BasicConstraints{CA: true, PathLen: 0},
		CRLDistributionPoints: next.CRLDistributionPoints,
		NameChange:            !root.Subject.Equal(next.Subject),
	}
	return prepareCertificate(t, root.PublicKey, pki.ProfileLink, root, i.twin)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
