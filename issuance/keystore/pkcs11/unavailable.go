//go:build !cgo || nopkcs11

package pkcs11

import (
	"context"
	"crypto"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// Modules owns the libraries that this process has loaded.
type Modules struct{}

// Open opens a token.
func (m *Modules) Open(ctx context.Context, u URI, o Options) (*Token, error) {
	return nil, ErrUnavailable
}

// Close lets go of everything.
func (m *Modules) Close() error { return nil }

// Token is an open token; it is a keystore.Ring with Secrets.
type Token struct{}

// Key opens the one key that the URI names.
func (t *Token) Key(ctx context.Context) (crypto.Signer, error) { return nil, ErrUnavailable }

// List says what private and secret keys there are.
func (t *Token) List(ctx context.Context) ([]Info, error) { return nil, ErrUnavailable }

// Signer opens a key by its name.
func (t *Token) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	return nil, ErrUnavailable
}

// Generate makes a key in the token.
func (t *Token) Generate(ctx context.Context, name, algorithm string) (crypto.Signer, error) {
	return nil, ErrUnavailable
}

// Destroy ends a key.
func (t *Token) Destroy(ctx context.Context, name string) error { return ErrUnavailable }

// Wrapper opens a secret that wraps keys.
func (t *Token) Wrapper(ctx context.Context, name string) (keystore.Wrapper, error) {
	return nil, ErrUnavailable
}

// Deriver opens a secret that keys are derived from.
func (t *Token) Deriver(ctx context.Context, name string) (keystore.Deriver, error) {
	return nil, ErrUnavailable
}

// GenerateSecret makes a secret in the token.
func (t *Token) GenerateSecret(ctx context.Context, name string, use keystore.Use) error {
	return ErrUnavailable
}
