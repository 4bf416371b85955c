package cert

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/text/unicode/norm"
)

// An Attribute is one AttributeTypeAndValue of a distinguished name.
type Attribute struct {
	Type  asn1.ObjectIdentifier
	Tag   byte   // universal tag of the string type: 12 UTF8String, 19 PrintableString …
	Value string // as valid UTF-8; may hold control characters, escape before printing
}

// Name is a distinguished name. Raw is its DER and is what comparison by bytes uses.
type Name struct {
	Raw        []byte
	Attributes []Attribute // in order of encoding, multi-valued RDNs flattened
}

// Attribute types of passport authorities' names.
var (
	OIDCommonName         = asn1.ObjectIdentifier{2, 5, 4, 3}
	OIDSerialNumber       = asn1.ObjectIdentifier{2, 5, 4, 5}
	OIDCountry            = asn1.ObjectIdentifier{2, 5, 4, 6}
	OIDLocality           = asn1.ObjectIdentifier{2, 5, 4, 7}
	OIDState              = asn1.ObjectIdentifier{2, 5, 4, 8}
	OIDOrganization       = asn1.ObjectIdentifier{2, 5, 4, 10}
	OIDOrganizationalUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
)

var attributeNames = []struct {
	oid  asn1.ObjectIdentifier
	name string
}{
	{OIDCommonName, "CN"},
	{OIDSerialNumber, "serialNumber"},
	{OIDCountry, "C"},
	{OIDLocality, "L"},
	{OIDState, "ST"},
	{OIDOrganization, "O"},
	{OIDOrganizationalUnit, "OU"},
}

// NewName encodes attributes, one RDN each. A zero Tag is chosen by the attribute:
// PrintableString for country and serialNumber (Doc 9303-12 §7.1), UTF8String for all
// else. Errors wrap ErrMalformed.
func NewName(attributes ...Attribute) (Name, error) {
	var b cryptobyte.Builder
	attributes = slices.Clone(attributes)
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		for i := range attributes {
			a := &attributes[i]
			if a.Tag == 0 {
				a.Tag = byte(tags.UTF8String)
				if a.Type.Equal(OIDCountry) || a.Type.Equal(OIDSerialNumber) {
					a.Tag = byte(tags.PrintableString)
				}
			}
			if !fitsString(a.Tag, a.Value) {
				b.SetError(malformed("name attribute %v does not fit its string type", a.Type))
				return
			}
			b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
					addOID(b, a.Type)
					b.AddASN1(tags.Tag(a.Tag), func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.Value)) })
				})
			})
		}
	})
	raw, err := b.Bytes()
	if err != nil {
		return Name{}, malformed("name: %v", err)
	}
	return Name{raw, attributes}, nil
}

// fitsString says whether we write the value as that type.
func fitsString(tag byte, value string) bool {
	switch tags.Tag(tag) {
	case tags.UTF8String:
		return value != "" && strings.ToValidUTF8(value, "") == value
	case tags.PrintableString:
		return value != "" && isPrintable(value)
	case tags.IA5String:
		return value != "" && isASCII(value)
	}
	return false
}

// ParseName reads a DER Name. Errors wrap ErrMalformed.
func ParseName(der []byte) (Name, error) {
	var f findings
	s := cryptobyte.String(der)
	n, ok := f.readName(&s, "name")
	if !ok || !s.Empty() {
		return Name{}, malformed("name")
	}
	return n, nil
}

func (f *findings) readName(s *cryptobyte.String, where string) (Name, bool) {
	var raw, rdns cryptobyte.String
	if !s.ReadASN1Element(&raw, tags.SEQUENCE) {
		return Name{}, false
	}
	n := Name{Raw: raw}
	if !raw.ReadASN1(&rdns, tags.SEQUENCE) {
		return Name{}, false
	}
	for !rdns.Empty() {
		var rdn cryptobyte.String
		if !rdns.ReadASN1(&rdn, tags.SET) {
			return Name{}, false
		}
		for !rdn.Empty() {
			var pair, value cryptobyte.String
			var a Attribute
			var tag tags.Tag
			if !rdn.ReadASN1(&pair, tags.SEQUENCE) || !ReadOID(&pair, &a.Type) ||
				!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return Name{}, false
			}
			var strict bool
			a.Tag = byte(tag)
			a.Value, strict = decodeString(tag, value)
			if !strict {
				f.note(DefectString, where)
			}
			n.Attributes = append(n.Attributes, a)
		}
	}
	return n, true
}

// Value returns the first attribute of that type, or "".
func (n Name) Value(oid asn1.ObjectIdentifier) string {
	for _, a := range n.Attributes {
		if a.Type.Equal(oid) {
			return a.Value
		}
	}
	return ""
}

// Country returns the countryName in upper case, or "".
func (n Name) Country() string {
	return strings.ToUpper(strings.TrimSpace(n.Value(OIDCountry)))
}

// CommonName returns the first commonName, or "".
func (n Name) CommonName() string { return n.Value(OIDCommonName) }

// Equal compares folded: letter case, string type, white space and order of the
// attributes do not count (real certificates differ from their issuers in each).
func (n Name) Equal(other Name) bool {
	if bytes.Equal(n.Raw, other.Raw) {
		return true
	}
	if len(n.Attributes) != len(other.Attributes) {
		return false
	}
	return slices.Equal(n.folded(), other.folded())
}

func (n Name) folded() []string {
	out := make([]string, len(n.Attributes))
	for i, a := range n.Attributes {
		value := strings.Join(strings.Fields(norm.NFKC.String(a.Value)), " ")
		out[i] = a.Type.String() + "=" + strings.ToLower(value)
	}
	slices.Sort(out)
	return out
}

// String writes the name for people, "C=VN, O=…"; control characters are escaped.
func (n Name) String() string {
	var b strings.Builder
	for i, a := range n.Attributes {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(attributeName(a.Type))
		b.WriteByte('=')
		for _, r := range a.Value {
			switch {
			case r == ',' || r == '\\' || r == '=':
				b.WriteByte('\\')
				b.WriteRune(r)
			case !unicode.IsPrint(r):
				b.WriteString("\\x")
				b.WriteString(hex.EncodeToString([]byte(string(r))))
			default:
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

func attributeName(oid asn1.ObjectIdentifier) string {
	for _, known := range attributeNames {
		if known.oid.Equal(oid) {
			return known.name
		}
	}
	return oid.String()
}
