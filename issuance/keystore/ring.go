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
