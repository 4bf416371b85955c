package cert

import (
	"crypto"
	"crypto/rsa"

	"github.com/tamthe/tamthe/card/dh"
)

// PublicKey is a subject's key: exactly one of RSA and EC is set.
type PublicKey struct {
	RSA      *rsa.PublicKey
	EC       *dh.Point
	PSS      *Algorithm // set if the key is bound to PSS; its Hash is zero if bound without parameters
	Explicit bool       // EC domain parameters were written out, not named
	Raw      []byte     // SubjectPublicKeyInfo
}

// ParsePublicKey reads a SubjectPublicKeyInfo. Explicit domain parameters are taken
// only if p, a, b, G, n and h are all those of a known curve. Errors wrap ErrKey,
// ErrAlgorithm or ErrMalformed.
func ParsePublicKey(spki []byte) (PublicKey, error) { panic("todo") }

// MarshalPublicKey encodes *dh.Point, *ecdsa.PublicKey or *rsa.PublicKey as
// SubjectPublicKeyInfo. With explicit, EC domain parameters are written out with
// cofactor and uncompressed generator (Doc 9303-12 §4.1.6.3). Errors wrap ErrKey.
func MarshalPublicKey(pub crypto.PublicKey, explicit bool) ([]byte, error) { panic("todo") }

// NewPublicKey wraps what a crypto.Signer's Public returns; see MarshalPublicKey.
func NewPublicKey(pub crypto.PublicKey) (PublicKey, error) { panic("todo") }

// Bits is the strength that policies judge: bits of the RSA modulus or of the curve's field.
func (k PublicKey) Bits() int { panic("todo") }

// String is "RSA 3072" or the curve's name.
func (k PublicKey) String() string { panic("todo") }

// Equal reports whether both are the same key, however encoded.
func (k PublicKey) Equal(other PublicKey) bool { panic("todo") }

// KeyID is the SHA-1 of the key's BIT STRING, the usual SubjectKeyIdentifier
// (RFC 5280 §4.2.1.2).
func (k PublicKey) KeyID() []byte { panic("todo") }
