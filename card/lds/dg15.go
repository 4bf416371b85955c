package lds

import (
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cert"
)

// ParseDG15 reads the public key of Active Authentication (Doc 9303-10 §4.7.15). What is
// wrong with the key wraps cert.ErrKey.
func ParseDG15(raw []byte) (cert.PublicKey, error) {
	body, err := DG15.body(raw)
	if err != nil {
		return cert.PublicKey{}, err
	}
	return cert.ParsePublicKey(body)
}

// EncodeDG15 writes DG15 around a key, with a named curve if it is an EC key.
func EncodeDG15(key cert.PublicKey) ([]byte, error) {
	spki, err := cert.MarshalPublicKey(key, false)
	if err != nil {
		return nil, err
	}
	return tlv.Encode(DG15.Tag(), spki), nil
}
