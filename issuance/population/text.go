package population

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// lookAlikes are letters of other alphabets that stand for a Vietnamese one in old data.
var lookAlikes = strings.NewReplacer("Ð", "Đ", "ð", "đ", "Ɖ", "Đ", "ɖ", "đ")

// compareText says how the register's text differs from the application's. The finer
// difference is tried first, so that the cause is the whole cause.
func compareText(application, register string) (Class, Cause) {
	a, r := norm.NFC.String(application), norm.NFC.String(register)
	switch {
	case application == register:
		return Match, Same
	case a == r:
		return Explainable, NormalForm
	case spaced(a) == spaced(r):
		return Explainable, Spaces
	case folded(a) == folded(r):
		return Explainable, LetterCase
	case vn.MatchKey(a) == vn.MatchKey(r):
		return Explainable, TonePlace
	case vn.MatchKey(lookAlikes.Replace(a)) == vn.MatchKey(lookAlikes.Replace(r)):
		return Explainable, LookAlike
	case bare(a) == bare(r):
		return Mismatch, Marks
	}
	return Mismatch, Different
}

func spaced(s string) string { return strings.Join(strings.Fields(s), " ") }

func folded(s string) string { return strings.ToLower(spaced(s)) }

// bare is a text without any marks, in small letters.
func bare(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(folded(lookAlikes.Replace(s))) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
