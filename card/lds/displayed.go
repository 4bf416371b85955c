package lds

import "github.com/tamthe/tamthe/apdu/tlv"

// The images that a document shows, as they are shown (Doc 9303-10 §4.7.5 and §4.7.7).
const (
	tagPortrait  tlv.Tag = 0x5F40
	tagSignature tlv.Tag = 0x5F43
)

// maxImages bounds the images of DG5 and DG7, and the templates of DG8 to DG10.
const maxImages = 16

// ParseDisplayed reads the images of DG5 (portraits) or DG7 (signatures or usual marks), at
// most 16; see Picture for what they are. Another file, or a malformed one, is *Error.
func ParseDisplayed(f File, raw []byte) ([][]byte, error) {
	tag, ok := displayed[f]
	if !ok {
		return nil, f.malformed("a file without images to show")
	}
	return parseCounted(f, raw, tag)
}

// EncodeDisplayed writes DG5 or DG7.
func EncodeDisplayed(f File, images ...[]byte) ([]byte, error) {
	tag, ok := displayed[f]
	if !ok {
		return nil, f.malformed("a file without images to show")
	}
	return encodeCounted(f, tag, images)
}

var displayed = map[File]tlv.Tag{DG5: tagPortrait, DG7: tagSignature}

// ParseFeatures reads the templates of DG8, DG9 or DG10, data of security features (Doc
// 9303-10 §4.7.8 to §4.7.10), each whole with its tag and as it is: States define them.
func ParseFeatures(f File, raw []byte) ([][]byte, error) {
	if f < DG8 || f > DG10 {
		return nil, f.malformed("a file without features")
	}
	return parseCounted(f, raw, 0)
}

// EncodeFeatures writes DG8, DG9 or DG10 with templates, each whole with its tag.
func EncodeFeatures(f File, templates ...[]byte) ([]byte, error) {
	if f < DG8 || f > DG10 {
		return nil, f.malformed("a file without features")
	}
	return encodeCounted(f, 0, templates)
}

// parseCounted reads a count and as many objects: the values of those with the tag, or
// whole objects of any tag for 0.
func parseCounted(f File, raw []byte, want tlv.Tag) ([][]byte, error) {
	body, err := f.body(raw)
	if err != nil {
		return nil, err
	}
	s := tlv.String(body)
	var count tlv.String
	if !s.ReadTag(tagCount, &count) || len(count) != 1 || count[0] > maxImages {
		return nil, f.malformed("no count of at most %d", maxImages)
	}
	var list [][]byte
	for range int(count[0]) {
		before := s
		var tag tlv.Tag
		var value tlv.String
		if !s.Read(&tag, &value) || want != 0 && tag != want {
			return nil, f.malformed("object %d of %d", len(list)+1, count[0])
		}
		if want == 0 {
			value = before[:len(before)-len(s)]
		}
		list = append(list, value)
	}
	if s.SkipFiller(); !s.Empty() {
		return nil, f.malformed("more than the %d objects that it says", count[0])
	}
	return list, nil
}

func encodeCounted(f File, tag tlv.Tag, list [][]byte) ([]byte, error) {
	if len(list) > maxImages {
		return nil, f.malformed("%d objects", len(list))
	}
	b := tlv.Encode(tagCount, []byte{byte(len(list))})
	for _, v := range list {
		if tag == 0 {
			b = append(b, v...)
			continue
		}
		b = tlv.Append(b, tag, v)
	}
	return tlv.Encode(f.Tag(), b), nil
}

// Contact is a person to notify in an emergency (Doc 9303-10 §4.7.16).
type Contact struct {
	Recorded  string // YYYYMMDD, when the details were noted
	Name      string
	Telephone string
	Address   string
}

// The elements of a Contact.
const (
	tagRecorded    tlv.Tag = 0x5F50
	tagContactName tlv.Tag = 0x5F51
	tagContactCall tlv.Tag = 0x5F52
	tagContactAt   tlv.Tag = 0x5F53
)

// ParseDG16 reads the persons to notify, at most 15. Elements may be missing; others are
// passed over.
func ParseDG16(raw []byte) ([]Contact, error) {
	templates, err := parseCounted(DG16, raw, 0)
	if err != nil {
		return nil, err
	}
	var list []Contact
	for i, t := range templates {
		s := tlv.String(t)
		var tag tlv.Tag
		var inner tlv.String
		if !s.Read(&tag, &inner) || tag != tlv.Tag(0xA1+i) {
			return nil, DG16.malformed("person %d", i+1)
		}
		var c Contact
		for !inner.Empty() {
			var value tlv.String
			if !inner.Read(&tag, &value) {
				return nil, DG16.malformed("person %d", i+1)
			}
			for known, into := range map[tlv.Tag]*string{tagRecorded: &c.Recorded, tagContactName: &c.Name, tagContactCall: &c.Telephone, tagContactAt: &c.Address} {
				if tag == known {
					*into = string(value)
				}
			}
		}
		list = append(list, c)
	}
	return list, nil
}

// EncodeDG16 writes DG16. Empty elements are left out.
func EncodeDG16(list ...Contact) ([]byte, error) {
	var templates [][]byte
	for i, c := range list {
		var b []byte
		for _, e := range []struct {
			tag  tlv.Tag
			text string
		}{{tagRecorded, c.Recorded}, {tagContactName, c.Name}, {tagContactCall, c.Telephone}, {tagContactAt, c.Address}} {
			if e.text != "" {
				b = tlv.Append(b, e.tag, []byte(e.text))
			}
		}
		templates = append(templates, tlv.Encode(tlv.Tag(0xA1+i), b))
	}
	return encodeCounted(DG16, 0, templates)
}

// ParseDG13 returns what is in DG13: the State's own.
func ParseDG13(raw []byte) ([]byte, error) { return DG13.body(raw) }

// EncodeDG13 writes DG13 around the State's own.
func EncodeDG13(content []byte) []byte { return tlv.Encode(DG13.Tag(), content) }
