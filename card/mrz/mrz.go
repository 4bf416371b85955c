// Package mrz reads and writes machine readable zones (ICAO Doc 9303-3 to -6) and derives
// from them what opens a chip.
//
// What is read is never repaired: a wrong check digit, an impossible date, a character
// that has no place are findings with field and position, and the text stays as it is.
// It may hold anything, control characters included: whoever shows it escapes it.
package mrz

import (
	"errors"
	"fmt"
	"strings"
)

// Format is the size of document that a zone belongs to.
type Format uint8

// The formats of travel documents.
const (
	TD1  Format = 1 + iota // three lines of 30
	TD2                    // two lines of 36
	TD3                    // two lines of 44
	MRVA                   // visa of format A: two lines of 44, document code V
	MRVB                   // visa of format B: two lines of 36, document code V
)

// String is TD1, TD2, TD3, MRV-A or MRV-B.
func (f Format) String() string {
	switch {
	case f == MRVA:
		return "MRV-A"
	case f == MRVB:
		return "MRV-B"
	case f < TD1 || f > TD3:
		return fmt.Sprintf("format(%d)", uint8(f))
	}
	return fmt.Sprintf("TD%d", uint8(f))
}

// Size returns the number of lines and of characters in each.
func (f Format) Size() (lines, width int) {
	switch f {
	case TD1:
		return 3, 30
	case TD2, MRVB:
		return 2, 36
	case TD3, MRVA:
		return 2, 44
	}
	return 0, 0
}

// ErrFormat says that a text has not the lines and characters of a travel document's
// machine readable zone, or is none of the forms that open a chip.
var ErrFormat = errors.New("not a machine readable zone of a travel document")

// Field names a part of a zone.
type Field string

// The fields.
const (
	Document    Field = "document code"
	Issuer      Field = "issuing state"
	Number      Field = "document number"
	Birth       Field = "date of birth"
	SexField    Field = "sex"
	Expiry      Field = "date of expiry"
	Nationality Field = "nationality"
	Optional    Field = "optional data"
	Composite   Field = "composite"
	Name        Field = "name"
)

// Problem is what is wrong with a field.
type Problem string

// The problems.
const (
	CheckDigit Problem = "check-digit" // does not agree with its field
	BadDate    Problem = "date"        // is no date, known or partly unknown
	BadText    Problem = "text"        // a character that has no place in the field; its position
	Empty      Problem = "empty"
)

// Finding is one thing wrong with a zone. It holds no text of the zone.
type Finding struct {
	Field    Field
	Problem  Problem
	Line     int // from 1
	Position int // of the check digit, the wrong character, or the field's first one, from 1
}

// String names field, problem and place.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s (line %d, position %d)", f.Field, f.Problem, f.Line, f.Position)
}

// MRZ is a machine readable zone. Fields are without filler (<), names with single
// spaces for it; nothing else is changed.
type MRZ struct {
	Format      Format
	Lines       []string
	Document    string // code: I, ID, P, PP …
	Issuer      string
	Number      string // the whole number, from the optional data too where it is long
	Optional1   string // TD1 line 1, without a long number's part; elsewhere line 2
	Optional2   string // TD1 line 2
	Birth       Date
	Sex         string // F, M, or < for unspecified; X where a State writes that
	Expiry      Date
	Nationality string
	Primary     string // name: primary identifier
	Secondary   string // name: secondary identifier
	Findings    []Finding
}

// DigitsRight reports whether every check digit agrees with its field.
func (m *MRZ) DigitsRight() bool {
	for _, f := range m.Findings {
		if f.Problem == CheckDigit {
			return false
		}
	}
	return true
}

// Text is the lines one after the other, as DG1 holds them.
func (m *MRZ) Text() string { return strings.Join(m.Lines, "") }
