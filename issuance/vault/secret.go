package vault

import "log/slog"

const hidden = "(sealed personal data)"

// Secret is personal data in clear. It prints, logs and marshals as a placeholder.
type Secret struct{ octets []byte }

// NewSecret takes octets over, so that they are no longer printed by accident.
func NewSecret(octets []byte) *Secret { return &Secret{octets} }

// Bytes gives the data, shared with the secret.
func (s *Secret) Bytes() []byte { return s.octets }

// Destroy overwrites the data.
func (s *Secret) Destroy() {
	clear(s.octets)
	s.octets = nil
}

// String hides the data.
func (Secret) String() string { return hidden }

// GoString hides the data.
func (Secret) GoString() string { return hidden }

// LogValue hides the data.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides the data.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
