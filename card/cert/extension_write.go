package cert

import (
	"bytes"
	"encoding/asn1"
	"math/bits"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// addExtensions writes what the template sets, criticality as in Doc 9303-12 table 5.
func (t Template) addExtensions(b *cryptobyte.Builder) {
	if len(t.AuthorityKeyID) > 0 {
		addExtension(b, OIDAuthorityKeyID, false, keyIDExtension(t.AuthorityKeyID))
	}
	if len(t.SubjectKeyID) > 0 {
		addExtension(b, OIDSubjectKeyID, false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(t.SubjectKeyID) })
	}
	if t.KeyUsage != 0 {
		addExtension(b, OIDKeyUsage, true, t.KeyUsage.add)
	}
	if t.PrivateKeyUsage != nil {
		addExtension(b, OIDPrivateKeyUsagePeriod, false, t.PrivateKeyUsage.add)
	}
	if len(t.SubjectAltName) > 0 {
		addExtension(b, OIDSubjectAltName, false, namesExtension(t.SubjectAltName))
	}
	if len(t.IssuerAltName) > 0 {
		addExtension(b, OIDIssuerAltName, false, namesExtension(t.IssuerAltName))
	}
	if t.BasicConstraints != nil {
		addExtension(b, OIDBasicConstraints, true, t.BasicConstraints.add)
	}
	if len(t.ExtKeyUsage) > 0 {
		addExtension(b, OIDExtKeyUsage, true, func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, oid := range t.ExtKeyUsage {
					addOID(b, oid)
				}
			})
		})
	}
	if len(t.CRLDistributionPoints) > 0 {
		addExtension(b, OIDCRLDistribution, false, pointsExtension(t.CRLDistributionPoints))
	}
	if t.NameChange {
		addExtension(b, OIDNameChange, false, func(b *cryptobyte.Builder) { b.AddBytes(derNull) })
	}
	if len(t.DocumentTypes) > 0 {
		addExtension(b, OIDDocumentTypeList, false, typesExtension(t.DocumentTypes))
	}
	for _, e := range t.Extra {
		addExtension(b, e.OID, e.Critical, func(b *cryptobyte.Builder) { b.AddBytes(e.Value) })
	}
}

func addExtension(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, critical bool, value func(*cryptobyte.Builder)) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, oid)
		if critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1(tags.OCTET_STRING, value)
	})
}

func keyIDExtension(id []byte) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddBytes(id) })
		})
	}
}

func namesExtension(names []GeneralName) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) { addGeneralNames(b, names) }
}

func pointsExtension(uris []string) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, uri := range uris {
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(contextTagCons(0), func(b *cryptobyte.Builder) {
						b.AddASN1(contextTagCons(0), func(b *cryptobyte.Builder) { addGeneralName(b, URIName(uri)) })
					})
				})
			}
		})
	}
}

func typesExtension(types []string) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		elements := make([][]byte, len(types))
		for i, t := range types {
			if !fitsString(byte(tags.PrintableString), t) {
				b.SetError(malformed("document type %q", t))
				return
			}
			var e cryptobyte.Builder
			e.AddASN1(tags.PrintableString, func(b *cryptobyte.Builder) { b.AddBytes([]byte(t)) })
			elements[i] = e.BytesOrPanic() // a string of a few octets
		}
		slices.SortFunc(elements, bytes.Compare) // SET OF in DER
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(0)
			b.AddASN1(tags.SET, func(b *cryptobyte.Builder) { b.AddBytes(slices.Concat(elements...)) })
		})
	}
}

// add writes a named BIT STRING without its trailing zero bits.
func (u KeyUsage) add(b *cryptobyte.Builder) {
	reversed := bits.Reverse16(uint16(u))
	octets := []byte{byte(reversed >> 8), byte(reversed)}
	if octets[1] == 0 {
		octets = octets[:1]
	}
	unused := bits.TrailingZeros8(octets[len(octets)-1])
	b.AddASN1(tags.BIT_STRING, func(b *cryptobyte.Builder) {
		b.AddUint8(uint8(unused))
		b.AddBytes(octets)
	})
}

func (p *Period) add(b *cryptobyte.Builder) {
	if p.NotBefore.IsZero() && p.NotAfter.IsZero() {
		b.SetError(malformed("private key usage period without a bound"))
		return
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		for i, t := range []time.Time{p.NotBefore, p.NotAfter} {
			if !t.IsZero() {
				b.AddASN1(contextTag(uint8(i)), func(b *cryptobyte.Builder) {
					b.AddBytes([]byte(t.UTC().Format("20060102150405Z")))
				})
			}
		}
	})
}

func (c *BasicConstraints) add(b *cryptobyte.Builder) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		if c.CA {
			b.AddASN1Boolean(true)
		}
		if c.PathLen >= 0 {
			b.AddASN1Int64(int64(c.PathLen))
		}
	})
}
