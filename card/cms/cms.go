// Package cms reads and writes the SignedData of RFC 5652 that carries security
// objects, master lists and EF.CardSecurity, and checks one signer at a time against a
// key that the caller chose.
//
// DER is read as it is. Real documents also come as BER (New Zealand: indefinite
// lengths; others: content in chunks); only those pass a normaliser. Writing is strict
// DER. What a document does against the profile without making the signature
// ambiguous is listed as Findings.
package cms

import (
	"encoding/asn1"
	"errors"
	"math/big"

	"github.com/tamthe/tamthe/card/cert"
)

// What callers branch on, beside cert.ErrSignature, cert.ErrAlgorithm and cert.ErrKey.
var (
	// ErrStructure says that the bytes are no SignedData, or that the signed
	// attributes break a rule without which the signature has no clear meaning.
	ErrStructure = errors.New("malformed signed data")
	// ErrMessageDigest says that the content is not what the signer's message-digest
	// attribute names.
	ErrMessageDigest = errors.New("message digest differs from the content")
)

// MaxSize is the largest SignedData that Parse takes, in bytes: a master list of the
// world is under 1 MB.
const MaxSize = 8 << 20

// Content types and attributes.
var (
	OIDData              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	OIDSignedData        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	OIDLDSSecurityObject = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 1}
	OIDMasterList        = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 2}
	OIDContentType       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	OIDMessageDigest     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	OIDSigningTime       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
)

// SignedData is a parsed ContentInfo of that type.
type SignedData struct {
	Raw              []byte // as given
	BER              bool   // Raw was not DER
	Version          int
	DigestAlgorithms []cert.AlgorithmIdentifier
	ContentType      asn1.ObjectIdentifier // eContentType
	Content          []byte                // eContent octets, chunks joined; nil if detached
	Certificates     []Certificate
	CRLs             [][]byte
	Signers          []*SignerInfo
	Findings         []Finding
}

// A Certificate is one of the certificates packed in; Err says why Parsed is nil.
type Certificate struct {
	Raw    []byte
	Parsed *cert.Certificate
	Err    error
}

// SignerInfo is one signer.
type SignerInfo struct {
	Version            int
	Issuer             cert.Name // with Serial, unless KeyID is set
	Serial             *big.Int
	KeyID              []byte
	DigestAlgorithm    cert.AlgorithmIdentifier
	SignatureAlgorithm cert.AlgorithmIdentifier
	Attributes         []Attribute // signed
	Unsigned           []Attribute
	Signature          []byte

	signedAttributes []byte // SET OF, ready to hash; nil without
}

// An Attribute is a type with its values, each the DER of one value.
type Attribute struct {
	Type   asn1.ObjectIdentifier
	Values [][]byte
}
