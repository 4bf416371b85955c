package vn

import (
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/lds"
)

// Issued returns the day of issue of a DG13 of the usual form, the text that ParseDG13
// gives for FieldIssued; nil if the field is missing. False says nothing: ParseDG13 may
// read the file all the same.
func Issued(dg13 []byte) (text []byte, ok bool) {
	s := tlv.String(dg13)
	var root, body, set tlv.String
	if !s.ReadTag(lds.DG13.Tag(), &root) || !s.Empty() || !root.ReadTag(tagSequence, &body) || !root.Empty() ||
		!body.ReadTag(tagSet, &set) || !body.Empty() {
		return nil, false
	}
	for n := 1; !set.Empty(); n++ {
		var element, number, value tlv.String
		if n > maxFields || !set.ReadTag(tagSequence, &element) || !element.ReadTag(tagInteger, &number) || len(number) != 1 {
			return nil, false
		}
		if number[0] != FieldIssued {
			continue
		}
		if text != nil || !(element.ReadTag(tagUTF8, &value) || element.ReadTag(tagPrintable, &value)) || !element.Empty() || !plain(value) {
			return nil, false
		}
		text = value
	}
	return text, true
}

// plain says whether b is of digits and solidi, and so the same in any form of Unicode.
func plain(b []byte) bool {
	for _, c := range b {
		if c < '/' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}
