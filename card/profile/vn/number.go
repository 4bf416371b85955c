package vn

import "github.com/tamthe/tamthe/card/mrz"

// Number is a personal number of twelve digits: three of the province or country where
// the birth was registered, one of century and sex, two of the year, six at random
// (Decree 137/2015 art. 13). What its methods say of one that is not Valid is empty.
type Number string

// Valid reports whether n is twelve digits.
func (n Number) Valid() bool {
	if len(n) != 12 {
		return false
	}
	for i := range len(n) {
		if n[i] < '0' || n[i] > '9' {
			return false
		}
	}
	return true
}

// from is n without so many digits in front.
func (n Number) from(i int) string {
	if !n.Valid() {
		return ""
	}
	return string(n[i:])
}

// CAN is the last six digits, which open the chip by PACE; they are also in the QR code
// and on every photocopy, so that opening the chip proves nothing about the bearer.
func (n Number) CAN() string { return n.from(6) }

// Document is the document number in the MRZ, digits 4 to 12: it repeats on every reissue.
func (n Number) Document() string { return n.from(3) }

// BirthYear is what the fourth to sixth digits say, 0 if n is not Valid.
func (n Number) BirthYear() int {
	if !n.Valid() {
		return 0
	}
	century, tens, ones := int(n[3]-'0')/2, int(n[4]-'0'), int(n[5]-'0')
	return 1900 + 100*century + 10*tens + ones
}

// Sex is M or F, as the fourth digit says.
func (n Number) Sex() string {
	if !n.Valid() {
		return ""
	}
	return "MF"[n[3]&1 : n[3]&1+1]
}

// CheckDigit is the national check digit at the end of the MRZ's first line.
func (n Number) CheckDigit() byte { return mrz.Check(string(n)) }

// numberOf is the personal number in a zone, at the start of the optional data; ok is
// false if there are no twelve digits.
func numberOf(m *mrz.MRZ) (n Number, ok bool) {
	if m.Format != mrz.TD1 {
		return "", false
	}
	if n = Number(m.Lines[0][15:27]); !n.Valid() {
		return "", false
	}
	return n, true
}
