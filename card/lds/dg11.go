package lds

import (
	"encoding/hex"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// The elements of DG11 (Doc 9303-10 §4.7.11).
const (
	TagFullName       tlv.Tag = 0x5F0E // in national characters
	TagOtherNames     tlv.Tag = 0xA0   // a count and names, 5F0F
	TagPersonalNumber tlv.Tag = 0x5F10
	TagPlaceOfBirth   tlv.Tag = 0x5F11
	TagTelephone      tlv.Tag = 0x5F12
	TagProfession     tlv.Tag = 0x5F13
	TagTitle          tlv.Tag = 0x5F14
	TagSummary        tlv.Tag = 0x5F15
	TagCitizenship    tlv.Tag = 0x5F16 // an image
	TagOtherDocuments tlv.Tag = 0x5F17 // numbers, < between them
	TagCustody        tlv.Tag = 0x5F18
	TagFullBirth      tlv.Tag = 0x5F2B // YYYYMMDD in characters or in BCD
	TagAddress        tlv.Tag = 0x5F42
)

const tagOtherName tlv.Tag = 0x5F0F

// ParseDG11 reads the elements of DG11 in their order; see ParseDG12.
func ParseDG11(raw []byte) ([]Detail, error) { return parseDetails(DG11, raw) }

// EncodeDG11 writes DG11 with its tag list.
func EncodeDG11(details []Detail) []byte { return encodeDetails(DG11, details) }

// BirthDate is the full date of birth of DG11 as YYYYMMDD, whether it is written in
// characters or in BCD; false if there is none of either form.
func BirthDate(details []Detail) (string, bool) { return detailDate(details, TagFullBirth) }

// OtherNames returns the names in an element A0 of DG11 or DG12. What is no such element
// is nil.
func OtherNames(d Detail) []string {
	s := tlv.String(d.Value)
	var count, name tlv.String
	if d.Tag != TagOtherNames || !s.ReadTag(tagCount, &count) || len(count) != 1 {
		return nil
	}
	var names []string
	for !s.Empty() {
		var tag tlv.Tag
		if len(names) == maxDetails || !s.Read(&tag, &name) {
			return nil
		}
		names = append(names, string(name))
	}
	if len(names) != int(count[0]) {
		return nil
	}
	return names
}

// NewOtherNames makes the element of DG11 that holds them, at most 32.
func NewOtherNames(names ...string) Detail {
	v := tlv.Encode(tagCount, []byte{byte(len(names))})
	for _, n := range names {
		v = tlv.Append(v, tagOtherName, []byte(n))
	}
	return Detail{TagOtherNames, v}
}

// detailDate is a date among the details, in either coding.
func detailDate(details []Detail, tag tlv.Tag) (string, bool) {
	for _, d := range details {
		if d.Tag != tag {
			continue
		}
		text := string(d.Value)
		if len(d.Value) == 4 {
			text = hex.EncodeToString(d.Value)
		}
		return text, isDate(text)
	}
	return "", false
}

func isDate(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == 8
}
