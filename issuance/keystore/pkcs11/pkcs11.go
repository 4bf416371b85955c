// Package pkcs11 keeps an authority's keys in a token, such as a hardware security module,
// that is reached by PKCS #11 (OASIS, version 2.40).
//
// Keys are made in the token, sensitive and not extractable, and are refused there if they
// are anything else. The host hashes; the token signs, and every signature is verified
// before it is handed on. The package is the only importer of the PKCS #11 binding.
// Without cgo, or built with the tag nopkcs11, everything but [ParseURI] returns
// ErrUnavailable.
package pkcs11

import (
	"context"
	"errors"
	"time"
)

// What callers branch on, besides the errors of package keystore.
var (
	// ErrUnavailable says that this program was built without PKCS #11.
	ErrUnavailable = errors.New("built without PKCS #11")
	// ErrURI says that a text is no PKCS #11 URI that we take.
	ErrURI = errors.New("not a PKCS #11 URI that is taken here")
	// ErrModule says that the token's library cannot be used.
	ErrModule = errors.New("the PKCS #11 module cannot be used")
	// ErrToken says that no token is there that the URI names, or more than one, or that it
	// went away.
	ErrToken = errors.New("the token is not there")
	// ErrPIN says that the PIN is wrong, or that the token has one try left, which is not
	// spent on a PIN that nobody typed.
	ErrPIN = errors.New("the token does not take the PIN")
	// ErrExposed says that the token would give the key's value out.
	ErrExposed = errors.New("the key could be read out of the token")
	// ErrAmbiguous says that a token has several keys of the name.
	ErrAmbiguous = errors.New("the token has several keys of that name")
)

// Options are how a token is used; the zero value is good.
type Options struct {
	// PIN is asked for the PIN where the URI names no source of it; nil is ErrPIN. The
	// octets are wiped when the token is closed.
	PIN func(ctx context.Context, token string) ([]byte, error)
	// Timeout bounds one call of the token; 0 is DefaultTimeout.
	Timeout time.Duration
	// Sessions is how many operations run side by side; 0 is DefaultSessions.
	Sessions int
	// Exposed takes keys that could be read out, instead of ErrExposed.
	Exposed bool
}

// The defaults of Options.
const (
	DefaultTimeout  = 20 * time.Second
	DefaultSessions = 8
)

// Info says what a token knows of a key, for people to read.
type Info struct {
	Name      string // CKA_LABEL
	ID        []byte // CKA_ID
	Algorithm string // as keystore names it, or "AES-256"; "unknown" else
	Exposed   bool   // not CKA_SENSITIVE, or CKA_EXTRACTABLE
	Made      bool   // made in the token: CKA_LOCAL and always so
}
