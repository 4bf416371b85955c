package cert

import (
	"crypto"
	"encoding/asn1"
)

// AlgorithmIdentifier is the ASN.1 structure as it was read; Parameters is the DER of
// the parameters, nil if absent.
type AlgorithmIdentifier struct {
	Raw        []byte
	OID        asn1.ObjectIdentifier
	Parameters []byte
}

// A Scheme is a kind of signature.
type Scheme uint8

// The schemes of Doc 9303-12 §4.1.6. ECDSAPlain is the fixed-length r‖s form of
// BSI TR-03111, which some states put into their SODs.
const (
	RSAPKCS1 Scheme = iota + 1
	RSAPSS
	ECDSA
	ECDSAPlain
)

// Algorithm is a signature algorithm with all that its parameters say. It is
// comparable. A zero Hash means that the identifier names none (bare rsaEncryption or
// id-ecPublicKey in a SignerInfo) and that the caller must supply it with WithHash.
type Algorithm struct {
	Scheme     Scheme
	Hash       crypto.Hash
	MGFHash    crypto.Hash // RSAPSS only
	SaltLength int         // RSAPSS only, octets
}

// Signature interprets the identifier as a signature algorithm. MD5, MD2 and unknown
// identifiers are ErrAlgorithm.
func (a AlgorithmIdentifier) Signature() (Algorithm, error) { panic("todo") }

// Hash interprets the identifier as a digest algorithm. MD5 and unknown identifiers
// are ErrAlgorithm.
func (a AlgorithmIdentifier) Hash() (crypto.Hash, error) { panic("todo") }

// WithHash returns a with its missing hash set; one that is there stays.
func (a Algorithm) WithHash(h crypto.Hash) Algorithm { panic("todo") }

// String is "ECDSA with SHA-256", "RSA-PSS with SHA-512".
func (a Algorithm) String() string { panic("todo") }

// Identifier encodes the algorithm as DER: no parameters for ECDSA, NULL for RSA
// PKCS #1, full parameters for PSS. Errors wrap ErrAlgorithm.
func (a Algorithm) Identifier() ([]byte, error) { panic("todo") }

// HashByOID maps a digest OID; MD5 and unknown ones are ErrAlgorithm.
func HashByOID(oid asn1.ObjectIdentifier) (crypto.Hash, error) { panic("todo") }

// HashOID is the identifier of SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512, nil for others.
func HashOID(h crypto.Hash) asn1.ObjectIdentifier { panic("todo") }

// ParseAlgorithmIdentifier reads one DER AlgorithmIdentifier.
func ParseAlgorithmIdentifier(der []byte) (AlgorithmIdentifier, error) { panic("todo") }

// DefaultAlgorithm is what we sign with under a key: ECDSA with the SHA-2 that fits
// the curve, RSA-PSS with SHA-256 for RSA. Errors wrap ErrKey.
func DefaultAlgorithm(pub crypto.PublicKey) (Algorithm, error) { panic("todo") }
