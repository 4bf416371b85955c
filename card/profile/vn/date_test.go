package vn

import (
	"encoding/json"
	"testing"
)

func TestDate(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Date
		text string
		mrz  string
	}{
		{"1990-02-15", Date{1990, 2, 15}, "15/02/1990", "900215"},
		{"2000-02-29", Date{2000, 2, 29}, "29/02/2000", "000229"},
		{"1990-02", Date{1990, 2, 0}, "02/1990", "9002<<"},
		{"1990", Date{1990, 0, 0}, "1990", "90<<<<"},
	} {
		d, err := parseDate(tt.in)
		if err != nil || d != tt.want || d.String() != tt.in || d.Text() != tt.text || string(d.MRZ()) != tt.mrz {
			t.Errorf("%s: %+v, %s, %s, %v", tt.in, d, d.Text(), d.MRZ(), err)
		}
		if back, ok := parseText(d.Text()); !ok || back != d {
			t.Errorf("%s is read back as %v", d.Text(), back)
		}
		var j Date
		b, err := json.Marshal(d)
		if err != nil || json.Unmarshal(b, &j) != nil || j != d {
			t.Errorf("%s: %s, %v", tt.in, b, j)
		}
	}
	for _, s := range []string{"", "90-02-15", "1990-2-15", "1990-02-30", "1900-02-29", "1990-13", "1990-00-01", "1990-02-00", "0000", "1990-02-15-01", "1990-+2-15", "1990--2"} {
		if d, err := parseDate(s); err == nil {
			t.Errorf("%q is %v", s, d)
		}
	}
	for _, s := range []string{"", "15/02/90", "5/2/1990", "30/02/1990", "15.02.1990", "15/02/1990/1", "Không thời hạn"} {
		if d, ok := parseText(s); ok {
			t.Errorf("%q is %v", s, d)
		}
	}
	for _, j := range []string{`"x"`, "1990", "{}"} {
		var d Date
		if err := json.Unmarshal([]byte(j), &d); err == nil || d != (Date{}) {
			t.Errorf("%s is %v", j, d)
		}
	}
}

// The vectors of the note, and the days beside its edges.
func TestExpiry(t *testing.T) {
	for _, c := range []struct{ born, issued, want string }{
		{"1990-02-15", "2021-05-10", "2030-02-15"},
		{"1990-02-15", "2028-02-14", "2030-02-15"},
		{"1990-02-15", "2028-02-15", "2050-02-15"},
		{"1964-06-01", "2022-06-01", ""},
		{"2020-03-03", "2024-08-01", "2034-03-03"},
		{"2012-09-01", "2024-10-01", "2037-09-01"},
		{"2000-02-29", "2024-01-01", "2040-02-29"},

		{"1964-06-01", "2022-05-31", "2024-06-01"},
		{"1950-01-01", "2022-05-31", ""},
		{"2012-06-30", "2024-06-30", "2037-06-30"}, // by the old law a child of twelve has a card to 25
		{"2012-07-02", "2024-07-01", "2026-07-02"}, // by the new one to 14
		{"2012-07-01", "2024-07-01", "2037-07-01"}, // two years before

		{"2000-02-29", "2023-02-27", "2025-02-28"}, // 29 February: the last day of the month
		{"2000-02-29", "2023-02-28", "2040-02-29"},
		{"2000-02-29", "2038-02-27", "2040-02-29"},
		{"2000-02-29", "2038-02-28", "2060-02-29"},

		{"1990", "2021-05-10", "2030-01-01"},
		{"1990", "2028-01-01", "2050-01-01"},
		{"1990-02", "2021-05-10", "2030-02-01"},
	} {
		born, err := parseDate(c.born)
		if err != nil {
			t.Fatal(err)
		}
		e := ExpiryOf(born, day(c.issued))
		if got := e.Date.String(); e.Never() != (c.want == "") || !e.Never() && got != c.want {
			t.Errorf("born %s, issued %s: %s, want %q", c.born, c.issued, got, c.want)
		}
	}
	if e := (Expiry{}); e.Text() != "Không thời hạn" || e.MRZ() != "991231" {
		t.Error("no expiry is written otherwise")
	}
}
