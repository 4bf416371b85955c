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

// The ages at which a card ends, by Law 59/2014 art. 21 and by Law 26/2023 art. 21, which
// came into force on law2023.
var (
	milestones2014 = []int{25, 40, 60}
	milestones2023 = []int{14, 25, 40, 60}
	law2023        = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
)

// ExpiryOf is the rule of the law in force on the calendar day of issue: a card is valid
// until the birthday of the next milestone, that of the one after it if issued within two
// years before, and without end where there is none left.
//
// Who was born on 29 February has the birthday on 28 February in other years, as terms are
// counted (Civil Code 2015 art. 148.3). Of a date of birth that is not known in full, the
// first day that it may be counts.
func ExpiryOf(birth Date, issued time.Time) Expiry {
	day, milestones := DateOf(issued).first(), milestones2023
	if day.Before(law2023) {
		milestones = milestones2014
	}
	for _, age := range milestones {
		if day.Before(birth.birthday(age - 2)) {
			return Expiry{DateOf(birth.birthday(age))}
		}
	}
	return Expiry{}
}

// birthday is the day on which somebody born on d becomes so many years old.
func (d Date) birthday(age int) time.Time {
	born := d.first()
	day := born.AddDate(age, 0, 0)
	if day.Day() != born.Day() { // there is no 29 February: this is 1 March
		return day.AddDate(0, 0, -1)
	}
	return day
}
