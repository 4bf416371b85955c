package keystore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrWrapped means that a wrapped key does not unwrap: another key wrapped it, for
// another label, or its octets were changed.
var ErrWrapped = errors.New("the wrapped key does not open")

// Wrap encrypts a key under s (AES-256-GCM) and binds it to the label, which is not
// stored.
func (s *Secret) Wrap(_ context.Context, key, label []byte) ([]byte, error) {
	aead, err := s.wrapping()
	if err != nil {
		return nil, fmt.Errorf("wrap a key: %w", err)
	}
	return aead.Seal(nil, nil, key, label), nil
}

// Unwrap gives what Wrap took for the label. The error is ErrWrapped.
func (s *Secret) Unwrap(_ context.Context, wrapped, label []byte) ([]byte, error) {
	aead, err := s.wrapping()
	if err != nil {
		return nil, fmt.Errorf("unwrap a key: %w", err)
	}
	key, err := aead.Open(nil, nil, wrapped, label)
	if err != nil {
		return nil, ErrWrapped
	}
	return key, nil
}

// wrapping is a cipher under a key apart from all else that the secret is used for.
func (s *Secret) wrapping() (cipher.AEAD, error) {
	if s.octets == nil {
		return nil, errors.New("the key was destroyed")
	}
	key, err := hkdf.Expand(sha256.New, s.octets, "tamthe keystore v1 wrap", SecretSize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
