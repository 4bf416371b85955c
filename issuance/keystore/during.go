package keystore

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrPeriod says that a key does not sign at this time.
var ErrPeriod = errors.New("the key does not sign at this time")

// bounded is a key that signs in a time.
type bounded struct {
	crypto.Signer
	from, to time.Time
	now      func() time.Time
}

// During returns a signer that signs from one moment until another, both included, by the
// clock at the moment of each signature: the private key usage period of its certificate
// (Doc 9303-12 §7.1.1) is held where the key is, whatever was asked and checked before.
// Outside it the error is ErrPeriod. Destroy is passed on to a key that has it.
func During(key crypto.Signer, from, to time.Time, now func() time.Time) crypto.Signer {
	return &bounded{key, from, to, now}
}

// Sign is crypto.Signer's.
func (b *bounded) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if t := b.now(); t.Before(b.from) || t.After(b.to) {
		return nil, fmt.Errorf("%w: only from %s to %s", ErrPeriod, b.from.UTC().Format(time.RFC3339), b.to.UTC().Format(time.RFC3339))
	}
	return b.Signer.Sign(rand, digest, opts)
}

// Destroy wipes the key where it is one that can be wiped.
func (b *bounded) Destroy() {
	if k, ok := b.Signer.(interface{ Destroy() }); ok {
		k.Destroy()
	}
}
