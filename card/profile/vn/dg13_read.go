package vn

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/lds"
)

// Field is one element of DG13. Values are one text, or for parents two, or none; they are
// in NFC, whatever the card has, and may hold anything else: who shows them escapes them.
type Field struct {
	Number int // 1 to 127; those beyond FieldSerial are not known
	Values []string
}

// DG13 is the content of DG13.
type DG13 struct {
	Fields  []Field // in the order of the file
	Unknown int     // elements and objects that are no field of any form known
}

// Value is the first text of the first field of that number, "" if there is none.
func (d *DG13) Value(number int) string {
	for _, f := range d.Fields {
		if f.Number == number && len(f.Values) > 0 {
			return f.Values[0]
		}
	}
	return ""
}

// maxFields bounds the elements, maxValues the texts in one and maxDepth the SEQUENCEs
// around a text; the card has sixteen, two and one.
const (
	maxFields = 64
	maxValues = 4
	maxDepth  = 3
)

// ParseDG13 reads DG13: with or without a version and an object identifier before the
// set, with lengths in any form, with fields missing, in another order or unknown, in any
// of the string types met. What is no such tree is a *lds.Error.
func ParseDG13(raw []byte) (*DG13, error) {
	s := tlv.String(raw)
	var root, body, set tlv.String
	if !s.ReadTag(lds.DG13.Tag(), &root) {
		return nil, malformed("it does not begin with a whole %v object", lds.DG13.Tag())
	}
	if s.SkipFiller(); !s.Empty() {
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
	if err := d.read(set); err != nil {
		return nil, err
	}
	for _, rest := range []tlv.String{body, root} {
		if rest.SkipFiller(); !rest.Empty() {
			d.Unknown++
		}
	}
	return d, nil
}

// read takes the elements of the set.
func (d *DG13) read(set tlv.String) error {
	for n := 1; ; n++ {
		if set.SkipFiller(); set.Empty() {
			return nil
		}
		var tag tlv.Tag
		var element tlv.String
		if n > maxFields || !set.Read(&tag, &element) {
			return malformed("element %d", n)
		}
		if f, ok := parseField(tag, element); ok {
			d.Fields = append(d.Fields, f)
		} else {
			d.Unknown++
		}
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

// read collects the texts of a value: directly, or each in SEQUENCEs. NULL is none.
func (f *Field) read(s tlv.String, depth int) bool {
	for {
		if s.SkipFiller(); s.Empty() {
			return true
		}
		var tag tlv.Tag
		var v tlv.String
		if depth == maxDepth || len(f.Values) == maxValues || !s.Read(&tag, &v) {
			return false
		}
		switch {
		case tag == tagSequence:
			if !f.read(v, depth+1) {
				return false
			}
		case tag == tagNull && v.Empty():
		default:
			text, ok := decode(tag, v)
			if !ok {
				return false
			}
			f.Values = append(f.Values, norm.NFC.String(text))
		}
	}
}

// decode reads a text of any of the string types met.
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
