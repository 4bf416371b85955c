package cert

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// String types that cryptobyte has no name for.
const (
	numericString   = tags.Tag(18)
	visibleString   = tags.Tag(26)
	universalString = tags.Tag(28)
	bmpString       = tags.Tag(30)
)

// decodeString turns any ASN.1 string into UTF-8; what is no string becomes "#" and
// hexadecimal, as in RFC 4514. Strict is false if the type forbids what it holds.
func decodeString(tag tags.Tag, b []byte) (value string, strict bool) {
	switch tag {
	case tags.UTF8String:
		return strings.ToValidUTF8(string(b), "\uFFFD"), utf8.Valid(b)
	case tags.PrintableString:
		return latin1(b), isPrintable(string(b))
	case tags.IA5String, numericString, visibleString:
		return latin1(b), isASCII(string(b))
	case tags.T61String:
		return latin1(b), true
	case bmpString:
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		return string(utf16.Decode(units)), len(b)%2 == 0
	case universalString:
		runes := make([]rune, len(b)/4)
		for i := range runes {
			runes[i] = rune(binary.BigEndian.Uint32(b[4*i:]))
		}
		return string(runes), len(b)%4 == 0
	}
	return "#" + hex.EncodeToString(b), false
}

// latin1 reads octets as ISO 8859-1, which is what T61String means in practice.
func latin1(b []byte) string {
	if isASCII(string(b)) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

func isPrintable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		switch {
		case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return false
		}
		return !strings.ContainsRune(" '()+,-./:=?", r)
	}) < 0
}
