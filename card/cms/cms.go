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
	"time"

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

// Parse reads a ContentInfo with SignedData, version 1 or later. Bytes behind it are
// refused, and so is what is deeper, larger or more numerous than any real document.
// Errors wrap ErrStructure.
func Parse(raw []byte) (*SignedData, error) { panic("todo") }

// SignerCertificates returns the certificates packed in that s names, in order.
func (d *SignedData) SignerCertificates(s *SignerInfo) []*cert.Certificate { panic("todo") }

// Matches reports whether s names c by issuer and serial number, or by key identifier.
func (s *SignerInfo) Matches(c *cert.Certificate) bool { panic("todo") }

// Verify checks s over the content of d with key: the signed attributes must be there
// (without them only id-data is accepted), hold exactly one content-type equal to
// eContentType and exactly one message-digest equal to the digest of the content, and
// bear the signature. Algorithms come from s alone. Errors wrap ErrStructure,
// ErrMessageDigest, cert.ErrSignature, cert.ErrAlgorithm or cert.ErrKey.
func (d *SignedData) Verify(s *SignerInfo, key cert.PublicKey) error { panic("todo") }

// Algorithm is the signature algorithm, a missing hash supplied from the digest
// algorithm. Errors wrap cert.ErrAlgorithm.
func (s *SignerInfo) Algorithm() (cert.Algorithm, error) { panic("todo") }

// Attribute returns the one value of a signed attribute; ok is false if the attribute
// is absent, repeated or has not exactly one value.
func (s *SignerInfo) Attribute(oid asn1.ObjectIdentifier) (value []byte, ok bool) { panic("todo") }

// SigningTime is what the signer claims, for display only.
func (s *SignerInfo) SigningTime() (time.Time, bool) { panic("todo") }
