package sm

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/tamthe/tamthe/card/suite"
)

// Keys are what a key agreement yields for a channel. They are never printed, logged or
// marshalled. Who is given Keys owns their slices: it keeps or wipes them.
type Keys struct {
	Cipher   suite.Cipher
	Enc, MAC []byte // Cipher.KeySize octets each
	SSC      []byte // the send sequence counter, Cipher.BlockSize octets; nil stands for zeros
}

const redacted = "sm.Keys(redacted)"

// String returns no part of the keys.
func (Keys) String() string { return redacted }

// GoString returns no part of the keys.
func (Keys) GoString() string { return redacted }

// Format is String for every verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns no part of the keys.
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns no part of the keys.
func (Keys) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Derive returns the keys that a shared secret gives for a suite, with a zero counter
// (Doc 9303-11 §9.7.1): the rule of PACE and Chip Authentication.
func Derive(secret []byte, c suite.Cipher) Keys {
	return Keys{
		Cipher: c,
		Enc:    suite.KDF(secret, suite.CounterEnc, c),
		MAC:    suite.KDF(secret, suite.CounterMAC, c),
		SSC:    make([]byte, c.BlockSize()),
	}
}

// Destroy wipes the keys. It may be called more than once.
func (k *Keys) Destroy() {
	clear(k.Enc)
	clear(k.MAC)
	clear(k.SSC)
	*k = Keys{}
}

// check refuses keys of wrong sizes, which only a programming mistake makes.
func (k *Keys) check() error {
	if !k.Cipher.Valid() {
		return fmt.Errorf("keys without a suite")
	}
	if k.SSC == nil {
		k.SSC = make([]byte, k.Cipher.BlockSize())
	}
	n := k.Cipher.KeySize()
	if len(k.Enc) != n || len(k.MAC) != n || len(k.SSC) != k.Cipher.BlockSize() {
		return fmt.Errorf("keys of %d and %d octets and a counter of %d for %v", len(k.Enc), len(k.MAC), len(k.SSC), k.Cipher)
	}
	return nil
}
