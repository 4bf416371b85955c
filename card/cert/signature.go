package cert

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/dh"
)

// Verify checks one signature over message. The hash, the MGF hash and the salt length
// are those of alg and nothing else; ECDSA is strict DER, RSA PKCS #1 has no tolerance
// for padding and takes DigestInfo with or without NULL. Errors wrap ErrSignature, ErrAlgorithm (also a scheme that does not fit
// the key, or PSS parameters against those that bind the key) or ErrKey.
func Verify(pub PublicKey, alg Algorithm, message, sig []byte) error {
	return VerifyParts(pub, alg, sig, message)
}

// VerifyParts is Verify of a message that lies in several parts, none of which is copied.
func VerifyParts(pub PublicKey, alg Algorithm, sig []byte, message ...[]byte) error {
	if pub.RSA == nil && pub.EC == nil {
		return badKey("none")
	}
	if err := alg.fits(pub); err != nil {
		return err
	}
	digest := alg.digest(message...)
	ok := false
	switch alg.Scheme {
	case RSAPKCS1:
		ok = verifyPKCS1(pub.RSA, alg.Hash, digest, sig)
	case RSAPSS:
		ok = verifyPSS(pub.RSA, alg, digest, sig)
	case ECDSA:
		ok = dh.VerifyDER(pub.EC, digest, sig)
	case ECDSAPlain:
		ok = dh.VerifyPlain(pub.EC, digest, sig)
	}
	if !ok {
		return fmt.Errorf("%w (%v, %v)", ErrSignature, pub, alg)
	}
	return nil
}

// verifyPKCS1 takes the two encodings of DigestInfo that RFC 8017 §9.2 (note 1) allows,
// each compared in full: with the NULL of the digest algorithm, and without, as ICAO
// signed its master list of September 2023.
func verifyPKCS1(pub *rsa.PublicKey, hash crypto.Hash, digest, sig []byte) bool {
	if rsa.VerifyPKCS1v15(pub, hash, digest, sig) == nil {
		return true
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, HashOID(hash)) })
		b.AddASN1OctetString(digest)
	})
	info, err := b.Bytes()
	return err == nil && rsa.VerifyPKCS1v15(pub, 0, info, sig) == nil
}

// fits says whether the algorithm is complete and may be used with the key.
func (a Algorithm) fits(pub PublicKey) error {
	refuse := func(why string) error { return fmt.Errorf("%w: %v with %v key: %s", ErrAlgorithm, a, pub, why) }
	if HashOID(a.Hash) == nil || a.Scheme == RSAPSS && HashOID(a.MGFHash) == nil {
		return refuse("no accepted hash")
	}
	switch a.Scheme {
	case ECDSA, ECDSAPlain:
		if pub.EC == nil {
			return refuse("wrong kind of key")
		}
		return nil
	case RSAPKCS1, RSAPSS:
		if pub.RSA == nil {
			return refuse("wrong kind of key")
		}
	default:
		return refuse("unknown scheme")
	}
	bound := pub.PSS
	switch {
	case bound == nil:
	case a.Scheme != RSAPSS:
		return refuse("the key is bound to RSA-PSS")
	case bound.Hash != 0 && (bound.Hash != a.Hash || bound.MGFHash != a.MGFHash || a.SaltLength < bound.SaltLength):
		return refuse("the key is bound to other parameters") // RFC 4055 §3.3
	}
	return nil
}

func (a Algorithm) digest(message ...[]byte) []byte {
	h := a.Hash.New()
	for _, part := range message {
		h.Write(part)
	}
	return h.Sum(nil)
}

// SignMessage signs message with key, which must be of alg's kind. Errors of the key
// are passed on; a key of another kind is ErrAlgorithm.
func SignMessage(key crypto.Signer, alg Algorithm, message []byte) ([]byte, error) {
	pub, err := NewPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	if err := alg.fits(pub); err != nil {
		return nil, err
	}
	var opts crypto.SignerOpts = alg.Hash
	switch alg.Scheme {
	case ECDSAPlain:
		return nil, fmt.Errorf("%w: %v is read, not written", ErrAlgorithm, alg)
	case RSAPSS:
		if alg.MGFHash != alg.Hash || alg.SaltLength <= 0 {
			return nil, fmt.Errorf("%w: RSA-PSS is written with one hash and a salt", ErrAlgorithm)
		}
		opts = &rsa.PSSOptions{SaltLength: alg.SaltLength, Hash: alg.Hash}
	}
	sig, err := key.Sign(rand.Reader, alg.digest(message), opts)
	if err != nil {
		return nil, fmt.Errorf("sign with %v: %w", pub, err)
	}
	return sig, nil
}

// DefaultAlgorithm is what we sign with under a key: ECDSA with the SHA-2 that fits
// the curve, RSA-PSS with SHA-256 for RSA. Errors wrap ErrKey.
func DefaultAlgorithm(pub crypto.PublicKey) (Algorithm, error) {
	k, err := NewPublicKey(pub)
	switch {
	case err != nil:
		return Algorithm{}, err
	case k.RSA != nil:
		return Algorithm{RSAPSS, crypto.SHA256, crypto.SHA256, 32}, nil
	case k.Bits() <= 256:
		return Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}, nil
	case k.Bits() <= 384:
		return Algorithm{Scheme: ECDSA, Hash: crypto.SHA384}, nil
	}
	return Algorithm{Scheme: ECDSA, Hash: crypto.SHA512}, nil
}
