package population

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// units are the words for administrative units and streets, and how they are shortened.
var units = map[string]string{
	"tp": "thành phố", "tx": "thị xã", "tt": "thị trấn", "t": "tỉnh", "q": "quận", "h": "huyện", "p": "phường", "x": "xã",
	"đ": "đường", "tdp": "tổ dân phố", "kp": "khu phố",
}

// provinceWords stand before the name of a province, districtWords before that of a unit
// between it and ward or commune, of which there are none since July 2025. Thành phố may
// be either: where it stands decides.
var (
	provinceWords = []string{"tỉnh ", "thành phố "}
	districtWords = []string{"huyện ", "quận ", "thị xã ", "thành phố "}
)

// comparePlace holds an address as it is written on the card against the register's.
func comparePlace(application string, r Place, at time.Time) (Class, Cause) {
	ours := parts(application)
	switch {
	case len(ours) == 0 && r.IsZero():
		return Match, Same
	case r.IsZero():
		return Explainable, RegisterSilent
	case len(ours) == 0:
		return Mismatch, ApplicationSilent
	}
	theirs := parts(r.Detail)
	causes := []Cause{}
	ours, theirs, cause := compareProvince(ours, theirs, r.Province, at)
	if cause.class() == Mismatch {
		return Mismatch, cause
	}
	causes = append(causes, cause)

	ours, theirs, cause = dropDistrict(ours, theirs, r.District != "")
	causes = append(causes, cause)
	if len(theirs) < len(ours) && r.Ward+r.District != "" {
		return Mismatch, RegisterCode // the register names a unit by a code only
	}
	if len(ours) != len(theirs) {
		return Mismatch, Different
	}
	for i := range ours {
		cause := comparePart(ours[i], theirs[i])
		if cause.class() == Mismatch {
			return Mismatch, cause
		}
		causes = append(causes, cause)
	}
	slices.SortFunc(causes, func(a, b Cause) int { return slices.Index(explainable, b) - slices.Index(explainable, a) })
	return causes[0].class(), causes[0]
}

// explainable are the causes that change nothing, the weightiest last.
var explainable = []Cause{
	Same, NormalForm, Spaces, LetterCase, TonePlace, LookAlike, UnitWords, RegisterCode, DeadDistrict, MergedProvince,
}

// class is that of a difference of places.
func (c Cause) class() Class {
	switch {
	case c == Same:
		return Match
	case slices.Contains(explainable, c):
		return Explainable
	}
	return Mismatch
}

// parts are the parts of an address, the largest unit last.
func parts(s string) []string {
	var list []string
	for p := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		if strings.TrimSpace(p) != "" {
			list = append(list, strings.TrimSpace(p))
		}
	}
	return list
}

// compareProvince compares the last parts as provinces and returns what stands below them.
// Where the register gives a code, it decides; its words may name the province too.
func compareProvince(ours, theirs []string, code string, at time.Time) ([]string, []string, Cause) {
	ours, written := ours[:len(ours)-1], ours[len(ours)-1]
	province := named(written, provinceWords)
	if code == "" {
		if len(theirs) == 0 {
			return nil, nil, Different
		}
		last := theirs[len(theirs)-1]
		cause := sameProvince(province, named(last, provinceWords))
		if cause == Same && written != last {
			cause = UnitWords
		}
		return ours, theirs[:len(theirs)-1], cause
	}
	before, since := vn.ProvinceNames(code)
	if before == "" {
		return nil, nil, Different
	}
	if n := len(theirs); n > 0 {
		if words := vn.MatchKey(named(theirs[n-1], provinceWords)); words == vn.MatchKey(before) || words == vn.MatchKey(since) {
			theirs = theirs[:n-1]
		}
	}
	if since == "" || at.Before(vn.Reform2025) {
		since = before
	}
	if cause := sameProvince(province, since); cause.class() != Mismatch {
		return ours, theirs, cause
	}
	return ours, theirs, sameProvince(province, before)
}

// sameProvince compares names of provinces, of before and after the reform.
func sameProvince(a, b string) Cause {
	class, cause := compareText(a, b)
	if class != Mismatch {
		return cause
	}
	today := vn.ProvinceToday(a)
	if today != "" && today == vn.ProvinceToday(b) {
		return MergedProvince
	}
	return cause
}

// dropDistrict leaves out the district that one side names and the other does not.
func dropDistrict(ours, theirs []string, coded bool) ([]string, []string, Cause) {
	a, b := isDistrict(ours), isDistrict(theirs)
	switch {
	case a && !b && coded:
		return ours, theirs, RegisterCode // which district the code means is not known here
	case a && !b:
		return ours[:len(ours)-1], theirs, DeadDistrict
	case b && !a:
		return ours, theirs[:len(theirs)-1], DeadDistrict
	case coded && !a:
		return ours, theirs, DeadDistrict
	}
	return ours, theirs, Same
}

// isDistrict reports whether the last of the parts below the province is a district.
func isDistrict(list []string) bool {
	return len(list) > 0 && named(list[len(list)-1], districtWords) != full(list[len(list)-1])
}

// named is a part without the word for its unit, in which short forms are written out.
func named(part string, words []string) string {
	s := full(part)
	for _, w := range words {
		if len(s) > len(w) && strings.EqualFold(s[:len(w)], w) {
			return strings.TrimSpace(s[len(w):])
		}
	}
	return s
}

// full is a part with the short form of its unit written out: TP. Huế, Q.3, P 12.
func full(part string) string {
	s := spaced(norm.NFC.String(part))
	end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		return s
	}
	word, ok := units[strings.ToLower(s[:end])]
	if !ok {
		return s
	}
	return word + " " + strings.TrimSpace(strings.TrimLeft(s[end:], ". "))
}

// comparePart compares the parts of two addresses.
func comparePart(application, register string) Cause {
	class, cause := compareText(application, register)
	if class == Mismatch {
		if again, _ := compareText(full(application), full(register)); again != Mismatch {
			return UnitWords
		}
	}
	return cause
}
