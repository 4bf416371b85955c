package pki

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cms"
)

// maxPack bounds a file that many certificates and lists are packed in. All document
// signers of the world take 20 MB.
const maxPack = 128 << 20

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
)

// pack writes certificates and revocation lists, each as DER, into one file: SignedData
// that nobody signed, which is how certificates are sent about (RFC 5652 §5.1; openssl
// pkcs7 -print_certs shows it). Nothing vouches for what is in it.
func pack(certs, crls [][]byte) ([]byte, error) {
	var b cryptobyte.Builder
	all := func(b *cryptobyte.Builder, n uint8, list [][]byte) {
		if len(list) == 0 {
			return
		}
		b.AddASN1(contextTag(n), func(b *cryptobyte.Builder) {
			for _, der := range list {
				b.AddBytes(der)
			}
		})
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(tags.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) })
				all(b, 0, certs)
				all(b, 1, crls)
				b.AddASN1(tags.SET, func(*cryptobyte.Builder) {})
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("pack certificates: %w", err)
	}
	if len(der) > maxPack {
		return nil, fmt.Errorf("pack certificates: %d octets are too many", len(der))
	}
	return der, nil
}

func contextTag(n uint8) tags.Tag { return tags.Tag(n).ContextSpecific().Constructed() }

// errPack says that a file is no pack and no master list.
var errPack = errors.New("no certificates that are packed in DER")

// unpack returns the certificates and revocation lists of a pack, or the certificates of
// a master list, as slices of it; none of them is read. A master list's signature is not
// looked at, nor what its signer packed in.
func unpack(der []byte) (certs, crls [][]byte, err error) {
	s := cryptobyte.String(der)
	var outer, inner, data, content, field cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&outer, tags.SEQUENCE) || !s.Empty() || !outer.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!outer.ReadASN1(&inner, contextTag(0)) || !outer.Empty() || !inner.ReadASN1(&data, tags.SEQUENCE) || !inner.Empty() ||
		!data.ReadASN1Integer(&version) || !data.SkipASN1(tags.SET) || !data.ReadASN1(&content, tags.SEQUENCE) ||
		!content.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil, errPack
	}
	if oid.Equal(cms.OIDMasterList) {
		if certs, err = parseListed(content); err != nil {
			return nil, nil, err
		}
		return certs, nil, nil
	}
	if !oid.Equal(oidData) || !content.Empty() {
		return nil, nil, errPack
	}
	for n, list := range []*[][]byte{&certs, &crls} {
		var present bool
		if !data.ReadOptionalASN1(&field, &present, contextTag(uint8(n))) || present && !elements(field, list) {
			return nil, nil, errPack
		}
	}
	if !data.ReadASN1(&field, tags.SET) || !field.Empty() || !data.Empty() {
		return nil, nil, errPack
	}
	return certs, crls, nil
}

// elements cuts a list of SEQUENCEs up.
func elements(s cryptobyte.String, list *[][]byte) bool {
	for !s.Empty() {
		var der cryptobyte.String
		if !s.ReadASN1Element(&der, tags.SEQUENCE) {
			return false
		}
		*list = append(*list, der)
	}
	return true
}

// parseListed returns the certificates of a CscaMasterList (ICAO 9303-12 §9), which lies
// in the eContent.
func parseListed(content cryptobyte.String) (certs [][]byte, err error) {
	var explicit, octets, list, set cryptobyte.String
	var version int
	if !content.ReadASN1(&explicit, contextTag(0)) || !content.Empty() || !explicit.ReadASN1(&octets, tags.OCTET_STRING) || !explicit.Empty() ||
		!octets.ReadASN1(&list, tags.SEQUENCE) || !octets.Empty() || !list.ReadASN1Integer(&version) || version != 0 ||
		!list.ReadASN1(&set, tags.SET) || !list.Empty() || !elements(set, &certs) {
		return nil, errPack
	}
	return certs, nil
}
