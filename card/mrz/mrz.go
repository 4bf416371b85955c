// Package mrz reads and writes machine readable zones (ICAO Doc 9303-3 to -6) and derives
// from them what opens a chip.
//
// What is read is never repaired: a wrong check digit, an impossible date, a character
// that has no place are findings with field and position, and the text stays as it is.
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
	TD1 Format = 1 + iota // three lines of 30
	TD2                   // two lines of 36
	TD3                   // two lines of 44
)

// String is TD1, TD2 or TD3.
func (f Format) String() string {
	if f < TD1 || f > TD3 {
		return fmt.Sprintf("format(%d)", uint8(f))
	}
	return fmt.Sprintf("TD%d", uint8(f))
}

// Size returns the number of lines and of characters in each.
func (f Format) Size() (lines, width int) {
	switch f {
	case TD1:
		return 3, 30
	case TD2:
		return 2, 36
	case TD3:
		return 2, 44
	}
	return 0, 0
}

// ErrFormat says that a text is no machine readable zone of a travel document: wrong
// number of lines or characters, or characters that no zone has.
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
	BadText    Problem = "text"        // a character that has no place in the field
	Empty      Problem = "empty"
)

// Finding is one thing wrong with a zone. It holds no text of the zone.
type Finding struct {
	Field    Field
	Problem  Problem
	Line     int // from 1
	Position int // of the check digit or of the field's first character, from 1
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
	Optional1   string // TD1 line 1, without a long number's part; TD2 and TD3 line 2
	Optional2   string // TD1 line 2
	Birth       Date
	Sex         string // F, M, or < for unspecified
	Expiry      Date
	Nationality string
	Primary     string // name: primary identifier
	Secondary   string // name: secondary identifier
	Findings    []Finding

	numberCheck, birthCheck, expiryCheck byte
}

// maxText bounds what Parse looks at.
const maxText = 200

// Parse reads a zone. Lines may be separated by line ends or stand one after the other,
// as in DG1. Errors wrap ErrFormat.
func Parse(text string) (*MRZ, error) {
	if len(text) > maxText {
		return nil, ErrFormat
	}
	joined := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, text)
	var m *MRZ
	for _, f := range []Format{TD1, TD2, TD3} {
		if n, width := f.Size(); len(joined) == n*width {
			m = &MRZ{Format: f}
			for i := range n {
				m.Lines = append(m.Lines, joined[i*width:(i+1)*width])
			}
		}
	}
	if m == nil {
		return nil, fmt.Errorf("%w: %d characters", ErrFormat, len(joined))
	}
	for i := range len(joined) {
		if value(joined[i]) < 0 {
			return nil, fmt.Errorf("%w: character %d is no letter A–Z, digit or <", ErrFormat, i+1)
		}
	}
	if m.Format == TD1 {
		m.readTD1()
	} else {
		m.readTwoLines()
	}
	return m, nil
}

func (m *MRZ) readTD1() {
	l1, l2 := m.Lines[0], m.Lines[1]
	m.Document, m.Issuer = trim(l1[0:2]), trim(l1[2:5])
	m.number(l1, 5, 1, l1[15:30])
	m.birth(l2, 0, 2)
	m.sex(l2[7], 2, 8)
	m.expiry(l2, 8, 2)
	m.Nationality = trim(l2[15:18])
	m.Optional2 = trim(l2[18:29])
	m.check(Composite, l1[5:30]+l2[0:7]+l2[8:15]+l2[18:29], l2[29], 2, 30)
	m.name(m.Lines[2], 3)
	m.common()
}

func (m *MRZ) readTwoLines() {
	l1, l2 := m.Lines[0], m.Lines[1]
	m.Document, m.Issuer = trim(l1[0:2]), trim(l1[2:5])
	m.name(l1[5:], 1)
	last := len(l2) - 1
	if m.Format == TD3 {
		m.number(l2, 0, 2, "")
		m.Optional1 = trim(l2[28:42])
		if !(m.Optional1 == "" && l2[42] == '<') { // either form is right for nothing
			m.check(Optional, l2[28:42], l2[42], 2, 43)
		}
	} else {
		m.number(l2, 0, 2, l2[28:last])
	}
	m.Nationality = trim(l2[10:13])
	m.birth(l2, 13, 2)
	m.sex(l2[20], 2, 21)
	m.expiry(l2, 21, 2)
	m.check(Composite, l2[0:10]+l2[13:20]+l2[21:last], l2[last], 2, last+1)
	m.common()
}

