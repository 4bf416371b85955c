package cvc

import (
	"fmt"
	"time"
)

// Date is a calendar day of the years 2000 to 2099; the zero value is none.
type Date struct{ year, month, day int }

// On returns the day of t in its own location.
func On(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, int(m), d}
}

// ParseDate reads a day as YYMMDD in six octets, a digit each (TR-03110-3 §D.2.1.3).
// What is no day is ErrMalformed.
func ParseDate(b []byte) (Date, error) {
	bad := fmt.Errorf("date %X: %w", b, ErrMalformed)
	if len(b) != 6 {
		return Date{}, bad
	}
	for _, digit := range b {
		if digit > 9 {
			return Date{}, bad
		}
	}
	d := Date{2000 + int(b[0])*10 + int(b[1]), int(b[2])*10 + int(b[3]), int(b[4])*10 + int(b[5])}
	if On(d.Time()) != d {
		return Date{}, bad
	}
	return d, nil
}

// Bytes returns what ParseDate reads.
func (d Date) Bytes() []byte {
	y := d.year % 100
	return []byte{byte(y / 10), byte(y % 10), byte(d.month / 10), byte(d.month % 10), byte(d.day / 10), byte(d.day % 10)}
}

// Time returns the beginning of the day in UTC.
func (d Date) Time() time.Time {
	return time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
}

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.Time().Before(e.Time()) }

// IsZero reports whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// String is YYYY-MM-DD.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

// inRange says whether the encoding can hold the day.
func (d Date) inRange() bool { return d.year >= 2000 && d.year <= 2099 && On(d.Time()) == d }
