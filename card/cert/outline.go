package cert

import (
	"bytes"
	"math/big"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Outline is by what a certificate is found among others, as slices of its DER. Reading
// it costs a small part of Parse, and takes the same certificates.
type Outline struct {
	Serial         []byte // content of the INTEGER, as encoded
	Issuer         []byte // Name
	Subject        []byte // Name
	PublicKey      []byte // SubjectPublicKeyInfo
	SubjectKeyID   []byte // as Certificate has it
	AuthorityKeyID []byte // as Certificate has it
	CA             bool   // as Certificate.IsCA
	KeyUsage       KeyUsage
}

// ParseOutline reads the outline of one DER certificate. It fails where Parse does.
// Errors wrap ErrMalformed.
func ParseOutline(der []byte) (Outline, error) {
	var o Outline
	if len(der) > MaxCertificate {
		return Outline{}, malformed("certificate of %d bytes", len(der))
	}
	s := cryptobyte.String(der)
	var outer, tbs, bits cryptobyte.String
	if !s.ReadASN1(&outer, tags.SEQUENCE) || !s.Empty() || !outer.ReadASN1(&tbs, tags.SEQUENCE) ||
		!skipAlgorithm(&outer) || !outer.ReadASN1(&bits, tags.BIT_STRING) || !outer.Empty() || !paddedBits(bits) {
		return Outline{}, malformed("certificate: frame")
	}
	if !o.readTBS(tbs) {
		return Outline{}, malformed("certificate")
	}
	return o, nil
}

// paddedBits says whether a BIT STRING is one: its unused bits are few, and zero.
func paddedBits(b []byte) bool {
	if len(b) == 0 || b[0] > 7 || len(b) == 1 && b[0] != 0 {
		return false
	}
	return len(b) == 1 || b[len(b)-1]&(1<<b[0]-1) == 0
}

func (o *Outline) readTBS(s cryptobyte.String) bool {
	var field cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&field, &present, contextTagCons(0)) {
		return false
	}
	if present && string(field) != "\x02\x01\x02" { // version 3
		if _, ok := readSmall(&field, 1<<16); !ok || !field.Empty() {
			return false
		}
	}
	if !s.ReadASN1(&field, tags.INTEGER) || field.Empty() {
		return false
	}
	o.Serial = field
	if !skipAlgorithm(&s) || !skipName(&s, &o.Issuer) ||
		!s.ReadASN1(&field, tags.SEQUENCE) || !skipTime(&field) || !skipTime(&field) || !field.Empty() ||
		!skipName(&s, &o.Subject) || !s.ReadASN1Element(&field, tags.SEQUENCE) {
		return false
	}
	o.PublicKey = field
	for _, tag := range []uint8{1, 2} {
		if !s.SkipOptionalASN1(contextTag(tag)) {
			return false
		}
	}
	if !s.ReadOptionalASN1(&field, &present, contextTagCons(3)) || !s.Empty() {
		return false
	}
	return !present || o.readExtensions(field)
}

// readExtensions walks the list; of two extensions of one kind the first counts.
func (o *Outline) readExtensions(s cryptobyte.String) bool {
	var list cryptobyte.String
	if !s.ReadASN1(&list, tags.SEQUENCE) || !s.Empty() {
		return false
	}
	var seen [4]bool
	for !list.Empty() {
		var content, oid, value, b cryptobyte.String
		if !list.ReadASN1(&content, tags.SEQUENCE) || !content.ReadASN1(&oid, tags.OBJECT_IDENTIFIER) || !goodOID(oid) {
			return false
		}
		if content.PeekASN1Tag(tags.BOOLEAN) && (!content.ReadASN1(&b, tags.BOOLEAN) || len(b) != 1) {
			return false
		}
		if !content.ReadASN1(&value, tags.OCTET_STRING) || !content.Empty() {
			return false
		}
		if n := o.kind(oid); n >= 0 && !seen[n] {
			seen[n] = true
			o.readExtension(n, value)
		}
	}
	return true
}

// outlined are the extensions that an outline holds, by the last octet of 2.5.29.n.
var outlined = [...]byte{35, 14, 15, 19}

func (*Outline) kind(oid []byte) int {
	if len(oid) != 3 || oid[0] != 0x55 || oid[1] != 29 {
		return -1
	}
	return bytes.IndexByte(outlined[:], oid[2])
}

func (o *Outline) readExtension(n int, value cryptobyte.String) {
	var f findings
	switch outlined[n] {
	case 35:
		o.readAuthorityKeyID(value)
	case 14:
		o.SubjectKeyID, _ = f.readKeyID(value)
	case 15:
		o.KeyUsage, _ = readKeyUsage(value)
	case 19:
		if string(value) == "\x30\x06\x01\x01\xff\x02\x01\x00" || string(value) == "\x30\x03\x01\x01\xff" { // nearly all
			o.CA = true
		} else if c, ok := f.readBasicConstraints(value); ok {
			o.CA = c.CA
		}
	}
}

