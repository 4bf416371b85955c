package evidence

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/card/cert"
)

// What callers branch on.
var (
	ErrDeviceKey = errors.New("a device's key is Ed25519 or ECDSA on P-256")
	ErrSeal      = errors.New("the seal is not that of its key")
)

// The algorithms of a seal.
const (
	algorithmEd25519 = "ed25519"
	algorithmECDSA   = "ecdsa-sha256" // the signature in DER
)

// Device is who seals: a checkpoint's signing key. It serves several goroutines if its
// signer does.
type Device struct {
	signer    crypto.Signer
	spki      []byte
	algorithm string
}

// NewDevice takes a signer with an ed25519.PublicKey, or an ECDSA key on P-256 as an
// *ecdsa.PublicKey or *dh.Point. Any other is ErrDeviceKey.
func NewDevice(signer crypto.Signer) (*Device, error) {
	d := &Device{signer: signer, algorithm: algorithmECDSA}
	if _, ok := signer.Public().(ed25519.PublicKey); ok {
		d.algorithm = algorithmEd25519
	}
	var err error
	if d.spki, err = marshalKey(signer.Public()); err == nil {
		_, err = parseKey(d.algorithm, d.spki)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeviceKey, err)
	}
	return d, nil
}

func marshalKey(pub crypto.PublicKey) ([]byte, error) {
	if pub, ok := pub.(ed25519.PublicKey); ok {
		return x509.MarshalPKIXPublicKey(pub)
	}
	return cert.MarshalPublicKey(pub, false)
}

// Pseudonym names a person by a key: the SHA-256 of the public key, as a device's is made.
func Pseudonym(pub crypto.PublicKey) ([32]byte, error) {
	spki, err := marshalKey(pub)
	if err != nil {
		return [32]byte{}, fmt.Errorf("%w: %w", ErrDeviceKey, err)
	}
	return sha256.Sum256(spki), nil
}

// ID is the device's pseudonym: the SHA-256 of its public key (SubjectPublicKeyInfo).
func (d *Device) ID() [32]byte { return sha256.Sum256(d.spki) }

// PublicPEM is the device's public key for those who are to know it; ParseDevice reads it.
func (d *Device) PublicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: d.spki})
}

// ParseDevice returns the pseudonym of a device by its public key, one PEM block of type
// PUBLIC KEY. Errors wrap ErrDeviceKey.
func ParseDevice(text []byte) ([32]byte, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return [32]byte{}, fmt.Errorf("%w: want one PEM block, public key", ErrDeviceKey)
	}
	for _, algorithm := range []string{algorithmEd25519, algorithmECDSA} {
		if _, err := parseKey(algorithm, block.Bytes); err == nil {
			return sha256.Sum256(block.Bytes), nil
		}
	}
	return [32]byte{}, ErrDeviceKey
}

// Seal is a device's signature over the document that it is the last member of.
type Seal struct {
	Algorithm string `json:"algorithm"`
	Key       Hex    `json:"key"`
	Signature Hex    `json:"signature"`
}

// Device is the pseudonym of the key that the seal names, which has to be known otherwise.
func (s Seal) Device() [32]byte { return sha256.Sum256(s.Key) }

// Seal signs a document. What is signed must begin with its schema, so that no seal serves
// for another kind of document.
func (d *Device) Seal(document []byte) (Seal, error) {
	message, opts := document, crypto.SignerOpts(crypto.Hash(0))
	if d.algorithm == algorithmECDSA {
		digest := sha256.Sum256(document)
		message, opts = digest[:], crypto.SHA256
	}
	sig, err := d.signer.Sign(rand.Reader, message, opts)
	if err != nil {
		return Seal{}, fmt.Errorf("seal: %w", err)
	}
	s := Seal{d.algorithm, d.spki, sig}
	if err := s.Verify(document); err != nil {
		return Seal{}, fmt.Errorf("seal: the signer's own signature: %w", err)
	}
	return s, nil
}

// Verify checks the signature over the document under the key that the seal itself names.
// Errors wrap ErrSeal, or ErrDeviceKey for a key or algorithm that no device has.
func (s Seal) Verify(document []byte) error {
	key, err := parseKey(s.Algorithm, s.Key)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDeviceKey, err)
	}
	right := false
	switch key := key.(type) {
	case ed25519.PublicKey:
		right = ed25519.Verify(key, document, s.Signature)
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(document)
		right = ecdsa.VerifyASN1(key, digest[:], s.Signature)
	}
	if !right {
		return ErrSeal
	}
	return nil
}

// parseKey reads a SubjectPublicKeyInfo in the one form that there is of it.
func parseKey(algorithm string, spki []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, err
	}
	if again, err := x509.MarshalPKIXPublicKey(key); err != nil || !bytes.Equal(again, spki) {
		return nil, errors.New("the key is not encoded as DER wants it")
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		if algorithm == algorithmEd25519 {
			return k, nil
		}
	case *ecdsa.PublicKey:
		if algorithm == algorithmECDSA && k.Curve == elliptic.P256() {
			return k, nil
		}
	}
	return nil, fmt.Errorf("a key of type %T for %q", key, algorithm)
}
