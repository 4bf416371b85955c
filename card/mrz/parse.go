package mrz

import (
	"fmt"
	"strings"
)

// maxText bounds the text that Parse looks at, in octets.
const maxText = 200

// Parse reads a zone as it is typed or scanned: its lines, with line ends or blanks
// between them, or one after the other. Errors wrap ErrFormat.
func Parse(text string) (*MRZ, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%w: more than %d octets", ErrFormat, maxText)
	}
	lines := strings.Fields(text)
	if len(lines) == 1 {
		return Decode([]byte(lines[0]))
	}
	for _, f := range formats {
		if n, width := f.Size(); len(lines) == n && allOf(lines, width) {
			return Decode([]byte(strings.Join(lines, "")))
		}
	}
	return nil, fmt.Errorf("%w: %d lines of other lengths", ErrFormat, len(lines))
}

func allOf(lines []string, width int) bool {
	for _, line := range lines {
		if len(line) != width {
			return false
		}
	}
	return true
}

// formats are tried in this order; no two have the same number of characters.
var formats = [...]Format{TD1, TD2, TD3}

// Decode reads a zone as a chip stores it: the lines one after the other and nothing
// else. It keeps every octet. Errors wrap ErrFormat.
func Decode(octets []byte) (*MRZ, error) {
	for _, f := range formats {
		n, width := f.Size()
		if len(octets) != n*width {
			continue
		}
		m, text := &MRZ{Format: f}, string(octets)
		for i := range n {
			m.Lines = append(m.Lines, text[i*width:(i+1)*width])
		}
		switch {
		case f == TD1:
			m.readTD1()
		case text[0] == 'V':
			if m.Format = MRVB; f == TD3 { // TD3 and MRV-A, TD2 and MRV-B share their sizes
				m.Format = MRVA
			}
			m.readVisa()
		default:
			m.readTwoLines()
		}
		return m, nil
	}
	return nil, fmt.Errorf("%w: %d characters", ErrFormat, len(octets))
}

func (m *MRZ) readTD1() {
	l1, l2 := m.Lines[0], m.Lines[1]
	m.heading(l1)
	m.number(l1, 5, 1, 15, 30)
	m.Birth = m.date(Birth, l2, 0)
	m.sex(l2, 7)
	m.Expiry = m.date(Expiry, l2, 8)
	m.Nationality = m.text(Nationality, 2, l2, 15, 18, letters)
	m.Optional2 = m.text(Optional, 2, l2, 18, 29, alphanumeric)
	m.check(Composite, l1[5:30]+l2[0:7]+l2[8:15]+l2[18:29], 2, l2, 29)
	m.name(3, m.Lines[2], 0)
}

func (m *MRZ) readTwoLines() {
	l1, l2 := m.Lines[0], m.Lines[1]
	m.heading(l1)
	m.name(1, l1, 5)
	last := len(l2) - 1
	if m.Format == TD3 {
		m.number(l2, 0, 2, 0, 0)
		m.Optional1 = m.text(Optional, 2, l2, 28, 42, alphanumeric)
		if !(m.Optional1 == "" && l2[42] == '<') { // either form is right for nothing
			m.check(Optional, l2[28:42], 2, l2, 42)
		}
	} else {
		m.number(l2, 0, 2, 28, last)
	}
	m.Nationality = m.text(Nationality, 2, l2, 10, 13, letters)
	m.Birth = m.date(Birth, l2, 13)
	m.sex(l2, 20)
	m.Expiry = m.date(Expiry, l2, 21)
	m.check(Composite, l2[0:10]+l2[13:20]+l2[21:last], 2, l2, last)
}

