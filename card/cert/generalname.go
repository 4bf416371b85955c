package cert

import (
	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// A GeneralName is one alternative name. Tag is its number in RFC 5280 (1 mail,
// 2 DNS, 4 directory, 6 URI); Value is set for text kinds, Directory for tag 4.
type GeneralName struct {
	Tag       int
	Value     string
	Directory Name
	Raw       []byte
}

// The kinds of GeneralName that Doc 9303-12 uses.
const (
	tagMail      = 1
	tagDNS       = 2
	tagDirectory = 4
	tagURI       = 6
)

// MailName is an rfc822Name.
func MailName(address string) GeneralName { return GeneralName{Tag: tagMail, Value: address} }

// URIName is a uniformResourceIdentifier.
func URIName(uri string) GeneralName { return GeneralName{Tag: tagURI, Value: uri} }

// DirectoryName is a directoryName.
func DirectoryName(n Name) GeneralName { return GeneralName{Tag: tagDirectory, Directory: n} }

// readGeneralNames reads the content of a GeneralNames.
func (f *findings) readGeneralNames(content cryptobyte.String) (names []GeneralName, ok bool) {
	for !content.Empty() {
		var raw, value cryptobyte.String
		var tag tags.Tag
		if !content.ReadAnyASN1Element(&raw, &tag) {
			return nil, false
		}
		n := GeneralName{Tag: int(tag & 0x1f), Raw: raw}
		if tag&0xc0 != 0x80 || !raw.ReadAnyASN1(&value, &tag) {
			return nil, false
		}
		switch n.Tag {
		case tagMail, tagDNS, tagURI:
			var strict bool
			if n.Value, strict = decodeString(tags.IA5String, value); !strict {
				f.note(DefectString, "generalName")
			}
		case tagDirectory:
			if n.Directory, ok = f.readName(&value, "generalName"); !ok || !value.Empty() {
				return nil, false
			}
		}
		names = append(names, n)
	}
	return names, true
}

func (f *findings) readAltNames(value cryptobyte.String) ([]GeneralName, bool) {
	var content cryptobyte.String
	if !value.ReadASN1(&content, tags.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	return f.readGeneralNames(content)
}

func addGeneralNames(b *cryptobyte.Builder, names []GeneralName) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, n := range names {
			addGeneralName(b, n)
		}
	})
}

func addGeneralName(b *cryptobyte.Builder, n GeneralName) {
	switch n.Tag {
	case tagMail, tagDNS, tagURI:
		if !fitsString(byte(tags.IA5String), n.Value) {
			b.SetError(malformed("alternative name %q", n.Value))
			return
		}
		b.AddASN1(contextTag(uint8(n.Tag)), func(b *cryptobyte.Builder) { b.AddBytes([]byte(n.Value)) })
	case tagDirectory: // a CHOICE, so the tag is explicit
		if len(n.Directory.Raw) == 0 {
			b.SetError(malformed("empty directory name"))
			return
		}
		b.AddASN1(contextTagCons(tagDirectory), func(b *cryptobyte.Builder) { b.AddBytes(n.Directory.Raw) })
	default:
		b.SetError(malformed("alternative name of kind %d", n.Tag))
	}
}
