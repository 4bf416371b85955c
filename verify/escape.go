package verify

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Escape makes text that came from a card or a certificate safe to print: control
// characters, terminal escapes, marks that change the direction of writing, invisible
// characters and broken UTF-8 become visible codes.
func Escape(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && strings.Index(s[i:], string(utf8.RuneError)) != 0:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unprintable(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unprintable says whether a character has no business on a screen.
func unprintable(r rune) bool { return !unicode.IsPrint(r) && r != utf8.RuneError }

// EscapeJSON escapes within encoded JSON what encoding/json lets pass of that which Escape
// makes visible: such characters occur inside strings only.
func EscapeJSON(b []byte) []byte {
	if bytes.IndexFunc(b, hidden) < 0 {
		return b
	}
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case !hidden(r):
			out.WriteRune(r)
		case r > 0xFFFF:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// hidden says whether a character of encoded JSON must be written as an escape; the
// line ends and blanks of the encoding itself stay.
func hidden(r rune) bool { return r > unicode.MaxASCII && unprintable(r) || r == 0x7F }
