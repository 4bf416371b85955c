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
	month, day := d.part(2), d.part(4)
	if month == 0 || month > 12 || day == 0 || day > 31 {
		return false
	}
	if month < 0 || day < 0 {
		return true
	}
	year := d.part(0)
	if year < 0 {
		year = 0 // a leap year
	}
	return daysIn(2000+year, month) >= day
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
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

// Birth is the day that d means as a date of birth, seen from at: the latest that does
// not lie in the future. ok is false unless d is known.
func (d Date) Birth(at time.Time) (day time.Time, ok bool) {
	if !d.Known() {
		return time.Time{}, false
	}
	century := at.Year() / 100 * 100
	day = d.in(century)
	if day.After(at) {
		day = d.in(century - 100)
	}
	return day, true
}

// Expiry is the day that d means as a date of expiry, seen from at: the nearest to it, so
// that a document of up to fifty years is read right. ok is false unless d is known.
func (d Date) Expiry(at time.Time) (day time.Time, ok bool) {
	if !d.Known() {
		return time.Time{}, false
	}
	century := at.Year() / 100 * 100
	day = d.in(century)
	for _, c := range []int{century - 100, century + 100} {
		if other := d.in(c); other.Sub(at).Abs() < day.Sub(at).Abs() {
			day = other
		}
	}
	return day, true
}

func (d Date) in(century int) time.Time {
	return time.Date(century+d.part(0), time.Month(d.part(2)), d.part(4), 0, 0, 0, 0, time.UTC)
}

// DateOf is the six characters of a day.
func DateOf(day time.Time) Date { return Date(day.Format("060102")) }
