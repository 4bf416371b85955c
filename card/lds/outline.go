package lds

import "bytes"

// Outline is an EF.SOD of the plainest form as parts of the file, none of them copied:
// strict DER throughout, one certificate, one signer with signed attributes and nothing
// unsigned, groups in rising order. It is for readers of many documents, who find in it what they
// know; whatever is unusual is left to ParseSOD.
type Outline struct {
	Certificate []byte            // the one that is packed in
	Content     []byte            // the LDSSecurityObject
	Groups      [maxGroups][]byte // the hashes of DG1 to DG16, nil where not listed
	Attributes  []byte            // the signed attributes under the tag that they are sent with, A0
	Digest      []byte            // the message-digest attribute
	Signature   []byte

	status []byte // the value of the status reference, nil without
	form   [formParts][]byte
}

// The parts that make up the form of a SOD, each an element whole.
const (
	formVersion = iota
	formDigests
	formContentType
	formCertificate
	formSignerVersion
	formIdentifier
	formDigest
	formAlgorithm
	formTypeAttribute
	formObjectVersion
	formObjectHash
	formVersionInfo // nil without
	formParts
)

// SameForm reports whether the two differ in nothing but group hashes, message digest,
// signing time, status reference and signature, and list the same groups: ParseSOD and
// whoever looks at its result say the same of both, but for these.
func (o *Outline) SameForm(p *Outline) bool {
	for i := range o.Groups {
		if len(o.Groups[i]) != len(p.Groups[i]) {
			return false
		}
	}
	for i := range o.form {
		if !bytes.Equal(o.form[i], p.form[i]) {
			return false
		}
	}
	return true
}

// Clone is a copy that keeps no part of the file.
func (o *Outline) Clone() *Outline {
	c := &Outline{
		Content: bytes.Clone(o.Content), Attributes: bytes.Clone(o.Attributes), Digest: bytes.Clone(o.Digest), Signature: bytes.Clone(o.Signature),
	}
	for i := range o.Groups {
		c.Groups[i] = bytes.Clone(o.Groups[i])
	}
	for i := range o.form {
		c.form[i] = bytes.Clone(o.form[i])
	}
	c.Certificate = c.form[formCertificate]
	return c
}

// The tags and the whole identifiers that an outline meets.
const (
	asnInteger       = 0x02
	asnOctets        = 0x04
	asnOID           = 0x06
	asnUTCTime       = 0x17
	asnTime          = 0x18
	asnSequence      = 0x30
	asnSet           = 0x31
	asnContext0      = 0xA0
	asnKeyID         = 0x80
	oidContentType   = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
	oidMessageDigest = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
	oidSigningTime   = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"
	oidSigned        = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	oidStatus        = "\x06\x22\x2a\x86\x48\x86\xf7\x14\x01\xbe\x40\x93\x7a\x82\xbc\x1a\x81\xfa\x69\x83\x83\x5e\x81\x8f\x7e\x82\xfa\x1d\x86\xd2\x9e\x5e\x82\xfe\xd6\x36"
)

// ReadOutline fills o with the parts of a file. False says that the file is not of the
// plainest form, which is no fault of it; o is then not to be used.
func ReadOutline(raw []byte, o *Outline) bool {
	*o = Outline{}
	var s, content, certificates, signers der
	file := der(raw)
	if !file.take(byte(sodTag), &s) || len(file) > 0 || !s.into(asnSequence) || !s.skip(oidSigned) ||
		!s.into(asnContext0) || !s.into(asnSequence) || !s.whole(asnInteger, &o.form[formVersion]) ||
		!s.whole(asnSet, &o.form[formDigests]) || !s.take(asnSequence, &content) ||
		!s.take(asnContext0, &certificates) || !s.take(asnSet, &signers) || len(s) > 0 {
		return false
	}
	if !content.whole(asnOID, &o.form[formContentType]) || !content.into(asnContext0) || !content.into(asnOctets) || len(content) == 0 ||
		!certificates.whole(asnSequence, &o.form[formCertificate]) || len(certificates) > 0 {
		return false
	}
	o.Content, o.Certificate = content, o.form[formCertificate]
	return o.signer(signers) && o.object(der(o.Content))
}

