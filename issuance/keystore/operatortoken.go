package keystore

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/card/cert"
)

// pemToken is the file of an operator whose key is in a token: its URI, and the public half
// by which the file is known.
const pemToken = "TAMTHE OPERATOR TOKEN"

// StoreOperatorToken writes where an operator's key is to a new file, in the place of the
// key. The URI must hold no secret. Errors wrap ErrExists, and ErrAlgorithm for a key that
// is no operator's.
func StoreOperatorToken(path, uri string, public crypto.PublicKey) error {
	spki, err := marshalPublic(public)
	if err == nil {
		err = writeBlock(path, pemToken, map[string]string{"Public": hex.EncodeToString(spki)}, []byte(uri))
	}
	if err != nil {
		return fmt.Errorf("write operator key %s: %w", path, err)
	}
	return nil
}

// OperatorToken returns the URI of an operator's key in a token; "" for one that lies in
// the file itself. Errors wrap ErrMissing, ErrPermissions or ErrFormat.
func OperatorToken(path string) (string, error) {
	uri, _, err := readToken(path)
	if errors.Is(err, ErrFormat) {
		_, _, _, _, err = readOperator(path)
	}
	if err != nil {
		return "", fmt.Errorf("open operator key %s: %w", path, err)
	}
	return uri, nil
}

func readToken(path string) (uri string, public crypto.PublicKey, err error) {
	block, err := readBlock(path, pemToken)
	if err != nil {
		return "", nil, err
	}
	if public, err = parsePublic(block.Headers["Public"]); err != nil || len(block.Bytes) == 0 {
		return "", nil, fmt.Errorf("%w: headers", ErrFormat)
	}
	return string(block.Bytes), public, nil
}

// marshalPublic encodes a SubjectPublicKeyInfo.
func marshalPublic(public crypto.PublicKey) ([]byte, error) {
	if ed, ok := public.(ed25519.PublicKey); ok {
		return x509.MarshalPKIXPublicKey(ed)
	}
	return cert.MarshalPublicKey(public, false)
}
