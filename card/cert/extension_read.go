package cert

import (
	"crypto/sha1"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// readExtensions reads the Extensions list. A second extension of one kind is listed
// and kept, but only the first counts.
func (f *findings) readExtensions(s cryptobyte.String) ([]Extension, bool) {
	var list cryptobyte.String
	if !s.ReadASN1(&list, tags.SEQUENCE) || !s.Empty() {
		return nil, false
	}
	var out []Extension
	for !list.Empty() {
		var content, value cryptobyte.String
		var e Extension
		if !list.ReadASN1(&content, tags.SEQUENCE) || !ReadOID(&content, &e.OID) {
			return nil, false
		}
		if content.PeekASN1Tag(tags.BOOLEAN) {
			var ok bool
			if e.Critical, ok = f.readBool(&content, "extension "+e.OID.String()); !ok {
				return nil, false
			}
			if !e.Critical {
				f.note(DefectDefaultEncoded, "extension "+e.OID.String())
			}
		}
		if !content.ReadASN1(&value, tags.OCTET_STRING) || !content.Empty() {
			return nil, false
		}
		e.Value = value
		out = append(out, e)
	}
	return out, true
}

// apply hands each extension to its reader. Those that are critical and not read are
// returned, and repeated ones of whatever kind.
func (f *findings) apply(list []Extension, read func(Extension) (known, ok bool)) (unread []asn1.ObjectIdentifier) {
	seen := make(map[string]bool, len(list))
	for _, e := range list {
		name := e.OID.String()
		if seen[name] {
			f.note(DefectExtensionDuplicate, "extension "+name)
			unread = append(unread, e.OID) // whatever it is: two readers may take one each (RFC 5280 §4.2)
			continue
		}
		seen[name] = true
		known, ok := read(e)
		if known && !ok {
			f.note(DefectExtensionMalformed, "extension "+name)
		}
		if e.Critical && (!known || !ok) {
			unread = append(unread, e.OID)
		}
	}
	return unread
}

func readAuthorityKeyID(value cryptobyte.String, c *Certificate) bool {
	var content, key, issuer, serial cryptobyte.String
	var hasKey, hasIssuer, hasSerial bool
	if !value.ReadASN1(&content, tags.SEQUENCE) || !value.Empty() ||
		!content.ReadOptionalASN1(&key, &hasKey, contextTag(0)) ||
		!content.ReadOptionalASN1(&issuer, &hasIssuer, contextTagCons(1)) ||
		!content.ReadOptionalASN1(&serial, &hasSerial, contextTag(2)) || !content.Empty() {
		return false
	}
	if hasSerial {
		var b cryptobyte.Builder
		b.AddASN1(tags.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(serial) })
		s := cryptobyte.String(b.BytesOrPanic()) // a fresh INTEGER of at most 64 KiB
		n, _, ok := readInteger(&s)
		if !ok {
			return false
		}
		c.AuthoritySerial = n
	}
	if hasKey {
		c.AuthorityKeyID = key
	}
	if hasIssuer {
		c.AuthorityIssuer = issuer
	}
	return true
}

// readKeyID reads a SubjectKeyIdentifier. Two CSCAs of Lithuania leave the inner OCTET
// STRING out; a bare SHA-1 can be nothing else.
func (f *findings) readKeyID(value cryptobyte.String) ([]byte, bool) {
	bare := value
	var b cryptobyte.String
	switch {
	case value.ReadASN1(&b, tags.OCTET_STRING) && value.Empty():
		return b, true
	case len(bare) == sha1.Size:
		f.note(DefectKeyIDBare, "subjectKeyIdentifier")
		return bare, true
	}
	return nil, false
}

func readKeyUsage(value cryptobyte.String) (KeyUsage, bool) {
	var bits asn1.BitString
	if !value.ReadASN1BitString(&bits) || !value.Empty() || bits.BitLength > 64 {
		return 0, false
	}
	var u KeyUsage
	for i := range min(bits.BitLength, 16) {
		u |= KeyUsage(bits.At(i)) << i
	}
	return u, true
}

