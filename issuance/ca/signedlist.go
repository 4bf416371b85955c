package ca

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/verify/pki"
)

// MasterList asks for a CSCA master list (Doc 9303-12 §9).
type MasterList struct {
	Certificates [][]byte          // DER of CSCA and link certificates, our own among them or not
	CSCA         *cert.Certificate // of the list's signer; it is added to the list where it lacks
	At           time.Time
}

// PrepareMasterList lays out a master list under the list signer i: a SignedData that names
// its signer by key identifier, says when it was signed, and packs in the signer with its
// CSCA. A time outside the signer's use is ErrPeriod; a certificate that is no CSCA's, or a
// signer that is one, is ErrRequest. Other errors are cert's, cms's or *LintError.
func (i *Issuer) PrepareMasterList(r MasterList) (*Draft, error) {
	content, err := r.content()
	if err == nil {
		var d *Draft
		if d, err = i.prepareList(cms.OIDMasterList, content, r.CSCA, r.At); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("prepare master list: %w", err)
}

// content is CscaMasterList: version 0, and the certificates in DER order, each once.
func (r MasterList) content() ([]byte, error) {
	if r.CSCA == nil {
		return nil, fmt.Errorf("%w: the signer's CSCA is needed", ErrRequest)
	}
	list := append(slices.Clone(r.Certificates), r.CSCA.Raw)
	for _, der := range list {
		c, err := cert.Parse(der)
		if err != nil {
			return nil, err
		}
		if !c.IsCA() {
			return nil, fmt.Errorf("%w: %v is no CSCA", ErrRequest, c.Subject)
		}
	}
	slices.SortFunc(list, bytes.Compare)
	list = slices.CompactFunc(list, bytes.Equal)
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
			for _, der := range list {
				b.AddBytes(der)
			}
		})
	})
	return b.Bytes()
}

// prepareList is what master and deviation lists have in common (Doc 9303-12 §9.2, §10.2).
func (i *Issuer) prepareList(kind asn1.ObjectIdentifier, content []byte, root *cert.Certificate, at time.Time) (*Draft, error) {
	signer := i.Certificate
	at = at.UTC().Truncate(time.Second)
	switch {
	case signer.IsCA() || len(signer.ExtKeyUsage) != 1 || signer.KeyUsage != cert.DigitalSignature || len(signer.SubjectKeyID) == 0:
		return nil, fmt.Errorf("%w: the certificate is no list signer's", ErrRequest)
	case root == nil || signer.CheckSignature(root.PublicKey) != nil:
		return nil, fmt.Errorf("%w: the CSCA is not the signer's", ErrRequest)
	case at.IsZero() || signer.PrivateKeyUsage != nil && !signer.PrivateKeyUsage.Covers(at):
		return nil, fmt.Errorf("%w of the list signer", ErrPeriod)
	}
	algorithm, err := cert.DefaultAlgorithm(signer.PublicKey)
	if err != nil {
		return nil, err
	}
	draft, err := cms.Prepare(cms.Message{
		ContentType: kind, Content: content, Certificate: signer, Certificates: [][]byte{root.Raw},
		Algorithm: algorithm, ByKeyID: true, SigningTime: at,
	})
	if err != nil {
		return nil, err
	}
	d := &Draft{
		TBS: draft.ToBeSigned(), algorithm: algorithm, issuer: signer.PublicKey, assemble: draft.Assemble,
		check: func(signed []byte, key cert.PublicKey) ([]Finding, error) {
			return checkList(signed, kind, content, key, root, at)
		},
	}
	return d, d.rehearse(i.twin)
}

// checkList reads a list as a stranger would. With the real key it is opened as a
// checkpoint opens it that has pinned the CSCA.
func checkList(signed []byte, kind asn1.ObjectIdentifier, content []byte, key cert.PublicKey, root *cert.Certificate, at time.Time) ([]Finding, error) {
	s, err := cms.Parse(signed)
	if err != nil {
		return nil, err
	}
	if len(s.Signers) != 1 || !s.ContentType.Equal(kind) || !bytes.Equal(s.Content, content) {
		return nil, fmt.Errorf("%w: the list differs from the request", ErrRequest)
	}
	if err := s.Verify(s.Signers[0], key); err != nil {
		return nil, err
	}
	if real := s.SignerCertificates(s.Signers[0]); len(real) == 1 && real[0].PublicKey.Equal(key) {
		store := pki.NewStore([]pki.Material{{Cert: root, Source: "the CSCA"}}, nil, nil)
		if _, err := store.OpenList(signed, at); err != nil {
			return nil, err
		}
	}
	var l lint
	for _, b := range pki.LintList(s) {
		l.findings = append(l.findings, Finding{b.Rule, b.Severity == pki.Error, b.Spec})
	}
	return l.findings, nil
}
