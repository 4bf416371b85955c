// Package keystore keeps the issuer's private keys and secrets and opens them as
// crypto.Signer.
//
// A URI names a signing key; today there is `file:PATH`, PKCS #8 in a file of mode
// 0600. Operators' keys are sealed with a passphrase. A file is written whole or not at
// all and never over another, and one that others could read is refused.
package keystore

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
)

// What callers branch on.
var (
	ErrMissing     = errors.New("key file not found")
	ErrExists      = errors.New("key file exists already")
	ErrPermissions = errors.New("key file is open to other users")
	ErrFormat      = errors.New("not a key file of this kind")
	ErrPassphrase  = errors.New("wrong passphrase")
	ErrScheme      = errors.New("unknown kind of key URI")
	ErrAlgorithm   = errors.New("unknown key algorithm")
	ErrName        = errors.New("not a name for a key")
	ErrSignature   = errors.New("the key's holder answered with a wrong signature")
	ErrTimeout     = errors.New("the key's holder did not answer in time")
)

// Open returns the signer that a URI names. `file:PATH` is a key that Generate wrote,
// or PKCS #8 (PEM or DER) of an EC key on a curve of package dh, of an RSA key or of an
// Ed25519 key. The signer of an EC key is a *dh.PrivateKey, of an RSA key an
// *rsa.PrivateKey, else an ed25519.PrivateKey. Errors wrap
// ErrScheme, ErrMissing, ErrPermissions or ErrFormat.
func Open(uri string) (crypto.Signer, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || scheme != "file" || rest == "" {
		return nil, fmt.Errorf("open key %q: %w", uri, ErrScheme)
	}
	key, err := openFile(rest)
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w", rest, err)
	}
	return key, nil
}

// Ed25519 is the algorithm of operators' and logs' keys, as Generate names it.
const Ed25519 = "Ed25519"

// Generate makes a signing key and writes it to a new file of mode 0600. Algorithm is
// the name of a curve ("P-256", "brainpoolP256r1" …), "RSA-2048", "RSA-3072", "RSA-4096",
// or Ed25519. Errors wrap ErrAlgorithm or ErrExists.
func Generate(path, algorithm string) (crypto.Signer, error) {
	key, err := newKey(algorithm)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	der, err := marshal(key)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	defer clear(der)
	if err := writeBlock(path, pemPrivateKey, nil, der); err != nil {
		return nil, fmt.Errorf("write key %s: %w", path, err)
	}
	return key, nil
}
