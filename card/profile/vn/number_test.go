package vn

import (
	"testing"

	"github.com/tamthe/tamthe/card/mrz"
)

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		number Number
		year   int
		sex    string
		digit  byte
	}{
		{"003190000017", 1990, "F", '7'}, // the note's card
		{"003090000017", 1990, "M", mrz.Check("003090000017")},
		{"003214123456", 2014, "M", mrz.Check("003214123456")},
		{"003399123456", 2099, "F", mrz.Check("003399123456")},
		{"003400123456", 2100, "M", mrz.Check("003400123456")},
		{"003701123456", 2201, "F", mrz.Check("003701123456")},
		{"003999123456", 2399, "F", mrz.Check("003999123456")},
	} {
		n := tt.number
		if n.BirthYear() != tt.year || n.Sex() != tt.sex || n.CheckDigit() != tt.digit || n.CAN() != string(n[6:]) || n.Document() != string(n[3:]) {
			t.Errorf("%s: %d, %s, %c, %s, %s", n, n.BirthYear(), n.Sex(), n.CheckDigit(), n.CAN(), n.Document())
		}
	}
	for _, n := range []Number{"", "00319000001", "0031900000170", "00319000001A", "٠٠٣١٩٠"} {
		if n.Valid() || n.CAN() != "" || n.Document() != "" || n.BirthYear() != 0 || n.Sex() != "" {
			t.Errorf("%q is a personal number", n)
		}
	}
}
