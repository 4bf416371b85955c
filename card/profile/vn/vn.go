// Package vn is what Vietnam's chip card (căn cước công dân) adds to ICAO Doc 9303: the
// personal number and its check digit in the MRZ, DG13 with the holder's data in
// Vietnamese, the rule of expiry, and the QR code on the card.
//
// The form of DG13 is that which public readers of the card agree on; it is written byte
// for byte so, and read leniently. Disagreements inside signed data are findings, never
// refusals: the State signed them.
package vn

import (
	"fmt"

	"github.com/tamthe/tamthe/card/mrz"
)

// Country is the issuing state and nationality in the MRZ.
const Country = "VNM"

// NoExpiry is the date of expiry in the MRZ of a card that does not expire, and
// NoExpiryText what DG13 and the print say.
const (
	NoExpiry     mrz.Date = "991231"
	NoExpiryText          = "Không thời hạn"
)

// Number is a personal number of twelve digits: three of the province or country where
// the birth was registered, one of century and sex, two of the year, six at random
// (Decree 137/2015 art. 13).
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

// CAN is the last six digits, which open the chip by PACE; they are also in the QR code
// and on every photocopy, so that opening the chip proves nothing about the bearer.
func (n Number) CAN() string { return string(n[6:]) }

// Document is the document number in the MRZ, digits 4 to 12: it repeats on every reissue.
func (n Number) Document() string { return string(n[3:]) }

// BirthYear and Sex are what the fourth to sixth digits say.
func (n Number) BirthYear() int { return 1900 + int(n[3]-'0')/2*100 + int(n[4]-'0')*10 + int(n[5]-'0') }

// Sex is M or F, as the fourth digit says.
func (n Number) Sex() string { return string("MF"[(n[3]-'0')%2]) }

// CheckDigit is the national check digit at the end of the MRZ's first line.
func (n Number) CheckDigit() byte { return mrz.Check(string(n)) }

// NumberOf is the personal number in an MRZ, at the start of the optional data; ok is
// false if there are no twelve digits.
func NumberOf(m *mrz.MRZ) (n Number, ok bool) {
	if m == nil || m.Format != mrz.TD1 {
		return "", false
	}
	n = Number(m.Lines[0][15:27])
	return n, n.Valid()
}

// WriteMRZ writes the zone of a person's card.
func WriteMRZ(p Person, expiry Expiry) (*mrz.MRZ, error) {
	surname, err := mrz.Transliterate(p.Surname)
	if err != nil {
		return nil, fmt.Errorf("surname: %w", err)
	}
	given, err := mrz.Transliterate(p.Given)
	if err != nil {
		return nil, fmt.Errorf("given: %w", err)
	}
	if surname == "" { // who has one name has it as the primary identifier
		surname, given = given, ""
	}
	return mrz.WriteTD1(mrz.Card{
		Document: "ID", Issuer: Country, Number: p.Number.Document(),
		Optional1: string(p.Number) + "<<" + string(p.Number.CheckDigit()),
		Birth:     p.Birth.MRZ(), Sex: p.Sex, Expiry: expiry.MRZ(), Nationality: Country, Primary: surname, Secondary: given,
	})
}