// signer reads the only SignerInfo.
func (o *Outline) signer(s der) bool {
	var attributes, signature der
	if !s.into(asnSequence) || !s.whole(asnInteger, &o.form[formSignerVersion]) ||
		!s.whole(asnSequence, &o.form[formIdentifier]) && !s.whole(asnKeyID, &o.form[formIdentifier]) ||
		!s.whole(asnSequence, &o.form[formDigest]) || !s.whole(asnContext0, &o.Attributes) ||
		!s.whole(asnSequence, &o.form[formAlgorithm]) || !s.take(asnOctets, &signature) || len(s) > 0 {
		return false
	}
	o.Signature = signature
	attributes = der(o.Attributes)
	if !attributes.into(asnContext0) {
		return false
	}
	var last []byte
	var seen [4]bool
	for len(attributes) > 0 {
		var a []byte
		if !attributes.whole(asnSequence, &a) || bytes.Compare(last, a) >= 0 || !o.attribute(a, &seen) {
			return false
		}
		last = a
	}
	return o.Digest != nil && o.form[formTypeAttribute] != nil
}

// attribute sorts in one of the attributes that SODs usually have, each once and with one
// value.
func (o *Outline) attribute(whole []byte, seen *[4]bool) bool {
	s := der(whole)
	if !s.into(asnSequence) {
		return false
	}
	kind := 0
	switch {
	case s.skip(oidContentType):
	case s.skip(oidMessageDigest):
		kind = 1
	case s.skip(oidSigningTime):
		kind = 2
	case s.skip(oidStatus):
		kind = 3
	default:
		return false
	}
	if seen[kind] || !s.into(asnSet) {
		return false
	}
	seen[kind] = true
	var value []byte
	switch kind {
	case 0:
		o.form[formTypeAttribute] = whole
		return s.whole(asnOID, &value) && len(s) == 0
	case 1:
		ok := s.into(asnOctets)
		o.Digest = s
		return ok && len(s) > 0
	case 2:
		return (s.whole(asnUTCTime, &value) || s.whole(asnTime, &value)) && len(s) == 0
	}
	ok := s.whole(asnSequence, &value) && len(s) == 0
	o.status = value
	return ok
}

// object reads the LDSSecurityObject.
func (o *Outline) object(s der) bool {
	var list der
	if !s.into(asnSequence) || !s.whole(asnInteger, &o.form[formObjectVersion]) ||
		!s.whole(asnSequence, &o.form[formObjectHash]) || !s.take(asnSequence, &list) ||
		len(s) > 0 && (!s.whole(asnSequence, &o.form[formVersionInfo]) || len(s) > 0) {
		return false
	}
	last := 0
	for len(list) > 0 {
		var entry, number, hash der
		if !list.take(asnSequence, &entry) || !entry.take(asnInteger, &number) || !entry.take(asnOctets, &hash) || len(entry) > 0 ||
			len(number) != 1 || int(number[0]) <= last || number[0] > maxGroups || len(hash) == 0 {
			return false
		}
		last = int(number[0])
		o.Groups[last-1] = hash
	}
	return last > 0
}

// der is DER that is read from its front. A method that returns false may have taken
// something.
type der []byte

// take reads an element with the tag and the one form of length that is the shortest.
func (d *der) take(tag byte, value *der) bool {
	b := *d
	if len(b) < 2 || b[0] != tag {
		return false
	}
	length, n := int(b[1]), 2
	switch {
	case length < 0x80:
	case length == 0x81 && len(b) > 2 && b[2] >= 0x80:
		length, n = int(b[2]), 3
	case length == 0x82 && len(b) > 3 && b[2] > 0:
		length, n = int(b[2])<<8|int(b[3]), 4
	default: // longer than any SOD of the usual kind
		return false
	}
	if length > len(b)-n {
		return false
	}
	*value, *d = b[n:n+length], b[n+length:]
	return true
}

// into reads an element behind which nothing stands, and goes into it.
func (d *der) into(tag byte) bool {
	var value der
	if !d.take(tag, &value) || len(*d) > 0 {
		return false
	}
	*d = value
	return true
}

// whole reads an element with its tag and length.
func (d *der) whole(tag byte, element *[]byte) bool {
	before := *d
	var value der
	if !d.take(tag, &value) {
		return false
	}
	*element = before[:len(before)-len(*d)]
	return true
}

// skip takes exactly these octets.
func (d *der) skip(octets string) bool {
	if len(*d) < len(octets) || string((*d)[:len(octets)]) != octets {
		return false
	}
	*d = (*d)[len(octets):]
	return true
}
