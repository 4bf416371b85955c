package vn

import (
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/lds"
)

// The fields of DG13, by their numbers.
const (
	FieldNumber = 1 + iota
	FieldName
	FieldBirth
	FieldSex
	FieldNationality
	FieldEthnicity
	FieldReligion
	FieldOrigin
	FieldResidence
	FieldFeatures
	FieldIssued
	FieldExpiry
	FieldParents
	FieldSpouse
	FieldOldNumber
	FieldSerial
)

// Tags of DER.
const (
	tagInteger   tlv.Tag = 0x02
	tagNull      tlv.Tag = 0x05
	tagOID       tlv.Tag = 0x06
	tagUTF8      tlv.Tag = 0x0C
	tagPrintable tlv.Tag = 0x13
	tagIA5       tlv.Tag = 0x16
	tagBMP       tlv.Tag = 0x1E
	tagSequence  tlv.Tag = 0x30
	tagSet       tlv.Tag = 0x31
)

// Issue is what a card says of itself in DG13, beside the person.
type Issue struct {
	Issued    time.Time // the calendar day where its clock stands
	Expiry    Expiry
	OldNumber string // nine digits of the former card, "" for none
	Serial    string // sixteen letters and digits of the card's own
}

// EncodeDG13 writes DG13: 6D → 30 → 31 → sixteen elements in the order of their numbers,
// which is not that of a DER SET. The person has passed Check; what is wrong with the
// issue is a *FieldError.
func EncodeDG13(p Person, i Issue) ([]byte, error) {
	switch {
	case len(i.Serial) != 16 || !alphanumeric(i.Serial, true):
		return nil, &FieldError{"serial", "not sixteen letters and digits", "phải đủ mười sáu chữ cái và chữ số"}
	case i.OldNumber != "" && (len(i.OldNumber) != 9 || !alphanumeric(i.OldNumber, false)):
		return nil, &FieldError{"old number", "not nine digits", "phải đủ chín chữ số"}
	case i.Issued.IsZero():
		return nil, &FieldError{"issued", "missing", "chưa có"}
	}
	values := [16][]byte{
		FieldNumber - 1:      printable(string(p.Number)),
		FieldName - 1:        text(p.FullName()),
		FieldBirth - 1:       printable(p.Birth.Text()),
		FieldSex - 1:         text(sexText(p.Sex)),
		FieldNationality - 1: text(p.Nationality),
		FieldEthnicity - 1:   text(p.Ethnicity),
		FieldReligion - 1:    text(p.Religion),
		FieldOrigin - 1:      text(p.Origin),
		FieldResidence - 1:   text(p.Residence),
		FieldFeatures - 1:    text(p.Features),
		FieldIssued - 1:      printable(DateOf(i.Issued).Text()),
		FieldExpiry - 1:      text(i.Expiry.Text()),
		FieldParents - 1:     append(wrapped(p.Father), wrapped(p.Mother)...),
		FieldSerial - 1:      printable(i.Serial),
	}
	if p.Spouse != "" {
		values[FieldSpouse-1] = wrapped(p.Spouse)
	}
	if i.OldNumber != "" {
		values[FieldOldNumber-1] = printable(i.OldNumber)
	}
	var set []byte
	for n, v := range values {
		number := tlv.Encode(tagInteger, []byte{byte(n + 1)})
		set = tlv.Append(set, tagSequence, append(number, v...))
	}
	return tlv.Encode(lds.DG13.Tag(), tlv.Encode(tagSequence, tlv.Encode(tagSet, set))), nil
}

// text is written in NFC, which Person has from ParsePerson but need not have.
func text(s string) []byte { return tlv.Encode(tagUTF8, norm.NFC.Bytes([]byte(s))) }

func printable(s string) []byte { return tlv.Encode(tagPrintable, []byte(s)) }

// wrapped is a text in a SEQUENCE of its own, as the names of relatives are.
func wrapped(s string) []byte { return tlv.Encode(tagSequence, text(s)) }

// alphanumeric reports whether s is digits, and letters if they are allowed, of ASCII.
func alphanumeric(s string, letters bool) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
		case letters && (c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'):
		default:
			return false
		}
	}
	return true
}
