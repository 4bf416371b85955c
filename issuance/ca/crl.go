package ca

import (
	"cmp"
	"fmt"
	"math/big"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// CRL asks for a revocation list. A list is complete: all that the issuer ever revoked
// and that has not expired, under earlier keys too (Doc 9303-12 §7.1.4).
type CRL struct {
	Number  *big.Int // higher than any before
	At      time.Time
	Days    int               // until the next list; 0 means 90, the most that Doc 9303-12 allows
	Entries []cert.Revocation // in the order of their revocation
	Reasons bool              // write reason codes, against Doc 9303-12; lint warns

	// Former are the subjects of earlier CSCAs of the state that bore another name and whose
	// certificates the list covers: they stand in the issuer alternative name (§7.1.4).
	Former []cert.Name
}

// PrepareCRL lays out a list under the CSCA i. Errors wrap ErrRequest, cert's errors or
// *LintError.
func (i *Issuer) PrepareCRL(r CRL) (*Draft, error) {
	d, err := i.prepareCRL(r)
	if err != nil {
		return nil, fmt.Errorf("prepare revocation list: %w", err)
	}
	return d, nil
}

func (i *Issuer) prepareCRL(r CRL) (*Draft, error) {
	root := i.Certificate
	if r.Number == nil || r.At.IsZero() || r.Days < 0 || !root.IsCA() {
		return nil, fmt.Errorf("%w: number, time and a CSCA are needed", ErrRequest)
	}
	algorithm, err := root.Algorithm.Signature()
	if err != nil {
		return nil, err
	}
	at := r.At.UTC().Truncate(time.Second)
	var former []cert.GeneralName
	for _, n := range r.Former {
		if !n.Equal(root.Subject) {
			former = append(former, cert.DirectoryName(n))
		}
	}
	tbs, err := cert.CRLTemplate{
		Algorithm: algorithm, Issuer: root.Subject,
		ThisUpdate: at, NextUpdate: at.AddDate(0, 0, cmp.Or(r.Days, 90)),
		Number: r.Number, AuthorityKeyID: root.SubjectKeyID, IssuerAltName: former,
		Entries: r.Entries, Reasons: r.Reasons,
	}.TBS()
	if err != nil {
		return nil, err
	}
	d := &Draft{
		TBS: tbs, algorithm: algorithm, issuer: root.PublicKey,
		assemble: func(sig []byte) ([]byte, error) { return cert.Assemble(tbs, algorithm, sig) },
		check: func(signed []byte, key cert.PublicKey) ([]Finding, error) {
			l, err := cert.ParseCRL(signed)
			if err != nil {
				return nil, err
			}
			if err := l.CheckSignature(key); err != nil {
				return nil, err
			}
			return LintCRL(l, root), nil
		},
	}
	return d, d.rehearse(i.twin)
}
