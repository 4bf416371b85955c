package cert

import "crypto"

// Verify checks one signature over message. The hash, the MGF hash and the salt length
// are those of alg and nothing else; ECDSA is strict DER, RSA PKCS #1 has no tolerance
// for padding. Errors wrap ErrSignature, ErrAlgorithm (also a scheme that does not fit
// the key, or PSS parameters against those that bind the key) or ErrKey.
func Verify(pub PublicKey, alg Algorithm, message, sig []byte) error { panic("todo") }

// SignMessage signs message with key, which must be of alg's kind. Errors of the key
// are passed on; a key of another kind is ErrAlgorithm.
func SignMessage(key crypto.Signer, alg Algorithm, message []byte) ([]byte, error) { panic("todo") }
