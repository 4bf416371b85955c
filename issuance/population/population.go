// Package population asks the register of the population whether a person is who an
// application says, and holds the answer against the application field by field.
//
// A register is asked to confirm, never to search: number, name and date of birth all come
// from the application, and every question names the officer, the unit, the purpose and a
// request of its own, which the register keeps.
package population

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// Register confirms persons. Confirm gives the record of the one whom all of number, name
// and date of birth name; else the error is ErrNoSuchPerson. ErrUnavailable says that
// the register gave no answer: the same request may be asked again later. *RefusedError is
// an answer: the register does not answer this officer, unit or purpose.
//
// A register compares names without regard to case, normal form and place of the tone, and
// a date as far as it knows it.
type Register interface {
	Confirm(ctx context.Context, q Query) (Record, error)
}

// Query is one question. All of it is required. It holds personal data and does not print
// them.
type Query struct {
	Number vn.Number
	Name   string // whole, in the order family, middle, given
	Birth  vn.Date

	Officer string // who asks: the office's name for the operator
	Unit    string // for which office
	Purpose string // one of Purposes
	Request string // names the question: a repetition of it is the same question
}

// Purposes are what a register may be asked for.
func Purposes() []string { return []string{"issue", "replace", "reissue", "correct"} }

// Record is what the register says of a person; "" is what it does not say. It holds
// personal data and does not print them.
type Record struct {
	Number    vn.Number
	OldNumber string // the nine digits of before
	Name      string
	Sex       string // M, F, or what the register says and nobody explained
	Birth     vn.Date
	Ethnicity string // text, or the two digits of the register
	Religion  string // text, or the two digits of the register
	Origin    Place
	Residence Place
	Father    string
	Mother    string
	Spouse    string
	Deceased  bool
}

// Place is where somebody comes from or lives: the codes of the administrative units, and
// in words what stands below them, or all of it.
type Place struct {
	Province string `json:"province,omitempty"` // two digits
	District string `json:"district,omitempty"` // three digits; none was given since July 2025
	Ward     string `json:"ward,omitempty"`     // five digits
	Detail   string `json:"detail,omitempty"`
	Country  string `json:"country,omitempty"`
}

// IsZero reports whether the register says nothing of the place.
func (p Place) IsZero() bool { return p == Place{} }

// The errors of a register.
var (
	ErrNoSuchPerson = errors.New("the register confirms no such person")
	ErrUnavailable  = errors.New("the register does not answer")
	ErrAnswer       = errors.New("not an answer of the register")
	ErrQuery        = errors.New("not a question for the register")
)

// RefusedError is a register that does not answer whoever asks. Code is its own.
type RefusedError struct{ Code string }

func (e *RefusedError) Error() string { return "the register refuses to answer: " + e.Code }

// MaxText is the longest text of a query or record, in octets.
const MaxText = 1000

// Check says what is missing from a query: ErrQuery. Nothing of the person is in it.
func (q Query) Check() error {
	switch {
	case !q.Number.Valid():
		return fmt.Errorf("%w: the number is not twelve digits", ErrQuery)
	case strings.TrimSpace(q.Name) == "" || len(q.Name) > MaxText || !utf8.ValidString(q.Name):
		return fmt.Errorf("%w: no name", ErrQuery)
	case q.Birth.Year == 0:
		return fmt.Errorf("%w: no date of birth", ErrQuery)
	}
	for name, value := range map[string]string{"officer": q.Officer, "unit": q.Unit, "request": q.Request} {
		if !isWord(value) {
			return fmt.Errorf("%w: %s: want 1 to 64 letters, digits, dots, underscores and hyphens", ErrQuery, name)
		}
	}
	for _, p := range Purposes() {
		if p == q.Purpose {
			return nil
		}
	}
	return fmt.Errorf("%w: no purpose", ErrQuery)
}

func isWord(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == ""
}

// Format prints none of a query.
func (Query) Format(f fmt.State, _ rune) { fmt.Fprint(f, "a question for the register") }

// Format prints none of a record.
func (Record) Format(f fmt.State, _ rune) { fmt.Fprint(f, "a record of the register") }

// Confirms reports whether a record is that of whom the query names, the way that registers
// compare.
func (r Record) Confirms(q Query) bool {
	return r.Number == q.Number && vn.MatchKey(lookAlikes.Replace(r.Name)) == vn.MatchKey(lookAlikes.Replace(q.Name)) && sameDay(q.Birth, r.Birth)
}

// sameDay reports whether two dates agree as far as both are known.
func sameDay(a, b vn.Date) bool {
	return a.Year == b.Year && (a.Month == 0 || b.Month == 0 || a.Month == b.Month) && (a.Day == 0 || b.Day == 0 || a.Day == b.Day)
}

// RecordOf is what a register would say that says just what the person says.
func RecordOf(p vn.Person) Record {
	return Record{
		Number: p.Number, Name: p.FullName(), Sex: p.Sex, Birth: p.Birth, Ethnicity: p.Ethnicity, Religion: p.Religion,
		Origin: Place{Detail: p.Origin}, Residence: Place{Detail: p.Residence}, Father: p.Father, Mother: p.Mother, Spouse: p.Spouse,
	}
}
