package keystore

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const pemSecret = "TAMTHE SECRET KEY"

// SecretSize is the length of every symmetric key, in octets.
const SecretSize = 32

// A Use says what a symmetric key is for; a key of one use does not open as another.
type Use string

// The uses of symmetric keys.
const (
	UseVault      Use = "vault"       // sealing of personal data
	UseCardMaster Use = "card-master" // diversification of card keys
	UseTransport  Use = "transport"   // wrapping of suppliers' transport keys
	UseNames      Use = "names"       // pairwise names of citizens for relying parties
)

// Secret is a symmetric key. It shows nothing of itself in print; Destroy forgets it.
type Secret struct{ octets []byte }

const redacted = "keystore.Secret(redacted)"

// Bytes is the key itself, valid until Destroy; the caller must not keep it.
func (s *Secret) Bytes() []byte { return s.octets }

// Destroy overwrites the key. It may be called again.
func (s *Secret) Destroy() {
	clear(s.octets)
	s.octets = nil
}

// String is a placeholder.
func (s Secret) String() string { return redacted }

// GoString is a placeholder.
func (s Secret) GoString() string { return redacted }

// Format is a placeholder for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue is a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON is a placeholder.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// GenerateSecret draws a key of SecretSize octets and writes it to a new file of mode
// 0600. Errors wrap ErrExists.
func GenerateSecret(path string, use Use) (*Secret, error) {
	s := &Secret{make([]byte, SecretSize)}
	rand.Read(s.octets)
	if err := writeBlock(path, pemSecret, map[string]string{"Use": string(use)}, s.octets); err != nil {
		return nil, fmt.Errorf("write %s key %s: %w", use, path, err)
	}
	return s, nil
}

// OpenSecret reads a key that GenerateSecret wrote for that use. Errors wrap
// ErrMissing, ErrPermissions or ErrFormat.
func OpenSecret(path string, use Use) (*Secret, error) {
	block, err := readBlock(path, pemSecret)
	if err == nil && (block.Headers["Use"] != string(use) || len(block.Bytes) != SecretSize) {
		err = fmt.Errorf("%w: want %d octets for %s", ErrFormat, SecretSize, use)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s key %s: %w", use, path, err)
	}
	return &Secret{block.Bytes}, nil
}
