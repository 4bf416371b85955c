package mrz

import (
	"fmt"
	"strings"
)

// Key is what of a zone opens a chip. It is a secret.
type Key struct {
	Number        string
	Birth, Expiry Date
	Zone          *MRZ // the whole zone, if that was given
}

// Info is the MRZ information; see [MRZ.KeyInfo].
func (k Key) Info() string { return KeyInfo(k.Number, k.Birth, k.Expiry) }

// String hides the secret.
func (Key) String() string { return "mrz.Key(redacted)" }

// GoString hides the secret.
func (Key) GoString() string { return "mrz.Key(redacted)" }

// ParseKey reads the lines of a zone, or DOCNO;YYMMDD;YYMMDD. Wrong check digits of
// number or dates in a whole zone are an error that says where to look, for they are
// almost always a slip in reading. Errors wrap ErrFormat and hold nothing of the text.
func ParseKey(text string) (Key, error) {
	text = strings.ToUpper(strings.TrimSpace(text))
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

func parseTriple(text string) (Key, error) {
	parts := strings.Split(text, ";")
	if len(parts) != 3 {
		return Key{}, fmt.Errorf("%w: DOCNO;YYMMDD;YYMMDD has three parts", ErrFormat)
	}
	k := Key{Number: trim(strings.TrimSpace(parts[0])), Birth: Date(strings.TrimSpace(parts[1])), Expiry: Date(strings.TrimSpace(parts[2]))}
	if k.Number == "" || len(k.Number) > 22 {
		return Key{}, fmt.Errorf("%w: document number of %d characters", ErrFormat, len(k.Number))
	}
	for i := range len(k.Number) {
		if value(k.Number[i]) < 0 {
			return Key{}, fmt.Errorf("%w: character %d of the document number", ErrFormat, i+1)
		}
	}
	if !k.Birth.Valid() {
		return Key{}, fmt.Errorf("%w: date of birth is not YYMMDD", ErrFormat)
	}
	if !k.Expiry.Valid() {
		return Key{}, fmt.Errorf("%w: date of expiry is not YYMMDD", ErrFormat)
	}
	return k, nil
}
