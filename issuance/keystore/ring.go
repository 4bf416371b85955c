package keystore

import (
	"context"
	"crypto"
	"fmt"
)

// Ring is where an authority's signing keys are: a folder, a token, a helper program. A
// key is known by a name that [CheckName] takes.
//
// Signer opens a key: ErrMissing if there is none of that name. Generate makes one where
// there was none: ErrExists, ErrAlgorithm for an algorithm that the ring does not make.
// Destroy ends a key for good: ErrMissing. A signer may be used by one goroutine at a
// time; one with a method Destroy() holds the key in memory, and its caller calls that.
type Ring interface {
	Signer(ctx context.Context, name string) (crypto.Signer, error)
	Generate(ctx context.Context, name, algorithm string) (crypto.Signer, error)
	Destroy(ctx context.Context, name string) error
}

// Secrets is the symmetric half of a ring. What is returned may have a method Destroy()
// as signers may. Ring's Destroy ends secrets, too.
type Secrets interface {
	Wrapper(ctx context.Context, name string) (Wrapper, error)
	Deriver(ctx context.Context, name string) (Deriver, error)
	GenerateSecret(ctx context.Context, name string, use Use) error
}

// Wrapper keeps keys under a key of its own. The label is bound to what is wrapped and not
// stored; what does not open for it is ErrWrapped.
type Wrapper interface {
	Wrap(ctx context.Context, key, label []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, label []byte) ([]byte, error)
}

// Deriver computes AES-CMAC (NIST SP 800-38B) under a key that it keeps: 16 octets, of
// which rules such as SP 800-108 make the keys of cards.
type Deriver interface {
	Derive(ctx context.Context, input []byte) ([]byte, error)
}

// maxName bounds a key's name.
const maxName = 64

// CheckName returns ErrName unless the name is one to 64 small letters, digits and hyphens
// that begins with a letter: no path, no pattern, and the same in every ring.
func CheckName(name string) error {
	ok := name != "" && len(name) <= maxName && name[0] >= 'a' && name[0] <= 'z'
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	if !ok {
		return fmt.Errorf("%w: %q", ErrName, name)
	}
	return nil
}
