//go:build cgo && !nopcsc

package pcsc

import "context"

// Readers lists the readers.
func Readers(ctx context.Context) ([]Reader, error) { panic("todo") }

// Wait waits until the reader of that name has a card.
func Wait(ctx context.Context, name string) error { panic("todo") }

// Pick chooses a reader.
func Pick(ctx context.Context, substring string) (Reader, error) { panic("todo") }

// Diagnose looks at the service and at each reader.
func Diagnose(ctx context.Context) Diagnosis { panic("todo") }

// Card is an open card.
type Card struct{}

// Open opens the card in the reader of that name.
func Open(ctx context.Context, name string, o Options) (*Card, error) { panic("todo") }

// Exchange implements apdu.Wire.
func (c *Card) Exchange(ctx context.Context, b []byte) ([]byte, error) { panic("todo") }

// ATR returns the card's answer to reset.
func (c *Card) ATR() []byte { panic("todo") }

// Protocol returns the protocol in use.
func (c *Card) Protocol() Protocol { panic("todo") }

// Reset resets the card.
func (c *Card) Reset(ctx context.Context) error { panic("todo") }

// Close gives the card back.
func (c *Card) Close() error { panic("todo") }
