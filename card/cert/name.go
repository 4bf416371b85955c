package cert

import "encoding/asn1"

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

// NewName encodes attributes, one RDN each. A zero Tag is chosen by the attribute:
// PrintableString for country and serialNumber (Doc 9303-12 §7.1), UTF8String for all
// else. Errors wrap ErrMalformed.
func NewName(attributes ...Attribute) (Name, error) { panic("todo") }

// ParseName reads a DER Name. Errors wrap ErrMalformed.
func ParseName(der []byte) (Name, error) { panic("todo") }

// Value returns the first attribute of that type, or "".
func (n Name) Value(oid asn1.ObjectIdentifier) string { panic("todo") }

// Country returns the countryName in upper case, or "".
func (n Name) Country() string { panic("todo") }

// CommonName returns the first commonName, or "".
func (n Name) CommonName() string { panic("todo") }

// Equal compares folded: letter case, string type, white space and order of the
// attributes do not count (real certificates differ from their issuers in each).
func (n Name) Equal(other Name) bool { panic("todo") }

// String writes the name for people, "C=VN, O=…"; control characters are escaped.
func (n Name) String() string { panic("todo") }
