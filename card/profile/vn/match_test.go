package vn

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestMatchKey(t *testing.T) {
	for _, pair := range [][2]string{{"Hòa  Bình ", "HOÀ BÌNH"}, {"Thúy", "Thuý"}, {"Đặng", "đặng"}, {"Nam", "NAM"}} {
		if MatchKey(pair[0]) != MatchKey(pair[1]) {
			t.Errorf("%s and %s are two", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"Hòa", "Hoa"}, {"Hòa", "Hóa"}, {"Đa", "Da"}, {"Hoà Binh", "Hoa Bình"}, {"Ân", "An"}, {"Ơn", "On"}} {
		if MatchKey(pair[0]) == MatchKey(pair[1]) {
			t.Errorf("%s and %s are one", pair[0], pair[1])
		}
	}
}

// All 134 letters with marks: in either normal form one, in either case one, and no two
// of them the same.
func TestMatchKeyLetters(t *testing.T) {
	const letters = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
	seen := map[string]rune{}
	for _, r := range letters {
		key := MatchKey(string(r))
		for _, s := range []string{norm.NFD.String(string(r)), strings.ToUpper(string(r)), norm.NFD.String(strings.ToUpper(string(r)))} {
			if MatchKey(s) != key {
				t.Errorf("%+q and %c are two", s, r)
			}
		}
		if other, ok := seen[key]; ok {
			t.Errorf("%c and %c are one", r, other)
		}
		seen[key] = r
	}
	if len(seen) != 67 {
		t.Errorf("%d letters, there are 67", len(seen))
	}
}
