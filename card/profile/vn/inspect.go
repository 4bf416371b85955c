package vn

import (
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/mrz"
)

// Rule is a stable code of something that does not agree.
type Rule string

// The rules. None of them refuses a card: the State signed the data.
const (
	RuleNumber     Rule = "number"      // no personal number of twelve digits in the MRZ
	RuleCheckDigit Rule = "check-digit" // the national check digit is wrong
	RuleDocument   Rule = "document"    // the document number is not the last nine digits
	RuleCentury    Rule = "century"     // the digit of century and sex, or the year, against the MRZ
	RuleDG13       Rule = "dg13"        // DG13 can't be read, or lacks a field
	RuleUnknown    Rule = "dg13-field"  // DG13 has a field or element that is not known
	RuleDG13Number Rule = "dg13-number" // … against the MRZ
	RuleDG13Name   Rule = "dg13-name"
	RuleDG13Birth  Rule = "dg13-birth"
	RuleDG13Sex    Rule = "dg13-sex"
	RuleDG13Expiry Rule = "dg13-expiry"
)

// Reading is what the card says beyond ICAO Doc 9303.
type Reading struct {
	Number    Number
	DG13      *DG13  // nil without one that can be read
	NoExpiry  bool   // the card does not expire
	Disagrees []Rule // in the order of Rule
}

// Inspect reads MRZ and DG13 and holds them against each other. dg13 may be nil, which is
// no disagreement: whether the file must be there, the SOD says.
func Inspect(m *mrz.MRZ, dg13 []byte) Reading {
	r := Reading{NoExpiry: m.Expiry == NoExpiry}
	n, ok := NumberOf(m)
	r.Number = n
	if !ok {
		r.add(RuleNumber, true)
	} else {
		r.add(RuleCheckDigit, m.Lines[0][29] != n.CheckDigit())
		r.add(RuleDocument, m.Number != n.Document())
		r.add(RuleCentury, !centuryAgrees(n, m))
	}
	if dg13 == nil {
		return r
	}
	d, err := ParseDG13(dg13)
	if err != nil {
		r.add(RuleDG13, true)
		return r
	}
	r.DG13 = d
	r.compare(m)
	return r
}

func (r *Reading) add(rule Rule, disagrees bool) {
	if disagrees && !slices.Contains(r.Disagrees, rule) {
		r.Disagrees = append(r.Disagrees, rule)
	}
}

func centuryAgrees(n Number, m *mrz.MRZ) bool {
	year := string([]byte{n[4], n[5]})
	return (m.Sex == "<" || m.Sex == n.Sex()) && (m.Birth[:2] == "<<" || string(m.Birth[:2]) == year)
}

// compare holds the fields of DG13 that the MRZ has too against it.
func (r *Reading) compare(m *mrz.MRZ) {
	r.add(RuleUnknown, r.DG13.Unknown > 0)
	for _, f := range r.DG13.Fields {
		r.add(RuleUnknown, f.Number > FieldSerial)
	}
	check := func(field int, rule Rule, agrees func(string) bool) {
		if v := r.DG13.Value(field); v == "" {
			r.add(RuleDG13, true)
		} else {
			r.add(rule, !agrees(v))
		}
	}
	check(FieldNumber, RuleDG13Number, func(v string) bool { return v == string(r.Number) })
	check(FieldName, RuleDG13Name, func(v string) bool { return nameAgrees(v, m) })
	check(FieldBirth, RuleDG13Birth, func(v string) bool { return dateAgrees(v, m.Birth) })
	check(FieldSex, RuleDG13Sex, func(v string) bool {
		return m.Sex == "<" || MatchKey(v) == MatchKey(sexText(m.Sex))
	})
	check(FieldExpiry, RuleDG13Expiry, func(v string) bool {
		if r.NoExpiry {
			return MatchKey(v) == MatchKey(NoExpiryText)
		}
		return dateAgrees(v, m.Expiry)
	})
}

// dateAgrees compares dd/MM/yyyy, or a part of it, with a date of the MRZ.
func dateAgrees(text string, d mrz.Date) bool {
	parts := strings.Split(text, "/")
	slices.Reverse(parts)
	if len(parts) > 3 || len(parts[0]) != 4 {
		return false
	}
	want := parts[0][2:] + strings.Join(parts[1:], "")
	return mrz.Date(want+strings.Repeat("<", max(0, 6-len(want)))) == d
}
