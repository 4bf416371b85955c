package lds

import (
	"fmt"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cert"
)

// ParseDG15 reads the public key of Active Authentication (Doc 9303-10 §4.7.15). Errors are
// *Error and wrap cert.ErrKey where the key is what is wrong.
func ParseDG15(raw []byte) (cert.PublicKey, error) {
	body, err := DG15.body(raw)
	if err != nil {
		return cert.PublicKey{}, err
	}
	key, err := cert.ParsePublicKey(body)
	if err != nil {
		return cert.PublicKey{}, &Error{DG15, err.Error(), err}
	}
	return key, nil
}

// EncodeDG15 writes DG15 around a key, with a named curve if it is an EC key.
func EncodeDG15(key cert.PublicKey) ([]byte, error) {
	spki, err := marshalKey(key)
	if err != nil {
		return nil, &Error{DG15, err.Error(), err}
	}
	return tlv.Encode(DG15.Tag(), spki), nil
}

// marshalKey writes a SubjectPublicKeyInfo with a named curve; no key wraps cert.ErrKey.
func marshalKey(key cert.PublicKey) ([]byte, error) {
	if key.EC == nil && key.RSA == nil && key.DH == nil {
		return nil, fmt.Errorf("%w: there is none", cert.ErrKey)
	}
	return cert.MarshalPublicKey(key, false)
}
