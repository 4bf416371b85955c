package mrz

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// special are the letters that decomposition does not reduce to A–Z (Doc 9303-3 §6.A).
var special = map[rune]string{
	'Æ': "AE", 'Ð': "D", 'Đ': "D", 'Ħ': "H", 'Ĳ': "IJ", 'ĸ': "K", 'Ł': "L", 'Ŀ': "L", 'Ŋ': "N", 'Ø': "OE",
	'Œ': "OE", 'ß': "SS", 'ẞ': "SS", 'Þ': "TH", 'Ŧ': "T",
}

// omitted is the punctuation that leaves nothing in its place (Doc 9303-3 §4.6): the
// apostrophe in the forms that people type it, and what stands in names besides. Any other
// is refused, for in the legacy encodings of Vietnamese such characters are letters.
const omitted = "'’‘ʼ`´.()"

// Transliterate writes a name in the letters of the zone: marks taken off, words
// separated by single spaces, hyphens and commas made spaces, apostrophes and full stops
// left out (Doc 9303-3 §4.6, §6). It takes any normal form. A character that is not known
// is a *FieldError with its position and nothing of the name.
//
// The rules are those that Vietnamese needs, for which Doc 9303-3 table 6.A lacks 47 of
// 67 letters: every mark is taken off and Đ is D. Ä, Ö, Ü become A, O, U, which the table
// allows besides AE, OE, UE.
func Transliterate(name string) (string, error) {
	var b strings.Builder
	n := 0
	for _, r := range norm.NFD.String(name) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		n++
		upper := unicode.ToUpper(r)
		switch t, ok := special[upper]; {
		case ok:
			b.WriteString(t)
		case upper >= 'A' && upper <= 'Z' && r != 'ſ': // ſ, whose capital is S, is in no table
			b.WriteRune(upper)
		case unicode.Is(unicode.Zs, r) || strings.ContainsRune("-‐,", r):
			b.WriteByte(' ')
		case !strings.ContainsRune(omitted, r):
			return "", &FieldError{Name, fmt.Sprintf("character %d has no transliteration", n)}
		}
	}
	return strings.Join(strings.Fields(b.String()), " "), nil
}
