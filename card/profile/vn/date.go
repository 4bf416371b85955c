package vn

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/mrz"
)

// Date is a day of which month and day, or day, may not be known.
type Date struct{ Year, Month, Day int } // 0 for what is not known

// notDateVi is errDate in Vietnamese.
const notDateVi = "ngày phải viết YYYY, YYYY-MM hoặc YYYY-MM-DD và có trên lịch"

var errDate = errors.New("not YYYY, YYYY-MM or YYYY-MM-DD of the calendar")

// parseDate reads YYYY, YYYY-MM or YYYY-MM-DD.
func parseDate(s string) (Date, error) {
	d, ok := dateFrom(strings.Split(s, "-"))
	if !ok {
		return Date{}, errDate
	}
	return d, nil
}

// dateFrom takes year, month and day apart, as many as there are.
func dateFrom(parts []string) (Date, bool) {
	if len(parts) > 3 {
		return Date{}, false
	}
	var n [3]int
	for i, p := range parts {
		if len(p) != [3]int{4, 2, 2}[i] || !alphanumeric(p, false) {
			return Date{}, false
		}
		if n[i], _ = strconv.Atoi(p); n[i] == 0 { // digits are a number
			return Date{}, false
		}
	}
	d := Date{n[0], n[1], n[2]}
	return d, d.Valid()
}

// parseText reads what Text writes.
func parseText(s string) (Date, bool) {
	parts := strings.Split(s, "/")
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return dateFrom(parts)
}

// DateOf is the calendar day of a time, where its clock stands.
func DateOf(t time.Time) Date { return Date{t.Year(), int(t.Month()), t.Day()} }

// Valid reports whether d is in the calendar, as far as it is known.
func (d Date) Valid() bool {
	if d.Year < 1 || d.Year > 9999 || d.Month < 0 || d.Month > 12 || d.Day < 0 || d.Day > 0 && d.Month == 0 {
		return false
	}
	return d.Day == 0 || d.first().Day() == d.Day
}

// whole reports whether d is a day of the calendar.
func (d Date) whole() bool { return d.Valid() && d.Day > 0 }

// first is the day, or the first one that it may be, as midnight in UTC.
func (d Date) first() time.Time {
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

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Date) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return errDate
	}
	v, err := parseDate(s)
	if err != nil {
		return err
	}
	*d = v
	return nil
}
