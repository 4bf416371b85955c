package cert

import (
	"encoding/asn1"
	"math/big"
	"time"
)

// Certificate is an X.509 certificate as it was read. Slices point into Raw and must
// not be changed. What an extension did not say is the zero value.
type Certificate struct {
	Raw          []byte // the whole certificate
	RawTBS       []byte // what is signed
	RawPublicKey []byte // SubjectPublicKeyInfo

	Version   int      // 1, 2 or 3
	Serial    *big.Int // of either sign, as encoded
	Issuer    Name
	Subject   Name
	NotBefore time.Time
	NotAfter  time.Time

	Algorithm      AlgorithmIdentifier // outside, which a verifier uses
	InnerAlgorithm AlgorithmIdentifier // within RawTBS; a difference is DefectAlgorithmMismatch
	Signature      []byte

	PublicKey PublicKey // valid only if KeyErr is nil
	KeyErr    error     // why the key cannot be used; wraps ErrKey, ErrAlgorithm or ErrMalformed

	Extensions []Extension // all of them, in order

	AuthorityKeyID        []byte
	AuthorityIssuer       []byte   // GeneralNames of the AKI, undecoded
	AuthoritySerial       *big.Int // of the AKI, nil if it has none
	SubjectKeyID          []byte
	KeyUsage              KeyUsage
	PrivateKeyUsage       *Period // nil without the extension
	SubjectAltName        []GeneralName
	IssuerAltName         []GeneralName
	BasicConstraints      *BasicConstraints // nil without the extension
	ExtKeyUsage           []asn1.ObjectIdentifier
	CRLDistributionPoints []string // the URIs of all points
	DocumentTypes         []string // DocumentTypeList of Doc 9303-12; nil without it
	NameChange            bool

	// UnknownCritical lists critical extensions that this package cannot read, broken
	// ones included: a verifier must refuse the certificate (RFC 5280 §4.2).
	UnknownCritical []asn1.ObjectIdentifier
	Defects         []Defect
}

// Parse reads one DER certificate; bytes behind it are refused. A key that cannot be
// used does not fail the certificate, see KeyErr. Errors wrap ErrMalformed.
func Parse(der []byte) (*Certificate, error) { panic("todo") }

// CheckSignature says whether issuer made the signature of c. It judges neither names
// nor usages. Errors wrap ErrSignature, ErrAlgorithm or ErrKey.
func (c *Certificate) CheckSignature(issuer PublicKey) error { panic("todo") }

// SelfSigned reports whether the certificate verifies with its own key.
func (c *Certificate) SelfSigned() bool { panic("todo") }

// Fingerprint is the SHA-256 of the whole certificate.
func (c *Certificate) Fingerprint() [32]byte { panic("todo") }

// Extension returns the first extension of that identifier.
func (c *Certificate) Extension(oid asn1.ObjectIdentifier) (Extension, bool) { panic("todo") }

// IsCA reports basicConstraints with cA true.
func (c *Certificate) IsCA() bool { return c.BasicConstraints != nil && c.BasicConstraints.CA }
