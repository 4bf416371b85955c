package lds

import (
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// ErrSecurityObject says that an LDSSecurityObject or its wrapping is malformed; a
// digest algorithm that is not accepted is cert.ErrAlgorithm instead, and a bad
// SignedData is cms.ErrStructure.
var ErrSecurityObject = errors.New("malformed security object")

// SOD is EF.SOD, the signed list of group hashes (Doc 9303-10 §4.6.2). Nothing in it is
// to be believed before Signed verifies under a trusted key.
type SOD struct {
	Raw    []byte // the whole file
	Signed *cms.SignedData
	Object SecurityObject
}

// SecurityObject is the LDSSecurityObject.
type SecurityObject struct {
	Version        int // 0 or 1
	HashOID        asn1.ObjectIdentifier
	Hash           crypto.Hash
	Hashes         []GroupHash // in order of encoding, numbers unique, 1 to 16
	LDSVersion     string      // e.g. "0108"; "" without ldsVersionInfo
	UnicodeVersion string      // e.g. "040000"
	Findings       []SODFinding
}

// A GroupHash is the hash of the complete file of a data group.
type GroupHash struct {
	Number int
	Hash   []byte
}

// A SODFinding is a departure of the object from Doc 9303-10 that leaves its meaning
// clear. Its text is a stable code.
type SODFinding string

// The findings of ParseSOD.
const (
	SODVersionInfo     SODFinding = "version-info"      // version 0 with ldsVersionInfo
	SODNoVersionInfo   SODFinding = "no-version-info"   // version 1 without it
	SODSingleHash      SODFinding = "single-hash"       // fewer than two groups
	SODContentType     SODFinding = "content-type"      // eContentType is id-data (China)
	SODGroupOrder      SODFinding = "group-order"       // groups not in rising order
	SODHashDigestDiffs SODFinding = "hash-digest-diffs" // groups hashed otherwise than the message digest
)

// ParseSOD reads EF.SOD: tag 77, SignedData, LDSSecurityObject. Another object version
// than 0 and 1, twice the same group, a number outside 1–16, a hash of the wrong length,
// an empty list, another content type than the LDS security object's (or id-data) and
// trailing bytes are errors. Errors wrap ErrSecurityObject, cms.ErrStructure or
// cert.ErrAlgorithm.
func ParseSOD(raw []byte) (*SOD, error) {
	file := tlv.String(raw)
	var content tlv.String
	if !file.ReadTag(sodTag, &content) || !file.Empty() {
		return nil, fmt.Errorf("%w: no object with tag 77", ErrSecurityObject)
	}
	signed, err := cms.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("read EF.SOD: %w", err)
	}
	s := &SOD{Raw: raw, Signed: signed}
	china := signed.ContentType.Equal(cms.OIDData)
	if !china && !signed.ContentType.Equal(cms.OIDLDSSecurityObject) {
		return nil, fmt.Errorf("%w: content type %v", ErrSecurityObject, signed.ContentType)
	}
	if s.Object, err = ParseSecurityObject(signed.Content); err != nil {
		return nil, fmt.Errorf("read EF.SOD: %w", err)
	}
	if china {
		s.Object.Findings = append(s.Object.Findings, SODContentType)
	}
	if i, err := s.Signer(); err == nil && !i.DigestAlgorithm.OID.Equal(s.Object.HashOID) {
		s.Object.Findings = append(s.Object.Findings, SODHashDigestDiffs)
	}
	return s, nil
}

// sodTag is the application tag of EF.SOD (Doc 9303-10 §4.6.2).
const sodTag tlv.Tag = 0x77

// WrapSOD puts a SignedData into the file's tag 77.
func WrapSOD(signed []byte) []byte { return tlv.Encode(sodTag, signed) }

// CardID names the card: SHA-256 of the LDSSecurityObject's octets. Unlike a hash of
// the file it does not change with the signature or with how chunks are cut.
func (s *SOD) CardID() [32]byte { return sha256.Sum256(s.Signed.Content) }

// Signer returns the only SignerInfo, or an error that wraps cms.ErrStructure.
func (s *SOD) Signer() (*cms.SignerInfo, error) { return onlySigner(s.Signed) }

func onlySigner(d *cms.SignedData) (*cms.SignerInfo, error) {
	if n := len(d.Signers); n != 1 {
		return nil, fmt.Errorf("%w: %d signers instead of one", cms.ErrStructure, n)
	}
	return d.Signers[0], nil
}

// Verify checks the only signer against key, as cms.SignedData.Verify does, and wants
// signed attributes whatever the content type says. It trusts key as it is.
func (s *SOD) Verify(key cert.PublicKey) error { return verifyOnly(s.Signed, key) }

func verifyOnly(d *cms.SignedData, key cert.PublicKey) error {
	signer, err := onlySigner(d)
	if err != nil {
		return err
	}
	if len(signer.Attributes) == 0 {
		return fmt.Errorf("%w: no signed attributes", cms.ErrStructure)
	}
	return d.Verify(signer, key)
}
