package desk

import (
	"slices"
	"time"
)

// Term is how many working days an office has from application to card (Law 26/2023 Art. 26).
const Term = 7

// Calendar says on which days the office works: Monday to Friday, but for its holidays.
type Calendar struct {
	Holidays []string // as YYYY-MM-DD
}

// works reports whether the office works on a day.
func (c Calendar) works(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !slices.Contains(c.Holidays, day.Format(time.DateOnly))
}

// Due is the working day, as midnight where from stands, that comes so many working days
// after the day of from. That day itself does not count.
func (c Calendar) Due(from time.Time, days int) time.Time {
	y, m, d := from.Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, from.Location())
	for days > 0 {
		day = day.AddDate(0, 0, 1)
		if c.works(day) {
			days--
		}
	}
	return day
}

// Days is how many working days after the day of from the day of to is: what Due counts.
func (c Calendar) Days(from, to time.Time) (n int) {
	last := dayOf(to)
	for day := dayOf(from.In(to.Location())).AddDate(0, 0, 1); !day.After(last); day = day.AddDate(0, 0, 1) {
		if c.works(day) {
			n++
		}
	}
	return n
}
