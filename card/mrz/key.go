package mrz

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// KeyInfo is the MRZ information that BAC and PACE derive their keys from: document
// number, birth and expiry, each with its check digit, a number of less than nine
// characters filled up and a longer one whole (Doc 9303-11 §4.3.2, §4.4.4.1). The digits
// are computed, not read. It is a secret: it opens the chip.
func (m *MRZ) KeyInfo() string { return KeyInfo(m.Number, m.Birth, m.Expiry) }

// KeyInfo is described at [MRZ.KeyInfo].
func KeyInfo(number string, birth, expiry Date) string {
	var b strings.Builder
	for _, part := range []string{fill(number, 9), string(birth), string(expiry)} {
		b.WriteString(part)
		b.WriteByte(Check(part))
	}
	return b.String()
}

// Key is what of a zone opens a chip. It is a secret and prints as none.
type Key struct {
	Number        string
	Birth, Expiry Date
	Zone          *MRZ // the whole zone, if that was given
}

// Info is the MRZ information; see [MRZ.KeyInfo].
func (k Key) Info() string { return KeyInfo(k.Number, k.Birth, k.Expiry) }

const redacted = "mrz.Key(redacted)"

// String hides the secret.
func (Key) String() string { return redacted }

// GoString hides the secret.
func (Key) GoString() string { return redacted }

// Format is String for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the secret.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret, in JSON too.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// maxNumber is the longest document number that TD1 has place for: nine characters and
// fifteen less check digit and filler.
const maxNumber = 22

// ParseKey reads what --mrz-file holds and what is typed at a prompt: the lines of a zone,
// or DOCNO;YYMMDD;YYMMDD, in letters of either case. A wrong check digit of number or
// dates in a whole zone is an error that says where to look, for it is almost always a
// slip in reading. Errors wrap ErrFormat and hold nothing of the text.
func ParseKey(text string) (Key, error) {
	text = strings.Map(upper, strings.TrimSpace(text))
	if strings.Contains(text, ";") {
		return parseTriple(text)
	}
	m, err := Parse(text)
	if err != nil {
		return Key{}, err
	}
	for _, f := range m.Findings {
		if f.Field == Number || f.Field == Birth || f.Field == Expiry {
			return Key{}, fmt.Errorf("%w: %v", ErrFormat, f)
		}
	}
	return Key{m.Number, m.Birth, m.Expiry, m}, nil
}

// upper leaves alone what is not ASCII: ſ is no S.
func upper(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

func parseTriple(text string) (Key, error) {
	parts := strings.Split(text, ";")
	if len(parts) != 3 {
		return Key{}, fmt.Errorf("%w: DOCNO;YYMMDD;YYMMDD has three parts", ErrFormat)
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	k := Key{Number: trim(parts[0]), Birth: Date(parts[1]), Expiry: Date(parts[2])}
	switch n := len(k.Number); {
	case n == 0 || n > maxNumber:
		return Key{}, fmt.Errorf("%w: document number of %d characters", ErrFormat, n)
	case !k.Birth.Valid():
		return Key{}, fmt.Errorf("%w: date of birth is not YYMMDD", ErrFormat)
	case !k.Expiry.Valid():
		return Key{}, fmt.Errorf("%w: date of expiry is not YYMMDD", ErrFormat)
	}
	for i := range len(k.Number) {
		if value(k.Number[i]) < 0 {
			return Key{}, fmt.Errorf("%w: character %d of the document number", ErrFormat, i+1)
		}
	}
	return k, nil
}
