package eid

import (
	"slices"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/verify"
)

// disclosures are the fields that can be asked for, and how each is told. What the card
// does not say is not told.
var disclosures = []struct {
	name string
	tell func(verify.Identity, time.Time) string
}{
	{"age_over_14", func(i verify.Identity, at time.Time) string { return ageOver(i.Birth, 14, at) }},
	{"age_over_18", func(i verify.Identity, at time.Time) string { return ageOver(i.Birth, 18, at) }},
	{"birth", func(i verify.Identity, _ time.Time) string { return i.Birth }},
	{"document_expiry", func(i verify.Identity, _ time.Time) string { return i.Expiry }},
	{"ethnicity", national("ethnicity")},
	{"name", func(i verify.Identity, _ time.Time) string {
		if i.Name != "" {
			return i.Name
		}
		return i.Surname + " " + i.Given
	}},
	{"nationality", func(i verify.Identity, _ time.Time) string { return i.Nationality }},
	{"number", func(i verify.Identity, _ time.Time) string { return i.Number }},
	{"origin", national("origin")},
	{"residence", national("residence")},
	{"sex", func(i verify.Identity, _ time.Time) string { return i.Sex }},
}

func national(name string) func(verify.Identity, time.Time) string {
	return func(i verify.Identity, _ time.Time) string {
		for _, f := range i.Fields {
			if f.Name == name {
				return f.Value
			}
		}
		return ""
	}
}

// Fields are the names of what can be asked for, in their order.
func Fields() []string {
	var list []string
	for _, d := range disclosures {
		list = append(list, d.name)
	}
	return list
}

// disclose tells the named fields and no others.
func disclose(i verify.Identity, names []string, at time.Time) map[string]string {
	told := map[string]string{}
	for _, d := range disclosures {
		if slices.Contains(names, d.name) {
			if v := d.tell(i, at); v != "" {
				told[d.name] = v
			}
		}
	}
	return told
}

// ageOver is true or false, "" where the date of birth leaves it open.
func ageOver(birth string, years int, at time.Time) string {
	first, last := birth, birth
	switch len(birth) {
	case len("2006"):
		first, last = birth+"-01-01", birth+"-12-31"
	case len("2006-01"):
		first = birth + "-01"
		end, err := time.Parse(time.DateOnly, first)
		if err != nil {
			return ""
		}
		last = end.AddDate(0, 1, -1).Format(time.DateOnly)
	}
	a, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return ""
	}
	b, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return ""
	}
	y, m, d := at.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	oldest, youngest := !a.AddDate(years, 0, 0).After(today), !b.AddDate(years, 0, 0).After(today)
	if oldest != youngest {
		return ""
	}
	return strconv.FormatBool(oldest)
}
