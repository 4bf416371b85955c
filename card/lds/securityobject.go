package lds

import (
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

// maxGroups is the highest data group number.
const maxGroups = 16

func badObject(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSecurityObject, fmt.Sprintf(format, args...))
}

// ParseSecurityObject reads the content of a SOD; see ParseSOD.
func ParseSecurityObject(der []byte) (SecurityObject, error) {
	s := cryptobyte.String(der)
	var content, list cryptobyte.String
	var o SecurityObject
	var id cert.AlgorithmIdentifier
	if !s.ReadASN1(&content, tags.SEQUENCE) || !s.Empty() || !content.ReadASN1Integer(&o.Version) ||
		!cert.ReadAlgorithmIdentifier(&content, &id) || !content.ReadASN1(&list, tags.SEQUENCE) {
		return SecurityObject{}, badObject("no LDSSecurityObject")
	}
	if o.Version != 0 && o.Version != 1 {
		return SecurityObject{}, badObject("version %d", o.Version)
	}
	var err error
	o.HashOID = id.OID
	if o.Hash, err = id.Hash(); err != nil {
		return SecurityObject{}, err
	}
	if err := o.readHashes(list); err != nil {
		return SecurityObject{}, err
	}
	if err := o.readVersions(content); err != nil {
		return SecurityObject{}, err
	}
	return o, nil
}

func (o *SecurityObject) readHashes(list cryptobyte.String) error {
	for !list.Empty() {
		var entry, hash cryptobyte.String
		var number int
		if !list.ReadASN1(&entry, tags.SEQUENCE) || !entry.ReadASN1Integer(&number) ||
			!entry.ReadASN1(&hash, tags.OCTET_STRING) || !entry.Empty() {
			return badObject("group hash")
		}
		if number < 1 || number > maxGroups {
			return badObject("group number %d", number)
		}
		if _, twice := o.GroupHash(number); twice {
			return badObject("group %d twice", number)
		}
		if len(hash) != o.Hash.Size() {
			return badObject("hash of group %d has %d octets, %v has %d", number, len(hash), o.Hash, o.Hash.Size())
		}
		if n := len(o.Hashes); n > 0 && o.Hashes[n-1].Number > number {
			o.note(SODGroupOrder)
		}
		o.Hashes = append(o.Hashes, GroupHash{number, hash})
	}
	switch len(o.Hashes) {
	case 0:
		return badObject("no group hashes")
	case 1:
		o.note(SODSingleHash)
	}
	return nil
}

// readVersions reads the optional LDSVersionInfo, which version 1 brought.
func (o *SecurityObject) readVersions(s cryptobyte.String) error {
	if s.Empty() {
		if o.Version == 1 {
			o.note(SODNoVersionInfo)
		}
		return nil
	}
	var info, ldsVersion, unicode cryptobyte.String
	if !s.ReadASN1(&info, tags.SEQUENCE) || !s.Empty() || !info.ReadASN1(&ldsVersion, tags.PrintableString) ||
		!info.ReadASN1(&unicode, tags.PrintableString) || !info.Empty() {
		return badObject("ldsVersionInfo")
	}
	if o.Version == 0 {
		o.note(SODVersionInfo)
	}
	o.LDSVersion, o.UnicodeVersion = string(ldsVersion), string(unicode)
	return nil
}

func (o *SecurityObject) note(f SODFinding) {
	if !slices.Contains(o.Findings, f) {
		o.Findings = append(o.Findings, f)
	}
}

// GroupHash returns the hash that the object lists for a group.
func (o SecurityObject) GroupHash(number int) ([]byte, bool) {
	for _, h := range o.Hashes {
		if h.Number == number {
			return h.Hash, true
		}
	}
	return nil, false
}

// EncodeSecurityObject writes DER with the groups in rising order; Version 1 needs both
// versions, 0 none. The hash is o.Hash; HashOID and Findings are not looked at. Errors
// wrap ErrSecurityObject.
func EncodeSecurityObject(o SecurityObject) ([]byte, error) {
	oid := cert.HashOID(o.Hash)
	if oid == nil {
		return nil, badObject("hash %v", o.Hash)
	}
	if hasInfo := o.LDSVersion != "" && o.UnicodeVersion != ""; o.Version < 0 || o.Version > 1 || hasInfo != (o.Version == 1) {
		return nil, badObject("version %d does not fit its version info", o.Version)
	}
	hashes := slices.Clone(o.Hashes)
	slices.SortFunc(hashes, func(a, b GroupHash) int { return a.Number - b.Number })
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(int64(o.Version))
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, h := range hashes {
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1Int64(int64(h.Number))
					b.AddASN1OctetString(h.Hash)
				})
			}
		})
		if o.Version == 1 {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, v := range []string{o.LDSVersion, o.UnicodeVersion} {
					b.AddASN1(tags.PrintableString, func(b *cryptobyte.Builder) { b.AddBytes([]byte(v)) })
				}
			})
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, badObject("%v", err)
	}
	if _, err := ParseSecurityObject(der); err != nil { // the reader's bounds are the writer's
		return nil, err
	}
	return der, nil
}
