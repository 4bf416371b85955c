package vn

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/card/mrz"
)

// The rules of a QR code against the chip.
const (
	RuleQRNumber    Rule = "qr-number"
	RuleQRName      Rule = "qr-name"
	RuleQRBirth     Rule = "qr-birth"
	RuleQRSex       Rule = "qr-sex"
	RuleQRResidence Rule = "qr-residence"
	RuleQRIssued    Rule = "qr-issued"
	RuleQROldNumber Rule = "qr-old-number"
)

// Disagrees holds the code against the zone of DG1 and against DG13, which may be nil, and
// names what differs, in the order of the rules. Case, form of Unicode, place of tone
// marks and punctuation do not count. A field that the chip does not hold, or that the
// code leaves empty, is not compared; in a code of more than seven fields, whose order is
// not published, a value may stand anywhere behind the number.
func (q QR) Disagrees(m *mrz.MRZ, d *DG13) []Rule {
	n, ok := numberOf(m)
	var list []Rule
	if !ok || q.Number != n {
		list = append(list, RuleQRNumber)
	}
	for _, c := range []struct {
		rule   Rule
		own    string
		agrees func(string) bool
	}{
		{RuleQRName, q.Name, func(v string) bool { return d.same(FieldName, v) && nameAgrees(v, m) }},
		{RuleQRBirth, q.Birth, func(v string) bool { return d.same(FieldBirth, v) && dateAgrees(slashed(v), m.Birth) }},
		{RuleQRSex, q.Sex, func(v string) bool { return d.same(FieldSex, v) && sexAgrees(v, m.Sex) }},
		{RuleQRResidence, q.Residence, func(v string) bool { return d.same(FieldResidence, v) }},
		{RuleQRIssued, q.Issued, func(v string) bool { return d.same(FieldIssued, v) }},
		{RuleQROldNumber, q.OldNumber, func(v string) bool { return d.same(FieldOldNumber, v) }},
	} {
		if !c.agrees(c.own) && !slices.ContainsFunc(q.loose(), c.agrees) {
			list = append(list, c.rule)
		}
	}
	return list
}

// loose are the fields behind the number of a code whose order is not published.
func (q QR) loose() []string {
	if len(q.More) == 0 {
		return nil
	}
	list := append([]string{q.OldNumber, q.Name, q.Birth, q.Sex, q.Residence, q.Issued}, q.More...)
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// same compares a text of the code with a field of DG13; where one of them is missing there
// is nothing to differ from.
func (d *DG13) same(field int, text string) bool {
	if d == nil || text == "" {
		return true
	}
	v := d.Value(field)
	return v == "" || looseKey(v) == looseKey(text)
}

// looseKey is a MatchKey without what is neither letter nor digit: 15/02/1990 and 15021990
// are one, and so are addresses with and without commas.
func looseKey(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, norm.NFC.String(s))
	return MatchKey(s)
}

// slashed puts the slashes of DG13 into a date of digits, of which day and month may be
// unknown.
func slashed(date string) string {
	switch len(date) {
	case 8:
		return date[:2] + "/" + date[2:4] + "/" + date[4:]
	case 6:
		return date[:2] + "/" + date[2:]
	}
	return date
}
