package lds

import (
	"crypto"
	"encoding/asn1"
	"errors"

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
	Version        int // 0 or 1; others are read and listed in Findings
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
	SODVersionUnknown  SODFinding = "version-unknown"   // neither 0 nor 1
	SODVersionInfo     SODFinding = "version-info"      // version 0 with ldsVersionInfo
	SODNoVersionInfo   SODFinding = "no-version-info"   // version 1 without it
	SODSingleHash      SODFinding = "single-hash"       // fewer than two groups
	SODContentType     SODFinding = "content-type"      // eContentType is id-data (China)
	SODGroupOrder      SODFinding = "group-order"       // groups not in rising order
	SODHashDigestDiffs SODFinding = "hash-digest-diffs" // groups hashed otherwise than the message digest
)

// ParseSOD reads EF.SOD: tag 77, SignedData, LDSSecurityObject. Twice the same group, a
// number outside 1–16, a hash of the wrong length, an empty list, another content type
// than the LDS security object's (or id-data) and trailing bytes are errors. Errors
// wrap ErrSecurityObject, cms.ErrStructure or cert.ErrAlgorithm.
func ParseSOD(raw []byte) (*SOD, error) { panic("todo") }

// ParseSecurityObject reads the content of a SOD; see ParseSOD.
func ParseSecurityObject(der []byte) (SecurityObject, error) { panic("todo") }

// EncodeSecurityObject writes DER; Version 1 needs both versions, 0 none. The hash is
// o.Hash; HashOID and Findings are not looked at. Errors wrap ErrSecurityObject.
func EncodeSecurityObject(o SecurityObject) ([]byte, error) { panic("todo") }

// WrapSOD puts a SignedData into the file's tag 77.
func WrapSOD(signed []byte) []byte { panic("todo") }

// GroupHash returns the hash that the object lists for a group.
func (o SecurityObject) GroupHash(number int) ([]byte, bool) { panic("todo") }

// CardID names the card: SHA-256 of the LDSSecurityObject's octets. Unlike a hash of
// the file it does not change with the signature or with how chunks are cut.
func (s *SOD) CardID() [32]byte { panic("todo") }

// Signer returns the only SignerInfo, or an error that wraps cms.ErrStructure.
func (s *SOD) Signer() (*cms.SignerInfo, error) { panic("todo") }

// StatusReference says where a card's status is published: a list and an index in it.
// It is a signed attribute of the SODs that tamthe issues.
type StatusReference struct {
	List  string // URI of the status list
	Index uint32 // drawn at random, so that it tells nothing about the order of issue
}

// OIDStatusReference is our own, from a UUID under 2.25 (ITU-T X.667).
var OIDStatusReference asn1.ObjectIdentifier

// Attribute encodes r. Errors wrap ErrSecurityObject.
func (r StatusReference) Attribute() (cms.Attribute, error) { panic("todo") }

// StatusReference returns the signed attribute; ok is false if there is none or it is
// malformed. It proves nothing before the signature verifies.
func (s *SOD) StatusReference() (r StatusReference, ok bool) { panic("todo") }

var _ = cert.ErrAlgorithm