// number reads the document number of nine characters at the offset. In TD1 and TD2 a
// filler in the place of its check digit says that it goes on in the optional data, with
// the check digit behind it (Doc 9303-5 §4.2.2.1 note j).
func (m *MRZ) number(line string, at, n int, optional string) {
	m.Number, m.numberCheck = trim(line[at:at+9]), line[at+9]
	rest, after, _ := strings.Cut(optional, "<")
	if line[at+9] == '<' && len(rest) >= 2 {
		m.Number = line[at:at+9] + rest[:len(rest)-1]
		m.numberCheck = rest[len(rest)-1]
		m.Optional1 = trim(after)
		m.check(Number, m.Number, m.numberCheck, n, at+10+len(rest))
		return
	}
	m.Optional1 = trim(optional)
	m.check(Number, line[at:at+9], line[at+9], n, at+10)
	if m.Number == "" {
		m.find(Number, Empty, n, at+1)
	}
}

func (m *MRZ) birth(line string, at, n int) {
	m.Birth, m.birthCheck = Date(line[at:at+6]), line[at+6]
	m.date(Birth, m.Birth, line[at+6], n, at)
}

func (m *MRZ) expiry(line string, at, n int) {
	m.Expiry, m.expiryCheck = Date(line[at:at+6]), line[at+6]
	m.date(Expiry, m.Expiry, line[at+6], n, at)
}

func (m *MRZ) date(f Field, d Date, check byte, n, at int) {
	m.check(f, string(d), check, n, at+7)
	if !d.Valid() {
		m.find(f, BadDate, n, at+1)
	}
}

func (m *MRZ) sex(c byte, n, position int) {
	m.Sex = string(c)
	if c != 'F' && c != 'M' && c != '<' && c != 'X' {
		m.find(SexField, BadText, n, position)
	}
}

// name splits primary and secondary identifier at the first double filler.
func (m *MRZ) name(field string, n int) {
	primary, secondary, _ := strings.Cut(strings.TrimRight(field, "<"), "<<")
	m.Primary, m.Secondary = words(primary), words(secondary)
	at := 1
	if m.Format != TD1 {
		at = 6
	}
	if m.Primary == "" && m.Secondary == "" {
		m.find(Name, Empty, n, at)
	}
	if i := strings.IndexAny(field, "0123456789"); i >= 0 {
		m.find(Name, BadText, n, at+i)
	}
}

// common checks what all formats have at the same place.
func (m *MRZ) common() {
	if m.Document == "" {
		m.find(Document, Empty, 1, 1)
	}
	if m.Issuer == "" {
		m.find(Issuer, Empty, 1, 3)
	}
}

func (m *MRZ) check(f Field, data string, digit byte, n, position int) {
	if digit != Check(data) {
		m.find(f, CheckDigit, n, position)
	}
}

func (m *MRZ) find(f Field, p Problem, n, position int) {
	m.Findings = append(m.Findings, Finding{f, p, n, position})
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

// KeyInfo is the MRZ information that BAC and PACE derive their keys from: document
// number, birth and expiry, each with its check digit, a number of less than nine
// characters filled up (Doc 9303-11 §4.3.2, §4.4.4.1). The digits are computed, so that
// a misprinted one opens no other card. It is a secret: it opens the chip.
func (m *MRZ) KeyInfo() string { return KeyInfo(m.Number, m.Birth, m.Expiry) }

// KeyInfo is described at [MRZ.KeyInfo].
func KeyInfo(number string, birth, expiry Date) string {
	if len(number) < 9 {
		number += strings.Repeat("<", 9-len(number))
	}
	var b strings.Builder
	for _, part := range []string{number, string(birth), string(expiry)} {
		b.WriteString(part)
		b.WriteByte(Check(part))
	}
	return b.String()
}

func trim(s string) string { return strings.TrimRight(s, "<") }

func words(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' }), " ")
}
