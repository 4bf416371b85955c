package vn

import (
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestProvince(t *testing.T) {
	before, since := 0, 0
	for code, names := range provinces {
		if !norm.NFC.IsNormalString(names[0]) || len(code) != 3 || code[0] != '0' {
			t.Errorf("%s %q", code, names)
		}
		if names[0] != "" {
			before++
		}
		if names[1] != "" {
			since++
		}
	}
	if before != 63 || since != 34 {
		t.Errorf("%d and %d provinces, there are 63 and 34", before, since)
	}
	for _, tt := range []struct{ number, day, want string }{
		{"052190000017", "1990-02-15", "Bình Định"},
		{"052190000017", "2025-06-30", "Bình Định"},
		{"052325000017", "2025-07-01", "Gia Lai"},
		{"015325000017", "2025-07-01", "Lào Cai"},
		{"010325000017", "2025-07-01", ""},
		{"003190000017", "1990-02-15", ""},
		{"101190000017", "1990-02-15", ""},
		{"001", "1990-02-15", ""},
	} {
		if got := Number(tt.number).Province(day(tt.day)); got != tt.want {
			t.Errorf("%s on %s: %q, want %q", tt.number, tt.day, got, tt.want)
		}
	}
	for number, want := range map[Number]bool{"101190000017": true, "295190000017": true, "296190000017": false, "096190000017": false, "200": false} {
		if number.Abroad() != want {
			t.Errorf("%s abroad: %v", number, !want)
		}
	}
}
