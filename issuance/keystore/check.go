package keystore

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"io"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

// CheckSignature verifies what somebody else's signer answered, before it is handed on: a
// token or helper that signs wrongly must not be found out by the holder of a card. It
// takes what crypto.Signer's Sign was given: a digest, or for Ed25519 the message itself.
// The error is ErrSignature.
func CheckSignature(pub crypto.PublicKey, digest []byte, opts crypto.SignerOpts, sig []byte) error {
	ok := false
	switch key := pub.(type) {
	case ed25519.PublicKey:
		ok = len(key) == ed25519.PublicKeySize && opts.HashFunc() == 0 && ed25519.Verify(key, digest, sig)
	case *rsa.PublicKey:
		if pss, isPSS := opts.(*rsa.PSSOptions); isPSS {
			ok = rsa.VerifyPSS(key, pss.HashFunc(), digest, sig, pss) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(key, opts.HashFunc(), digest, sig) == nil
		}
	default:
		if k, err := cert.NewPublicKey(pub); err == nil && k.EC != nil {
			ok = dh.VerifyDER(k.EC, digest, sig)
		}
	}
	if !ok {
		return fmt.Errorf("%w (key of type %T)", ErrSignature, pub)
	}
	return nil
}

// remote is a key that is kept elsewhere.
type remote struct {
	public crypto.PublicKey
	sign   func(digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// NewSigner makes a signer of a public key and of whatever has the private one do the
// work. What no key signs is refused before sign is called: a digest that is not as long
// as its hash, a hash for Ed25519 (ErrAlgorithm). What sign returns is verified before it
// is handed on (ErrSignature).
func NewSigner(public crypto.PublicKey, sign func(digest []byte, opts crypto.SignerOpts) ([]byte, error)) crypto.Signer {
	return &remote{public, sign}
}

// Public is the public key.
func (r *remote) Public() crypto.PublicKey { return r.public }

// Sign is crypto.Signer's; the reader is not used.
func (r *remote) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil {
		opts = crypto.Hash(0)
	}
	_, isEd25519 := r.public.(ed25519.PublicKey)
	switch h := opts.HashFunc(); {
	case isEd25519 && h != 0:
		return nil, fmt.Errorf("%w: Ed25519 signs a message, not a digest", ErrAlgorithm)
	case !isEd25519 && (h == 0 || !h.Available() || len(digest) != h.Size()):
		return nil, fmt.Errorf("%w: a digest of %d octets for %v", ErrAlgorithm, len(digest), h)
	}
	sig, err := r.sign(digest, opts)
	if err != nil {
		return nil, err
	}
	if err := CheckSignature(r.public, digest, opts, sig); err != nil {
		return nil, err
	}
	return sig, nil
}
