package ca

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
)

// SOD asks for the security object of one card.
type SOD struct {
	Hash         crypto.Hash     // of the groups
	Groups       []lds.GroupHash // hashes of the complete files, each group once
	Required     []int           // groups that must be among them; DG1 and DG2 always are
	Version      int             // of the LDS security object: 1 writes "0108" and "040000", 0 is legacy
	DocumentType string          // as in the MRZ, e.g. "I"; must be in the signer's list
	At           time.Time       // date of issue, must lie in the signer's key usage period
	Status       *lds.StatusReference
	LogProof     *lds.LogProof // that the object stands in the log; its leaf names the object
	SigningTime  bool          // put At into a signed attribute
}

// LDS version 1.8 and Unicode version of Doc 9303-10 §4.6.2.3.
const (
	ldsVersion     = "0108"
	unicodeVersion = "040000"
)

// SODDraft is the draft of a security object. The same request gives the same octets
// to sign, so that an interrupted personalisation can go on.
type SODDraft struct {
	*Draft
	CardID [32]byte // SHA-256 of the LDSSecurityObject
}

// PrepareSOD lays out a security object under the document signer i. Errors wrap
// ErrPeriod, ErrGroups, ErrDocument, ErrRequest, cert's errors or *LintError.
func (i *Issuer) PrepareSOD(r SOD) (*SODDraft, error) {
	d, err := i.prepareSOD(r)
	if err != nil {
		return nil, fmt.Errorf("prepare SOD: %w", err)
	}
	return d, nil
}

func (i *Issuer) prepareSOD(r SOD) (*SODDraft, error) {
	signer := i.Certificate
	if err := r.refuse(signer); err != nil {
		return nil, err
	}
	object := lds.SecurityObject{Version: r.Version, Hash: r.Hash, Hashes: r.Groups}
	if r.Version == 1 {
		object.LDSVersion, object.UnicodeVersion = ldsVersion, unicodeVersion
	}
	content, err := lds.EncodeSecurityObject(object)
	if err != nil {
		return nil, err
	}
	m := cms.Message{ContentType: cms.OIDLDSSecurityObject, Content: content, Certificate: signer}
	if r.SigningTime {
		m.SigningTime = r.At
	}
	if m.Attributes, err = r.attributes(); err != nil {
		return nil, err
	}
	if m.Algorithm, err = cert.DefaultAlgorithm(signer.PublicKey); err != nil {
		return nil, err
	}
	draft, err := cms.Prepare(m)
	if err != nil {
		return nil, err
	}
	d := &Draft{
		TBS: draft.ToBeSigned(), algorithm: m.Algorithm, issuer: signer.PublicKey,
		assemble: func(sig []byte) ([]byte, error) {
			signed, err := draft.Assemble(sig)
			return lds.WrapSOD(signed), err
		},
		check: func(signed []byte, key cert.PublicKey) ([]Finding, error) { return r.check(signed, content, key) },
	}
	return &SODDraft{d, sha256.Sum256(content)}, d.rehearse(i.twin)
}

// attributes are the signed ones besides those of every SOD.
func (r SOD) attributes() (list []cms.Attribute, err error) {
	add := func(a cms.Attribute, failed error) {
		list = append(list, a)
		err = errors.Join(err, failed)
	}
	if r.Status != nil {
		add(r.Status.Attribute())
	}
	if r.LogProof != nil {
		add(r.LogProof.Attribute())
	}
	return list, err
}

// refuse holds the rules that need no signature to be judged.
func (r SOD) refuse(signer *cert.Certificate) error {
	switch {
	case signer.KeyUsage != cert.DigitalSignature || signer.IsCA():
		return fmt.Errorf("%w: the certificate is no document signer's", ErrRequest)
	case r.At.IsZero() || signer.PrivateKeyUsage == nil || !signer.PrivateKeyUsage.Covers(r.At):
		return fmt.Errorf("%w of the document signer", ErrPeriod)
	case !slices.Contains(signer.DocumentTypes, r.DocumentType):
		return fmt.Errorf("%w: %q", ErrDocument, r.DocumentType)
	case cert.HashOID(r.Hash) == nil || r.Hash == crypto.SHA1:
		return fmt.Errorf("%w: hash %v", ErrGroups, r.Hash)
	}
	seen := make(map[int]bool)
	for _, g := range r.Groups {
		if g.Number < 1 || g.Number > 16 || seen[g.Number] {
			return fmt.Errorf("%w: group %d", ErrGroups, g.Number)
		}
		if len(g.Hash) != r.Hash.Size() || bytes.Equal(g.Hash, make([]byte, len(g.Hash))) {
			return fmt.Errorf("%w: no digest of group %d", ErrGroups, g.Number)
		}
		seen[g.Number] = true
	}
	for _, n := range append([]int{1, 2}, r.Required...) {
		if !seen[n] {
			return fmt.Errorf("%w: no digest of group %d", ErrGroups, n)
		}
	}
	return nil
}

// check reads a signed SOD as a stranger would and compares it with what was asked for.
func (r SOD) check(raw, content []byte, key cert.PublicKey) ([]Finding, error) {
	s, err := lds.ParseSOD(raw)
	if err != nil {
		return nil, err
	}
	if err := s.Verify(key); err != nil {
		return nil, err
	}
	if !bytes.Equal(s.Signed.Content, content) || len(s.Object.Hashes) != len(r.Groups) {
		return nil, fmt.Errorf("%w: the object differs from the request", ErrGroups)
	}
	for _, g := range r.Groups {
		if h, ok := s.Object.GroupHash(g.Number); !ok || !bytes.Equal(h, g.Hash) {
			return nil, fmt.Errorf("%w: group %d differs from the request", ErrGroups, g.Number)
		}
	}
	if ref, ok := s.StatusReference(); ok != (r.Status != nil) || ok && ref != *r.Status {
		return nil, fmt.Errorf("%w: status reference differs from the request", ErrRequest)
	}
	p, present, _ := s.LogProof()
	if present != (r.LogProof != nil) || present && !(bytes.Equal(p.Leaf, r.LogProof.Leaf) && bytes.Equal(p.Proof, r.LogProof.Proof)) {
		return nil, fmt.Errorf("%w: log proof differs from the request", ErrRequest)
	}
	return LintSOD(s), nil
}
