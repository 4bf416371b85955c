package lds

import (
	"slices"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// Common is the content of EF.COM: what is there, unsigned. The SOD decides.
type Common struct {
	Version string // LDS version, e.g. "0107"
	Unicode string // e.g. "040000"
	Groups  []File // in order, without repetition
	Unknown []tlv.Tag
}

const (
	tagVersion tlv.Tag = 0x5F01
	tagUnicode tlv.Tag = 0x5F36
	tagList    tlv.Tag = 0x5C
)

// ParseCOM reads EF.COM (Doc 9303-10 §4.6.1).
func ParseCOM(raw []byte) (*Common, error) {
	body, err := COM.body(raw)
	if err != nil {
		return nil, err
	}
	s := tlv.String(body)
	var version, unicode, list tlv.String
	if !s.ReadTag(tagVersion, &version) || !s.ReadTag(tagUnicode, &unicode) || !s.ReadTag(tagList, &list) || !s.Empty() {
		return nil, COM.malformed("not 5F01, 5F36, 5C")
	}
	c := &Common{Version: string(version), Unicode: string(unicode)}
	for _, tag := range list {
		f, ok := ByTag(tlv.Tag(tag))
		switch {
		case !ok || f.Number() == 0:
			c.Unknown = append(c.Unknown, tlv.Tag(tag))
		case !slices.Contains(c.Groups, f):
			c.Groups = append(c.Groups, f)
		}
	}
	return c, nil
}

// EncodeCOM writes EF.COM. Unknown is not written.
func EncodeCOM(c Common) []byte {
	list := make([]byte, len(c.Groups))
	for i, f := range c.Groups {
		list[i] = byte(f.Tag())
	}
	return tlv.Encode(COM.Tag(), tlv.Encode(tagVersion, []byte(c.Version)), tlv.Encode(tagUnicode, []byte(c.Unicode)), tlv.Encode(tagList, list))
}
