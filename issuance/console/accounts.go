package console

import (
	"context"
	"time"
)

// Accounts keep which passkeys there are. What it keeps of one opens nothing without the
// passkey itself. Implemented by issuance/sqlite.
type Accounts interface {
	// Salt is the same 32 octets each time, made at random once.
	Salt(ctx context.Context) ([]byte, error)
	// Invited tells whom an invitation is for; "" where there is none, or not any more.
	Invited(ctx context.Context, code [32]byte, now time.Time) (operator string, err error)
	// Register keeps a new passkey and uses the invitation up, both or neither; false where
	// it was used or is over.
	Register(ctx context.Context, code [32]byte, now time.Time, passkey, record []byte) (bool, error)
	// Find returns a passkey's operator and record; "" where there is none.
	Find(ctx context.Context, passkey []byte) (operator string, record []byte, err error)
	// Update replaces the record of a passkey, if it is still there.
	Update(ctx context.Context, passkey, record []byte) error
}
