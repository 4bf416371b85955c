//go:build !cgo || nopcsc

package pcsc

import (
	"context"

	"github.com/tamthe/tamthe/apdu"
)

// Readers lists the readers.
func Readers(ctx context.Context) ([]Reader, error) { return nil, ErrUnavailable }

// Wait waits until the reader of that name has a card.
func Wait(ctx context.Context, name string) error { return ErrUnavailable }

// Pick chooses a reader.
func Pick(ctx context.Context, substring string) (Reader, error) {
	return Reader{}, ErrUnavailable
}

// Diagnose looks at the service and at each reader.
func Diagnose(ctx context.Context) Diagnosis { return Diagnosis{Service: ErrUnavailable} }

// Card is an open card.
type Card struct{}

// Open opens the card in the reader of that name.
func Open(ctx context.Context, name string, o Options) (*Card, error) { return nil, ErrUnavailable }

// Exchange implements apdu.Wire.
func (c *Card) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	return nil, ErrUnavailable
}

// ATR returns the card's answer to reset.
func (c *Card) ATR() []byte { return nil }

// Limits returns what the reader bears.
func (c *Card) Limits() apdu.Limits { return apdu.Limits{} }

// Claims says what the card's historical bytes say of extended length.
func (c *Card) Claims() Extended { return ExtendedUnknown }

// Protocol returns the protocol in use.
func (c *Card) Protocol() Protocol { return "" }

// Reset resets the card.
func (c *Card) Reset(ctx context.Context) error { return ErrUnavailable }

// Close gives the card back.
func (c *Card) Close() error { return nil }
