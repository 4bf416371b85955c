package vn

import (
	"strconv"

	"github.com/tamthe/tamthe/card/mrz"
)

// Rule is a stable code of something that does not agree.
type Rule string

// The rules. None of them refuses a card: the State signed the data.
const (
	RuleNumber     Rule = "number"      // no personal number of twelve digits in the MRZ
	RuleCheckDigit Rule = "check-digit" // the national check digit is wrong
	RuleDocument   Rule = "document"    // the document number is not the last nine digits
	RuleCentury    Rule = "century"     // the number's digits of century, sex and year against MRZ and DG13
	RuleDG13       Rule = "dg13"        // DG13 can't be read, or lacks a field that the MRZ has
	RuleUnknown    Rule = "dg13-field"  // DG13 has a field or element that is not known, or one twice
	RuleText       Rule = "text"        // DG13 has characters that can't be printed
	RuleDG13Number Rule = "dg13-number" // … against the MRZ
	RuleDG13Name   Rule = "dg13-name"
	RuleDG13Birth  Rule = "dg13-birth"
	RuleDG13Sex    Rule = "dg13-sex"
	RuleDG13Expiry Rule = "dg13-expiry"
)

// Reading is what the card says beyond ICAO Doc 9303.
type Reading struct {
	Number    Number // "" if the MRZ has none
	DG13      *DG13  // nil without one that can be read
	NoExpiry  bool   // the card does not expire
	Disagrees []Rule // in the order of the rules, each once
}

// Inspect reads a zone that mrz read and DG13, and holds them against each other. dg13 may
// be nil, which is no disagreement: whether the file must be there, the SOD says.
func Inspect(m *mrz.MRZ, dg13 []byte) Reading {
	r := Reading{NoExpiry: m.Expiry == NoExpiry}
	broken := false
	if dg13 != nil {
		d, err := ParseDG13(dg13)
		r.DG13, broken = d, err != nil
	}
	n, ok := numberOf(m)
	r.Number = n
	r.add(RuleNumber, !ok)
	if ok {
		r.add(RuleCheckDigit, m.Lines[0][29] != n.CheckDigit())
		r.add(RuleDocument, m.Number != n.Document())
		r.add(RuleCentury, !r.centuryAgrees(m))
	}
	r.add(RuleDG13, broken)
	if r.DG13 != nil {
		r.compare(m)
	}
	return r
}

func (r *Reading) add(rule Rule, disagrees bool) {
	if disagrees {
		r.Disagrees = append(r.Disagrees, rule)
	}
}

// centuryAgrees holds the fourth to sixth digits of the number against sex and year of the
// zone, and against the year in DG13, which has all four digits.
func (r *Reading) centuryAgrees(m *mrz.MRZ) bool {
	if unequal(m.Sex, r.Number.Sex()) {
		return false
	}
	if year, err := strconv.Atoi(string(m.Birth[:2])); err == nil && year != r.Number.BirthYear()%100 {
		return false
	}
	if r.DG13 == nil {
		return true
	}
	born, ok := parseText(r.DG13.Value(FieldBirth))
	return !ok || born.Year == r.Number.BirthYear()
}

// unequal reports whether two sexes contradict: where one is not said, they do not.
func unequal(zone, other string) bool { return (zone == "M" || zone == "F") && zone != other }

// compare holds the fields of DG13 that the zone has too against it.
func (r *Reading) compare(m *mrz.MRZ) {
	var found []Rule
	missing := false
	for _, c := range []struct {
		field  int
		rule   Rule
		agrees func(string) bool
	}{
		{FieldNumber, RuleDG13Number, func(v string) bool { return v == string(r.Number) }},
		{FieldName, RuleDG13Name, func(v string) bool { return nameAgrees(v, m) }},
		{FieldBirth, RuleDG13Birth, func(v string) bool { return dateAgrees(v, m.Birth) }},
		{FieldSex, RuleDG13Sex, func(v string) bool { return sexAgrees(v, m.Sex) }},
		{FieldExpiry, RuleDG13Expiry, func(v string) bool {
			return r.NoExpiry && MatchKey(v) == MatchKey(NoExpiryText) || dateAgrees(v, m.Expiry)
		}},
	} {
		if v := r.DG13.Value(c.field); v == "" {
			missing = true
		} else if !c.agrees(v) {
			found = append(found, c.rule)
		}
	}
	r.add(RuleDG13, missing)
	r.add(RuleUnknown, r.DG13.odd())
	r.add(RuleText, !r.DG13.printable())
	r.Disagrees = append(r.Disagrees, found...)
}

// odd reports whether there is an element that is not known, or a field twice.
func (d *DG13) odd() bool {
	seen := map[int]bool{}
	for _, f := range d.Fields {
		if f.Number > FieldSerial || seen[f.Number] {
			return true
		}
		seen[f.Number] = true
	}
	return d.Unknown > 0
}

// printable reports whether no value has control characters, such that change the
// direction of text, or others that no card should show.
func (d *DG13) printable() bool {
	for _, f := range d.Fields {
		for _, v := range f.Values {
			if unprintable(v) > 0 {
				return false
			}
		}
	}
	return true
}

// nameAgrees compares a name in Vietnamese with the zone's, which may have been cut.
func nameAgrees(name string, m *mrz.MRZ) bool {
	letters, err := mrz.Transliterate(name)
	if err != nil {
		return false
	}
	same, truncated := m.NameIs(letters)
	return same || truncated
}

// sexAgrees compares Nam or Nữ with the zone's sex.
func sexAgrees(text, zone string) bool {
	for _, sex := range []string{"M", "F"} {
		if MatchKey(text) == MatchKey(sexText(sex)) {
			return !unequal(zone, sex)
		}
	}
	return false
}

// dateAgrees compares dd/MM/yyyy, or as much of it as is known, with a date of the zone.
func dateAgrees(text string, d mrz.Date) bool {
	day, ok := parseText(text)
	return ok && day.MRZ() == d
}
