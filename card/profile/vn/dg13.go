package vn

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

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

// Field is one element of DG13. Values are one text, or for parents two, or none.
type Field struct {
	Number int
	Values []string
}

// DG13 is the content of DG13.
type DG13 struct {
	Fields  []Field // in the order of the file
	Unknown int     // elements that are no field of any form known
}

// Value is the first text of a field, "" if there is none.
func (d *DG13) Value(number int) string {
	for _, f := range d.Fields {
		if f.Number == number && len(f.Values) > 0 {
			return f.Values[0]
		}
	}
	return ""
}

// Tags of DER.
const (
	tagInteger   tlv.Tag = 0x02
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
	Issued    time.Time
	Expiry    Expiry
	OldNumber string // nine digits of the former card, "" for none
	Serial    string // sixteen characters of the card's own
}

// EncodeDG13 writes DG13: 6D → 30 → 31 → sixteen elements in the order of their numbers,
// which is not that of a DER SET.
func EncodeDG13(p Person, i Issue) ([]byte, error) {
	if len(i.Serial) != 16 || !printable(i.Serial) {
		return nil, &FieldError{"serial", "not sixteen characters of PrintableString"}
	}
	if i.OldNumber != "" && len(i.OldNumber) != 9 {
		return nil, &FieldError{"old number", "not nine digits"}
	}
	text := func(s string) []byte { return tlv.Encode(tagUTF8, []byte(s)) }
	ascii := func(s string) []byte { return tlv.Encode(tagPrintable, []byte(s)) }
	parent := func(s string) []byte { return tlv.Encode(tagSequence, text(s)) }
	values := [16][]byte{
		ascii(string(p.Number)), text(p.FullName()), ascii(p.Birth.Text()), text(sexText(p.Sex)), text(p.Nationality),
		text(p.Ethnicity), text(p.Religion), text(p.Origin), text(p.Residence), text(p.Features),
		ascii(DateOf(i.Issued).Text()), text(i.Expiry.Text()), append(parent(p.Father), parent(p.Mother)...), nil, nil, ascii(i.Serial),
	}
	if p.Spouse != "" {
		values[FieldSpouse-1] = parent(p.Spouse)
	}
	if i.OldNumber != "" {
		values[FieldOldNumber-1] = ascii(i.OldNumber)
	}
	var set []byte
	for n, v := range values {
		set = tlv.Append(set, tagSequence, append([]byte{byte(tagInteger), 1, byte(n + 1)}, v...))
	}
	return tlv.Encode(lds.DG13.Tag(), tlv.Encode(tagSequence, tlv.Encode(tagSet, set))), nil
}

func printable(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte(" '()+,-./:=?", c) >= 0) {
			return false
		}
	}
	return true
}

// maxFields bounds the elements; the card has sixteen.
const maxFields = 64

// ParseDG13 reads DG13: with or without a version and an object identifier before the
// set, in any form of length, with fields missing, in another order or unknown, in any of
// the string types met. What is no such tree is an error.
func ParseDG13(raw []byte) (*DG13, error) {
	s := tlv.String(raw)
	var root, body, set tlv.String
	if !s.ReadTag(lds.DG13.Tag(), &root) {
		return nil, malformed("it does not begin with a whole 6D object")
	}
	s.SkipFiller()
	if !s.Empty() {
		return nil, malformed("%d octets stand behind it", len(s))
	}
	if !root.ReadTag(tagSequence, &body) {
		return nil, malformed("no SEQUENCE in it")
	}
	var skipped tlv.String
	for body.ReadTag(tagInteger, &skipped) || body.ReadTag(tagOID, &skipped) {
	}
	if !body.ReadTag(tagSet, &set) {
		return nil, malformed("no SET in it")
	}
	d := &DG13{}
	for n := 0; ; n++ {
		set.SkipFiller()
		if set.Empty() {
			return d, nil
		}
		var tag tlv.Tag
		var element tlv.String
		if n == maxFields || !set.Read(&tag, &element) {
			return nil, malformed("element %d", n+1)
		}
		f, ok := parseField(tag, element)
		if !ok {
			d.Unknown++
			continue
		}
		d.Fields = append(d.Fields, f)
	}
}

func malformed(format string, a ...any) error {
	return &lds.Error{File: lds.DG13, Detail: fmt.Sprintf(format, a...)}
}

func parseField(tag tlv.Tag, s tlv.String) (Field, bool) {
	var number tlv.String
	if tag != tagSequence || !s.ReadTag(tagInteger, &number) || len(number) != 1 || number[0] == 0 || number[0] > 0x7F {
		return Field{}, false
	}
	f := Field{Number: int(number[0])}
	return f, f.read(s, 0)
}

// read collects the texts of a value: directly, or each in SEQUENCEs.
func (f *Field) read(s tlv.String, depth int) bool {
	for {
		s.SkipFiller()
		if s.Empty() {
			return true
		}
		var tag tlv.Tag
		var v tlv.String
		if depth > 2 || len(f.Values) > 4 || !s.Read(&tag, &v) {
			return false
		}
		if tag == tagSequence {
			if !f.read(v, depth+1) {
				return false
			}
			continue
		}
		text, ok := decode(tag, v)
		if !ok {
			return false
		}
		f.Values = append(f.Values, text)
	}
}

func decode(tag tlv.Tag, v []byte) (string, bool) {
	switch tag {
	case tagUTF8, tagPrintable, tagIA5:
		return string(v), utf8.Valid(v)
	case tagBMP:
		if len(v)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(v)/2)
		for i := range units {
			units[i] = uint16(v[2*i])<<8 | uint16(v[2*i+1])
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}
