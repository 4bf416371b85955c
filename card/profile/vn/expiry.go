package vn

import (
	"time"

	"github.com/tamthe/tamthe/card/mrz"
)

// Expiry is when a card expires. The zero value is never.
type Expiry struct{ Date Date }

// Never reports whether the card does not expire.
func (e Expiry) Never() bool { return e.Date == Date{} }

// MRZ is the date in the MRZ.
func (e Expiry) MRZ() mrz.Date {
	if e.Never() {
		return NoExpiry
	}
	return e.Date.MRZ()
}

// Text is what DG13 and the print say.
func (e Expiry) Text() string {
	if e.Never() {
		return NoExpiryText
	}
	return e.Date.Text()
}

// law2023 is when Law 26/2023 came into force and lowered the first milestone to 14.
var law2023 = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)

// ExpiryOf is the rule of the law in force on the day of issue: a card is valid until the
// birthday of the next milestone (25, 40, 60; since Law 26/2023 art. 21 also 14), that of
// the one after it if issued within two years before, and beyond 60 without end. A
// birthday of 29 February falls on 1 March in other years.
func ExpiryOf(birth Date, issued time.Time) Expiry {
	milestones := []int{14, 25, 40, 60}
	if issued.Before(law2023) {
		milestones = milestones[1:]
	}
	day := DateOf(issued).Time()
	for _, age := range milestones {
		birthday := birth.Time().AddDate(age, 0, 0)
		if day.Before(birthday.AddDate(-2, 0, 0)) {
			return Expiry{DateOf(birthday)}
		}
	}
	return Expiry{}
}