func (o *Outline) readAuthorityKeyID(value cryptobyte.String) {
	var content, key, issuer, serial cryptobyte.String
	var hasKey, hasIssuer, hasSerial bool
	if value.ReadASN1(&content, tags.SEQUENCE) && value.Empty() &&
		content.ReadOptionalASN1(&key, &hasKey, contextTag(0)) &&
		content.ReadOptionalASN1(&issuer, &hasIssuer, contextTagCons(1)) &&
		content.ReadOptionalASN1(&serial, &hasSerial, contextTag(2)) && content.Empty() &&
		hasKey && (!hasSerial || len(serial) > 0) {
		o.AuthorityKeyID = key
	}
}

// Number is the serial number as the function Number encodes it.
func (o Outline) Number() []byte { return shortest(o.Serial) }

// Number is the content of a number's INTEGER in its shortest encoding: serial numbers that
// are equal are so encoded in one way.
func Number(n *big.Int) []byte {
	b := make([]byte, n.BitLen()/8+1) // room for the sign
	if n.Sign() >= 0 {
		n.FillBytes(b)
		return shortest(b)
	}
	new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))).FillBytes(b)
	return shortest(b)
}

// shortest takes off the octets of an INTEGER that say nothing.
func shortest(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1]&0x80 == 0 || b[0] == 0xff && b[1]&0x80 != 0) {
		b = b[1:]
	}
	return b
}

func skipAlgorithm(s *cryptobyte.String) bool {
	var content, oid cryptobyte.String
	if !s.ReadASN1(&content, tags.SEQUENCE) || !content.ReadASN1(&oid, tags.OBJECT_IDENTIFIER) || !goodOID(oid) {
		return false
	}
	var tag tags.Tag
	return content.Empty() || content.ReadAnyASN1Element(&oid, &tag) && content.Empty()
}

// goodOID says whether parseOID takes the content.
func goodOID(content []byte) bool {
	if len(content) == 0 || len(content) > 128 || content[len(content)-1]&0x80 != 0 {
		return false
	}
	begins := true
	for _, b := range content {
		if begins && b == 0x80 {
			return false
		}
		begins = b&0x80 == 0
	}
	return true
}

func skipName(s *cryptobyte.String, raw *[]byte) bool {
	var element cryptobyte.String
	if !s.ReadASN1Element(&element, tags.SEQUENCE) {
		return false
	}
	*raw = element
	return eachAttribute(element, func(_ []byte, _ tags.Tag, _ []byte) bool { return true })
}

// eachAttribute hands the attributes of a Name to f until it returns false, and says
// whether the Name is one as far as it was read.
func eachAttribute(name cryptobyte.String, f func(oid []byte, tag tags.Tag, value []byte) bool) bool {
	var rdns cryptobyte.String
	if !name.ReadASN1(&rdns, tags.SEQUENCE) {
		return false
	}
	for !rdns.Empty() {
		var rdn cryptobyte.String
		if !rdns.ReadASN1(&rdn, tags.SET) {
			return false
		}
		for !rdn.Empty() {
			var pair, oid, value cryptobyte.String
			var tag tags.Tag
			if !rdn.ReadASN1(&pair, tags.SEQUENCE) || !pair.ReadASN1(&oid, tags.OBJECT_IDENTIFIER) || !goodOID(oid) ||
				!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return false
			}
			if !f(oid, tag, value) {
				return true
			}
		}
	}
	return true
}

// CountryOf returns the countryName of a DER Name as Name.Country does, or "", without
// reading the rest of it.
func CountryOf(name []byte) string {
	country := ""
	eachAttribute(name, func(oid []byte, tag tags.Tag, value []byte) bool {
		if string(oid) != "\x55\x04\x06" {
			return true
		}
		text, _ := decodeString(tag, value)
		country = strings.ToUpper(strings.TrimSpace(text))
		return false
	})
	return country
}

// skipTime takes what readTime does.
func skipTime(s *cryptobyte.String) bool {
	if b := *s; len(b) >= 15 && b[0] == byte(tags.UTCTime) && b[1] == 13 && canonicalTime(b[4:15]) && b[2]-'0' <= 9 && b[3]-'0' <= 9 {
		*s = b[15:]
		return true
	}
	var f findings
	_, ok := f.readTime(s, "")
	return ok
}

// canonicalTime says whether b is MMDDhhmmssZ, of a day that every year has.
func canonicalTime(b []byte) bool {
	for _, c := range b[:10] {
		if c-'0' > 9 {
			return false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	return two(0) >= 1 && two(0) <= 12 && two(2) >= 1 && two(2) <= 28 && two(4) <= 23 && two(6) <= 59 && two(8) <= 59 && b[10] == 'Z'
}
