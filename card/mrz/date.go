package mrz

import "time"

// Date is six characters YYMMDD, where << stands for a part that is not known
// (Doc 9303-3 §4.8).
type Date string

// Valid reports whether d is a date of some century, or one with unknown parts.
func (d Date) Valid() bool {
	if len(d) != 6 {
		return false
	}
	for i := 0; i < 6; i += 2 {
		if p := d[i : i+2]; p != "<<" && (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') {
			return false
		}
	}
	year, month, day := d.part(0), d.part(2), d.part(4)
	if month == 0 || month > 12 || day == 0 || day > 31 {
		return false
	}
	if month < 0 || day < 0 {
		return true
	}
	// 2000 is a leap year, and so is the year 00 of some century and one not known.
	return time.Date(2000+max(0, year), time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}

// part is the number at the offset, -1 if it is not known.
func (d Date) part(at int) int {
	if d[at] == '<' {
		return -1
	}
	return int(d[at]-'0')*10 + int(d[at+1]-'0')
}

// Known reports whether d is valid and every part of it is known.
func (d Date) Known() bool {
	return d.Valid() && d.part(0) >= 0 && d.part(2) > 0 && d.part(4) > 0
}

// Birth is the day that d means as a date of birth, seen from the calendar day of at: the
// latest that does not lie in the future. It is midnight in UTC. ok is false unless d is
// known and there is such a day within a hundred years and this century.
func (d Date) Birth(at time.Time) (day time.Time, ok bool) {
	today := dayOf(at)
	for _, century := range []int{0, -100} {
		if day, ok := d.in(century, today); ok && !day.After(today) {
			return day, true
		}
	}
	return time.Time{}, false
}

// Expiry is the day that d means as a date of expiry, seen from the calendar day of at:
// the nearest to it, so that a document of up to fifty years is read right. It is midnight
// in UTC. ok is false unless d is known.
func (d Date) Expiry(at time.Time) (day time.Time, ok bool) {
	today := dayOf(at)
	for _, century := range []int{0, -100, 100} {
		if other, there := d.in(century, today); there && (!ok || other.Sub(today).Abs() < day.Sub(today).Abs()) {
			day, ok = other, true
		}
	}
	return day, ok
}

// in is d in the century of a day, so many years from it. It is false if d is not known,
// and for 29 February where that century has none.
func (d Date) in(years int, day time.Time) (time.Time, bool) {
	if !d.Known() {
		return time.Time{}, false
	}
	year := day.Year()/100*100 + years + d.part(0)
	t := time.Date(year, time.Month(d.part(2)), d.part(4), 0, 0, 0, 0, time.UTC)
	return t, t.Day() == d.part(4)
}

// dayOf is the calendar day of a moment, as midnight in UTC.
func dayOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
