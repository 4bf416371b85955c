package vn

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/card/mrz"
)

// tones are the marks of the five written tones.
const tones = "\u0300\u0301\u0303\u0309\u0323"

// MatchKey is a text for comparing: in small letters, with single spaces, and with the
// tone of each word behind it, so that hòa and hoà are one, which no normal form of
// Unicode makes them.
func MatchKey(s string) string {
	var words []string
	for _, word := range strings.Fields(strings.ToLower(norm.NFC.String(s))) {
		var letters, tone strings.Builder
		for _, r := range norm.NFD.String(word) {
			if strings.ContainsRune(tones, r) {
				tone.WriteRune(r)
			} else {
				letters.WriteRune(r)
			}
		}
		words = append(words, norm.NFC.String(letters.String())+tone.String())
	}
	return strings.Join(words, " ")
}

// nameAgrees reports whether a name in Vietnamese and the name of an MRZ are one: equal
// once transliterated, or, where the MRZ's line is full, its beginning.
func nameAgrees(name string, m *mrz.MRZ) bool {
	want, err := mrz.Transliterate(name)
	if err != nil {
		return false
	}
	got := strings.TrimSpace(m.Primary + " " + m.Secondary)
	if got == want {
		return true
	}
	line := m.Lines[len(m.Lines)-1]
	cut := m.Format == mrz.TD1 && len(strings.TrimRight(line, "<")) >= len(line)-1
	return cut && got != "" && strings.HasPrefix(want, got)
}
