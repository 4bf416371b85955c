package mrz

import (
	"fmt"
	"strings"
)

// Card is what a TD1 zone is written from. Text is in the characters of the zone
// already: A–Z, 0–9, with spaces or < between words; see Transliterate.
type Card struct {
	Document    string // 1 or 2 characters, I… or A… or C…
	Issuer      string // 1 to 3
	Number      string // 1 to 22, without spaces; beyond nine it goes on in the optional data
	Optional1   string // up to 15, less what a long number takes
	Birth       Date   // may have unknown parts
	Sex         string // F, M, X or <
	Expiry      Date
	Nationality string // 1 to 3
	Optional2   string // up to 11
	Primary     string
	Secondary   string
}

// FieldError says which field can't be written, and why. It holds nothing of its content.
type FieldError struct {
	Field  Field
	Detail string
}

// Error names the field.
func (e *FieldError) Error() string { return string(e.Field) + ": " + e.Detail }

// WriteTD1 writes the three lines of an identity card (Doc 9303-5 §4.2.2), check digits
// computed. A name beyond 30 characters is cut at its end and then ends in a letter
// (§4.2.3). Errors are *FieldError.
func WriteTD1(c Card) (*MRZ, error) {
	w := writer{}
	number, optional := c.Number, c.Optional1
	check := string(Check(fill(number, 9)))
	if len(number) > 9 { // Doc 9303-5 §4.2.2.1 note j
		optional = number[9:] + string(Check(number)) + "<" + optional
		number, check = number[:9], "<"
	}
	if !c.Birth.Valid() {
		w.fail(Birth, "no date")
	}
	if !c.Expiry.Known() { // Doc 9303-10 table 40: digits only
		w.fail(Expiry, "no day")
	}
	if len(c.Sex) != 1 || !strings.Contains("FMX<", c.Sex) {
		w.fail(SexField, "not F, M, X or <")
	}
	sex := strings.Replace(c.Sex, "X", "<", 1)
	l1 := w.field(Document, c.Document, 2) + w.field(Issuer, c.Issuer, 3) + w.field(Number, number, 9) + check +
		w.optional(optional, 15)
	birth := string(c.Birth) + string(Check(string(c.Birth)))
	expiry := string(c.Expiry) + string(Check(string(c.Expiry)))
	optional2 := w.optional(c.Optional2, 11)
	l2 := birth + sex + expiry + w.field(Nationality, c.Nationality, 3) + optional2
	if w.err != nil {
		return nil, w.err
	}
	l2 += string(Check(l1[5:30] + birth + expiry + optional2))
	name, _, err := nameField(c.Primary, c.Secondary, 30)
	if err != nil {
		return nil, err
	}
	m, err := Decode([]byte(l1 + l2 + name))
	if err == nil && len(m.Findings) > 0 { // a digit where letters stand
		return nil, &FieldError{m.Findings[0].Field, string(m.Findings[0].Problem)}
	}
	return m, err
}

// writer remembers the first field that can't be written.
type writer struct{ err error }

func (w *writer) fail(f Field, detail string) {
	if w.err == nil {
		w.err = &FieldError{f, detail}
	}
}

func (w *writer) field(f Field, s string, width int) string {
	if s == "" {
		w.fail(f, "empty")
	}
	return w.text(f, s, width)
}

func (w *writer) optional(s string, width int) string { return w.text(Optional, s, width) }

func (w *writer) text(f Field, s string, width int) string {
	s = strings.ReplaceAll(s, " ", "<")
	for i := range len(s) {
		if value(s[i]) < 0 {
			w.fail(f, fmt.Sprintf("character %d is no letter A–Z, digit or space", i+1))
			return ""
		}
	}
	if len(s) > width {
		w.fail(f, fmt.Sprintf("%d characters, %d fit", len(s), width))
		return ""
	}
	return fill(s, width)
}

func fill(s string, width int) string { return s + strings.Repeat("<", max(0, width-len(s))) }
