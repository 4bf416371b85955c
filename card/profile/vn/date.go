package vn

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/mrz"
)

// Date is a day of which month and day, or day, may not be known.
type Date struct{ Year, Month, Day int } // 0 for what is not known

// ParseDate reads YYYY, YYYY-MM or YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	var d Date
	parts := strings.Split(s, "-")
	widths := []int{4, 2, 2}
	if len(parts) > 3 {
		return Date{}, fmt.Errorf("%q is not YYYY, YYYY-MM or YYYY-MM-DD", s)
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || len(p) != widths[i] || n < 1 {
			return Date{}, fmt.Errorf("%q is not YYYY, YYYY-MM or YYYY-MM-DD", s)
		}
		*[]*int{&d.Year, &d.Month, &d.Day}[i] = n
	}
	if d.Month > 12 || d.Day > 0 && d.Day > d.first().AddDate(0, 1, -1).Day() {
		return Date{}, fmt.Errorf("%q is no day of the calendar", s)
	}
	return d, nil
}

// DateOf is the calendar day of a time.
func DateOf(t time.Time) Date { return Date{t.Year(), int(t.Month()), t.Day()} }

func (d Date) first() time.Time {
	return time.Date(d.Year, time.Month(max(1, d.Month)), 1, 0, 0, 0, 0, time.UTC)
}

// Time is the day, or the first one that it may be.
func (d Date) Time() time.Time {
	return time.Date(d.Year, time.Month(max(1, d.Month)), max(1, d.Day), 0, 0, 0, 0, time.UTC)
}

// String is YYYY, YYYY-MM or YYYY-MM-DD.
func (d Date) String() string {
	switch {
	case d.Month == 0:
		return fmt.Sprintf("%04d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Text is dd/MM/yyyy as on the card, without the parts that are not known.
func (d Date) Text() string {
	switch {
	case d.Month == 0:
		return fmt.Sprintf("%04d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%02d/%04d", d.Month, d.Year)
	}
	return fmt.Sprintf("%02d/%02d/%04d", d.Day, d.Month, d.Year)
}

// MRZ is YYMMDD with << for what is not known.
func (d Date) MRZ() mrz.Date {
	part := func(n int) string {
		if n == 0 {
			return "<<"
		}
		return fmt.Sprintf("%02d", n%100)
	}
	return mrz.Date(fmt.Sprintf("%02d", d.Year%100) + part(d.Month) + part(d.Day))
}

// MarshalJSON writes String.
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what ParseDate takes.
func (d *Date) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a date is a string: YYYY, YYYY-MM or YYYY-MM-DD")
	}
	v, err := ParseDate(s)
	if err != nil {
		return err
	}
	*d = v
	return nil
}
