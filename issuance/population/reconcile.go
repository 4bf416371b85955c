package population

import (
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// Class is what comes of a comparison. The zero value is the cautious one.
type Class uint8

const (
	Mismatch    Class = iota // a person must decide; nothing is issued until then
	Explainable              // different, for a reason that is named and changes nothing
	Match                    // the same, octet by octet
)

// String is mismatch, explainable or match.
func (c Class) String() string { return [...]string{"mismatch", "explainable", "match"}[min(c, Match)] }

// MarshalText writes String.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes; what else it finds is a Mismatch, and no error.
func (c *Class) UnmarshalText(b []byte) error {
	*c = map[string]Class{"match": Match, "explainable": Explainable}[string(b)]
	return nil
}

// Cause is why two values differ.
type Cause string

// The causes. Those of an explainable difference come first.
const (
	Same           Cause = "same"
	NormalForm     Cause = "normal-form"     // Unicode NFC and NFD
	Spaces         Cause = "spaces"          // more of them, or others
	LetterCase     Cause = "letter-case"     // NGUYỄN and Nguyễn
	TonePlace      Cause = "tone-place"      // hòa and hoà
	LookAlike      Cause = "look-alike"      // Ð of Icelandic for Đ
	PartialDate    Cause = "partial-date"    // the register knows the year, or year and month
	RegisterSilent Cause = "register-silent" // the register does not say
	RegisterCode   Cause = "register-code"   // a code of the register that nobody explained
	Spelling       Cause = "spelling"        // HMông, Mông and H'Mông
	UnitWords      Cause = "unit-words"      // TP. and Thành phố
	DeadDistrict   Cause = "dead-district"   // a district, of which there are none since July 2025
	MergedProvince Cause = "merged-province" // a province that became part of another in July 2025

	Marks             Cause = "marks"              // the same letters, with other marks or none
	Different         Cause = "different"          // another value
	ApplicationSilent Cause = "application-silent" // the register says something, the application nothing
	ApplicationDate   Cause = "application-date"   // the register knows more of the date
	DaySwapped        Cause = "day-swapped"        // day and month changed places
	Deceased          Cause = "deceased"           // the register says that the person died
)

// Finding is one field's comparison. It holds no personal data.
type Finding struct {
	Field string `json:"field"` // as in the file of `enrol`
	Class Class  `json:"class"`
	Cause Cause  `json:"cause"`
}

// Worst is the class of the whole: that of the worst finding; of no finding, Mismatch.
func Worst(list []Finding) Class {
	if len(list) == 0 {
		return Mismatch
	}
	worst := Match
	for _, f := range list {
		worst = min(worst, f.Class)
	}
	return worst
}

// Reconcile compares what an application says with the register's record, every field that
// both can hold, in the order of the application. At is the day of the comparison: which
// names of provinces are in force depends on it.
func Reconcile(p vn.Person, r Record, at time.Time) []Finding {
	var list []Finding
	add := func(field string, class Class, cause Cause) { list = append(list, Finding{field, class, cause}) }
	text := func(field, application, register string) {
		class, cause := compareSilent(application, register)
		add(field, class, cause)
	}

	if p.Number == r.Number {
		add("number", Match, Same)
	} else {
		add("number", Mismatch, Different)
	}
	text("name", p.FullName(), r.Name)
	class, cause := compareSex(p.Sex, r.Sex)
	add("sex", class, cause)
	class, cause = compareDate(p.Birth, r.Birth)
	add("birth", class, cause)
	class, cause = comparePlace(p.Origin, r.Origin, at)
	add("origin", class, cause)
	class, cause = comparePlace(p.Residence, r.Residence, at)
	add("residence", class, cause)
	class, cause = compareEthnicity(p.Ethnicity, r.Ethnicity)
	add("ethnicity", class, cause)
	class, cause = compareReligion(p.Religion, r.Religion)
	add("religion", class, cause)
	text("father", p.Father, r.Father)
	text("mother", p.Mother, r.Mother)
	text("spouse", p.Spouse, r.Spouse)
	if r.Deceased {
		add("person", Mismatch, Deceased)
	}
	return list
}

// compareSilent is compareText of values of which either may not be there.
func compareSilent(application, register string) (Class, Cause) {
	a, r := spaced(application), spaced(register)
	switch {
	case a == "" && r == "":
		return Match, Same
	case r == "":
		return Explainable, RegisterSilent
	case a == "":
		return Mismatch, ApplicationSilent
	}
	return compareText(application, register)
}

func compareSex(application, register string) (Class, Cause) {
	switch {
	case register == "":
		return Explainable, RegisterSilent
	case application == register:
		return Match, Same
	case register == "M" || register == "F":
		return Mismatch, Different
	}
	return Mismatch, RegisterCode
}

// compareDate: what the register does not know of a date, the application may; never the
// other way round.
func compareDate(application, register vn.Date) (Class, Cause) {
	switch {
	case register == vn.Date{}:
		return Mismatch, RegisterSilent
	case application == register:
		return Match, Same
	case application.Year == register.Year && application.Day != 0 && application.Day == register.Month && application.Month == register.Day:
		return Mismatch, DaySwapped
	case !sameDay(application, register):
		return Mismatch, Different
	case application.Month == 0 && register.Month != 0 || application.Day == 0 && register.Day != 0:
		return Mismatch, ApplicationDate
	}
	return Explainable, PartialDate
}