func (f *findings) readPeriod(value cryptobyte.String) (*Period, bool) {
	var content cryptobyte.String
	if !value.ReadASN1(&content, tags.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	p := new(Period)
	for i, bound := range []*time.Time{&p.NotBefore, &p.NotAfter} {
		var b cryptobyte.String
		var present bool
		if !content.ReadOptionalASN1(&b, &present, contextTag(uint8(i))) {
			return nil, false
		}
		if !present {
			continue
		}
		t, strict, ok := parseGeneralizedTime(string(b))
		if !ok {
			t, _, ok = parseUTCTime(string(b))
			strict = false
		}
		if !ok {
			return nil, false
		}
		if !strict {
			f.note(DefectTime, "privateKeyUsagePeriod")
		}
		*bound = t
	}
	if !content.Empty() {
		return nil, false
	}
	return p, true
}

func (f *findings) readBasicConstraints(value cryptobyte.String) (*BasicConstraints, bool) {
	var content cryptobyte.String
	if !value.ReadASN1(&content, tags.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	c := &BasicConstraints{PathLen: -1}
	ok := true
	if content.PeekASN1Tag(tags.BOOLEAN) {
		if c.CA, ok = f.readBool(&content, "basicConstraints"); ok && !c.CA {
			f.note(DefectDefaultEncoded, "basicConstraints")
		}
	}
	if ok && content.PeekASN1Tag(tags.INTEGER) {
		c.PathLen, ok = readSmall(&content, 1<<20)
	}
	if !ok || !content.Empty() {
		return nil, false
	}
	return c, true
}

func readPurposes(value cryptobyte.String) (purposes []asn1.ObjectIdentifier, ok bool) {
	var content cryptobyte.String
	if !value.ReadASN1(&content, tags.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	for !content.Empty() {
		var oid asn1.ObjectIdentifier
		if !ReadOID(&content, &oid) {
			return nil, false
		}
		purposes = append(purposes, oid)
	}
	return purposes, len(purposes) > 0
}

// readDistributionPoints collects the URIs of RFC 5280 §4.2.1.13.
func readDistributionPoints(value cryptobyte.String) (uris []string, ok bool) {
	var points cryptobyte.String
	if !value.ReadASN1(&points, tags.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	for !points.Empty() {
		var point, name, full cryptobyte.String
		var present bool
		if !points.ReadASN1(&point, tags.SEQUENCE) ||
			!point.ReadOptionalASN1(&name, &present, contextTagCons(0)) {
			return nil, false
		}
		if !present || !name.PeekASN1Tag(contextTagCons(0)) { // relative to the issuer: no URI
			continue
		}
		if !name.ReadASN1(&full, contextTagCons(0)) {
			return nil, false
		}
		var f findings
		names, ok := f.readGeneralNames(full)
		if !ok {
			return nil, false
		}
		for _, n := range names {
			if n.Tag == 6 {
				uris = append(uris, n.Value)
			}
		}
	}
	return uris, true
}

// readDocumentTypes reads DocumentTypeList (Doc 9303-12 §7.1.1.6): version, SET OF text.
func (f *findings) readDocumentTypes(value cryptobyte.String) (types []string, ok bool) {
	var content, set cryptobyte.String
	if !value.ReadASN1(&content, tags.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	if version, ok := readSmall(&content, 1<<20); !ok || version != 0 ||
		!content.ReadASN1(&set, tags.SET) || !content.Empty() {
		return nil, false
	}
	types = []string{}
	for !set.Empty() {
		var b cryptobyte.String
		var tag tags.Tag
		if !set.ReadAnyASN1(&b, &tag) {
			return nil, false
		}
		text, strict := decodeString(tag, b)
		if !strict {
			f.note(DefectString, "documentTypeList")
		}
		types = append(types, text)
	}
	return types, true
}
