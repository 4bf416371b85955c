package mrz

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NameField writes primary and secondary identifier into a field of the width. Where
// they do not fit, the secondary identifier is cut at its end, and if not even its first
// letter fits, the primary one too (Doc 9303-5 §4.2.3); a cut field is always full and
// truncated says so.
func NameField(primary, secondary string, width int) (field string, truncated bool, err error) {
	w := writer{}
	p, s := strings.Join(strings.Fields(primary), "<"), strings.Join(strings.Fields(secondary), "<")
	if p == "" {
		w.fail(Name, "no primary identifier")
	}
	for _, part := range []string{p, s} {
		for i := range len(part) {
			if value(part[i]) < 0 || part[i] >= '0' && part[i] <= '9' {
				w.fail(Name, "not transliterated to A–Z")
			}
		}
	}
	if w.err != nil {
		return "", false, w.err
	}
	if s == "" {
		if len(p) <= width {
			return fill(p, width), false, nil
		}
		return p[:width], true, nil
	}
	if len(p)+2+len(s) <= width {
		return fill(p+"<<"+s, width), false, nil
	}
	if len(p) > width-3 {
		p = strings.TrimRight(p[:width-3], "<")
	}
	field = (p + "<<" + s)
	field = field[:min(len(field), width)]
	if strings.HasSuffix(field, "<") { // a cut must not look like an end
		field = strings.TrimRight(field, "<")
	}
	return fill(field, width), true, nil
}

// special are the letters that decomposition does not reduce to A–Z (Doc 9303-3 §6.A).
var special = map[rune]string{
	'Đ': "D", 'Ð': "D", 'Ø': "OE", 'Æ': "AE", 'Œ': "OE", 'Þ': "TH", 'ß': "SS", 'ẞ': "SS", 'Ł': "L", 'Ħ': "H",
	'Ŧ': "T", 'ı': "I", 'Ŋ': "N", 'ĸ': "K", 'Ŀ': "L",
}

// Transliterate writes a name in the letters of the zone: marks taken off, words
// separated by single spaces, apostrophes left out and hyphens made spaces
// (Doc 9303-3 §4.6, §6). A letter that is not known is an error with its position.
//
// The rules are those that Vietnamese needs, for which Doc 9303-3 table 6.A lacks 47 of
// 67 letters: every mark is taken off and Đ is D. Ä, Ö, Ü, Å become A, O, U, A, which the
// table allows besides AE, OE, UE, AA.
func Transliterate(name string) (string, error) {
	var b strings.Builder
	n := 0
	for _, r := range norm.NFD.String(norm.NFC.String(name)) {
		n++
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		upper := unicode.ToUpper(r)
		if t, ok := special[upper]; ok {
			b.WriteString(t)
			continue
		}
		if t, ok := special[r]; ok {
			b.WriteString(t)
			continue
		}
		switch {
		case upper >= 'A' && upper <= 'Z':
			b.WriteRune(upper)
		case unicode.IsSpace(r) || r == '-' || r == ',' || r == '.' || r == '‐':
			b.WriteByte(' ')
		case r == '\'' || r == '’' || r == 'ʼ':
		default:
			return "", &FieldError{Name, "letter " + string(r) + " has no transliteration"}
		}
	}
	return strings.Join(strings.Fields(b.String()), " "), nil
}
