package vn

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// tones are the marks of the five written tones.
const tones = "\u0300\u0301\u0303\u0309\u0323"

// MatchKey is a text for comparing: in small letters, with single spaces, and with the
// tone of each word behind it, so that hòa and hoà are one, which no normal form of
// Unicode makes them. It is not for printing.
func MatchKey(s string) string {
	var words []string
	for word := range strings.FieldsSeq(strings.ToLower(norm.NFC.String(s))) {
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
