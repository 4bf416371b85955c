package vault

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "vault.Secret(redacted)"

// Secret is personal data in clear. It prints, logs and marshals as a placeholder.
type Secret struct{ octets []byte }

// Bytes gives the data, shared with the secret.
func (s *Secret) Bytes() []byte { return s.octets }

// Destroy overwrites the data.
func (s *Secret) Destroy() {
	clear(s.octets)
	s.octets = nil
}

// String redacts the data.
func (Secret) String() string { return redacted }

// GoString redacts the data.
func (Secret) GoString() string { return redacted }

// Format is String for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue redacts the data.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON redacts the data.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