// readVisa reads a visa (Doc 9303-7 §4.2, §5.2), which has no composite check digit.
func (m *MRZ) readVisa() {
	l1, l2 := m.Lines[0], m.Lines[1]
	m.heading(l1)
	m.name(1, l1, 5)
	m.Number = m.text(Number, 2, l2, 0, 9, alphanumeric)
	m.check(Number, l2[0:9], 2, l2, 9)
	if m.Number == "" {
		m.find(Number, Empty, 2, 0)
	}
	m.Nationality = m.text(Nationality, 2, l2, 10, 13, letters)
	m.Birth = m.date(Birth, l2, 13)
	m.sex(l2, 20)
	m.Expiry = m.date(Expiry, l2, 21)
	m.Optional1 = m.text(Optional, 2, l2, 28, len(l2), alphanumeric)
}

// heading reads document code and issuing state. Which codes there are is not judged, nor
// that a nationality is there: German cards are met with UB, and with none.
func (m *MRZ) heading(line string) {
	if m.Document = m.text(Document, 1, line, 0, 2, letters); m.Document == "" {
		m.find(Document, Empty, 1, 0)
	}
	if m.Issuer = m.text(Issuer, 1, line, 2, 5, letters); m.Issuer == "" {
		m.find(Issuer, Empty, 1, 2)
	}
}

// number reads the document number of nine characters at the offset, and the optional
// data of line n from one offset to another. In TD1 and TD2 a filler in the place of the
// check digit says that the number goes on in the optional data, with the check digit
// behind it and a filler behind that (Doc 9303-5 §4.2.2.1 note j).
func (m *MRZ) number(line string, at, n, from, to int) {
	m.Number = m.text(Number, n, line, at, at+9, alphanumeric)
	digit := at + 9
	if rest, _, _ := strings.Cut(line[from:to], "<"); line[digit] == '<' && len(rest) >= 2 {
		digit = from + len(rest) - 1
		m.Number = line[at:at+9] + m.text(Number, n, line, from, digit, alphanumeric)
		m.check(Number, m.Number, n, line, digit)
		from = min(digit+2, to)
	} else {
		m.check(Number, line[at:at+9], n, line, digit)
	}
	m.Optional1 = m.text(Optional, n, line, from, to, alphanumeric)
	if m.Number == "" {
		m.find(Number, Empty, n, at)
	}
}

// date reads a date of line 2 and the check digit behind it.
func (m *MRZ) date(f Field, line string, at int) Date {
	d := Date(line[at : at+6])
	m.check(f, string(d), 2, line, at+6)
	if !d.Valid() {
		m.find(f, BadDate, 2, at)
	}
	return d
}

func (m *MRZ) sex(line string, at int) {
	m.Sex = line[at : at+1]
	if strings.IndexByte("FM<X", line[at]) < 0 {
		m.find(SexField, BadText, 2, at)
	}
}

// name splits primary and secondary identifier at the first double filler.
func (m *MRZ) name(n int, line string, at int) {
	field := m.text(Name, n, line, at, len(line), letters)
	primary, secondary, _ := strings.Cut(field, "<<")
	m.Primary, m.Secondary = words(primary), words(secondary)
	if m.Primary == "" && m.Secondary == "" {
		m.find(Name, Empty, n, at)
	}
}

// The characters that a field has beside the filler.
const (
	letters      = "ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
	alphanumeric = "0123456789" + letters
)

// text is the field without the filler behind it; the first character that has no place
// in it is a finding.
func (m *MRZ) text(f Field, n int, line string, from, to int, allowed string) string {
	for i := from; i < to; i++ {
		if strings.IndexByte(allowed, line[i]) < 0 {
			m.find(f, BadText, n, i)
			break
		}
	}
	return trim(line[from:to])
}

func (m *MRZ) check(f Field, data string, n int, line string, at int) {
	if line[at] != Check(data) {
		m.find(f, CheckDigit, n, at)
	}
}

// find notes a problem at an offset, which counts from 0.
func (m *MRZ) find(f Field, p Problem, n, at int) {
	m.Findings = append(m.Findings, Finding{f, p, n, at + 1})
}

func trim(s string) string { return strings.TrimRight(s, "<") }

func words(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' }), " ")
}
