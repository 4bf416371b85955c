package dh

import (
	"crypto"
	"io"
)

// A PrivateKey is a scalar with its base point. It must not be copied. It is never
// printed, logged or marshalled; its owner calls Destroy. It is a crypto.Signer.
type PrivateKey struct {
	point *Point
}

// Generate makes a key on the generator of the curve.
func (c *Curve) Generate() (*PrivateKey, error) { panic("todo") }

// NewPrivateKey makes a key on the generator from a scalar of OrderSize octets in
// [1, n-1]; others are ErrScalar.
func (c *Curve) NewPrivateKey(scalar []byte) (*PrivateKey, error) { panic("todo") }

// GenerateOn makes a key on a base point, as PACE does on the mapped generator.
func GenerateOn(base *Point) (*PrivateKey, error) { panic("todo") }

// NewPrivateKeyOn makes a key on a base point from a scalar; see NewPrivateKey.
func NewPrivateKeyOn(base *Point, scalar []byte) (*PrivateKey, error) { panic("todo") }

// Point returns the public key.
func (k *PrivateKey) Point() *Point { return k.point }

// Public returns the public key, a *Point.
func (k *PrivateKey) Public() crypto.PublicKey { return k.point }

// Bytes returns the scalar in OrderSize octets, for a keystore, which wipes them.
func (k *PrivateKey) Bytes() []byte { panic("todo") }

// Destroy forgets the scalar.
func (k *PrivateKey) Destroy() { panic("todo") }

// Multiply returns scalar · peer.
func (k *PrivateKey) Multiply(peer *Point) (*Point, error) { panic("todo") }

// ECDH returns the x coordinate of scalar · peer in Size octets (TR-03111 §4.3.1).
func (k *PrivateKey) ECDH(peer *Point) ([]byte, error) { panic("todo") }

// Sign returns an ECDSA signature of a digest, SEQUENCE { r, s } in DER.
func (k *PrivateKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	panic("todo")
}

// SignPlain returns an ECDSA signature of a digest as r‖s, each of OrderSize octets.
func (k *PrivateKey) SignPlain(digest []byte) ([]byte, error) { panic("todo") }

// Map returns s·G + H, the generic mapping of PACE (Doc 9303-11 §4.4.3.3.1).
func Map(c *Curve, nonce []byte, h *Point) (*Point, error) { panic("todo") }

// VerifyDER reports whether sig is an ECDSA signature, SEQUENCE { r, s } in strict DER,
// of the digest.
func VerifyDER(pub *Point, digest, sig []byte) bool { panic("todo") }

// VerifyPlain reports whether rs is an ECDSA signature r‖s, each of OrderSize octets.
func VerifyPlain(pub *Point, digest, rs []byte) bool { panic("todo") }
