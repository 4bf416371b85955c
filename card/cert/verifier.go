package cert

import (
	"fmt"

	"github.com/tamthe/tamthe/card/dh"
)

// A Verifier checks many signatures of one key: it keeps what Verify works out anew each
// time, and of an EC key that recurs a table; see dh.Verifier. It is safe for concurrent
// use.
type Verifier struct {
	key PublicKey
	ec  *dh.Verifier
	rsa *rsaKey
}

// NewVerifier prepares a key for many signatures. A key that signs nothing is ErrKey.
func NewVerifier(pub PublicKey) (*Verifier, error) {
	v := &Verifier{key: pub}
	switch {
	case pub.RSA != nil:
		if v.rsa = newRSAKey(pub.RSA); v.rsa == nil {
			return nil, badKey("%v", pub)
		}
	case pub.EC != nil:
		v.ec = dh.NewVerifier(pub.EC)
	default:
		return nil, badKey("none")
	}
	return v, nil
}

// Verify is the function of that name with the verifier's key: it takes and refuses the
// same signatures.
func (v *Verifier) Verify(alg Algorithm, message, sig []byte) error {
	if err := alg.fits(v.key); err != nil {
		return err
	}
	var buffer [maxDigest]byte
	digest := AppendDigest(buffer[:0], alg.Hash, message)
	ok := false
	switch alg.Scheme {
	case RSAPKCS1:
		ok = v.rsa.verifyPKCS1(alg.Hash, digest, sig)
	case RSAPSS:
		ok = v.rsa.verifyPSS(alg, digest, sig)
	case ECDSA:
		ok = v.ec.VerifyDER(digest, sig)
	case ECDSAPlain:
		ok = v.ec.VerifyPlain(digest, sig)
	}
	if !ok {
		return fmt.Errorf("%w (%v, %v)", ErrSignature, v.key, alg)
	}
	return nil
}
