package lds

import (
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

// The arcs of Restricted Identification and of Chip Authentication version 3
// (TR-03110-3 §A.1.1.2, §A.1.1.4, §A.6.1).
var (
	oidRestricted   = arc(oidBSI, 5)
	oidPseudonym    = arc(arc(oidBSI, 11), 1)                               // id-PSA
	oidPseudonymKey = arc(arc(oidPublic, 3), 2)                             // id-PS-PK-ECDH-ECSchnorr
	oidExtendedKey  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 2, 3} // ecPSPublicKey
	oidECKey        = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
)

// Domain are domain parameters by the number of TR-03110-3 table 4, or by the name of a
// curve. Those in full are not read: such an entry is Unknown.
type Domain struct {
	Group dh.Group
	Named bool // by the object identifier of the curve
}

// ChipAuthDomain names the parameters of the chip's ephemeral keys in Chip Authentication
// version 3, and again those of its key in version 2 (ChipAuthenticationDomainParameterInfo).
type ChipAuthDomain struct {
	OID    asn1.ObjectIdentifier // id-CA-DH or id-CA-ECDH
	Domain Domain
	KeyID  *big.Int // nil if absent
}

// RestrictedInfo says that the chip runs Restricted Identification with a key.
type RestrictedInfo struct {
	OID            asn1.ObjectIdentifier
	Version        int
	KeyID          *big.Int
	AuthorizedOnly bool     // the terminal needs the right to it
	MaxKeyLen      *big.Int // of the sector's key; nil if absent
}

// PseudonymAccess says who gets a pseudonym.
type PseudonymAccess int

// The values of ps1-authInfo and ps2-authInfo.
const (
	PseudonymFree       PseudonymAccess = 0 // every authenticated terminal
	PseudonymAuthorized PseudonymAccess = 1 // terminals with the right
	PseudonymNever      PseudonymAccess = 2
)

// PseudonymInfo says that the chip runs Pseudonymous Signature Authentication, the second
// half of Chip Authentication version 3 (PSAInfo).
type PseudonymInfo struct {
	OID     asn1.ObjectIdentifier
	Version int
	Access  [2]PseudonymAccess
	KeyID   *big.Int // nil if absent
}

// PseudonymKey is the key of the chip's group, with its manager's (PSPublicKeyInfo).
type PseudonymKey struct {
	Group       dh.PseudonymGroup
	Named       bool     // as in Domain
	ParameterID *big.Int // a local name of the parameters, nil if absent
	KeyID       *big.Int // nil if absent
}

// readDomain reads an AlgorithmIdentifier.
func readDomain(s *cryptobyte.String) (d Domain, ok bool) {
	var id cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&id, tags.SEQUENCE) || !id.ReadASN1ObjectIdentifier(&oid) {
		return d, false
	}
	var err error
	switch {
	case oid.Equal(oidStandard):
		var n int
		if !id.ReadASN1Integer(&n) || !id.Empty() {
			return d, false
		}
		d.Group, err = dh.GroupByID(n)
	case oid.Equal(oidECKey):
		var name asn1.ObjectIdentifier
		if !id.ReadASN1ObjectIdentifier(&name) || !id.Empty() {
			return d, false
		}
		d.Named = true
		d.Group, err = curveByOID(name)
	default:
		return d, false
	}
	return d, err == nil
}

func curveByOID(oid asn1.ObjectIdentifier) (dh.Group, error) {
	c, err := dh.ByOID(oid)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (d Domain) add(b *cryptobyte.Builder) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		if curve, ok := d.Group.(*dh.Curve); ok && d.Named {
			b.AddASN1ObjectIdentifier(oidECKey)
			b.AddASN1ObjectIdentifier(curve.OID())
			return
		}
		n, ok := 0, false
		if d.Group != nil {
			n, ok = d.Group.ID()
		}
		if !ok {
			b.SetError(cert.ErrKey)
			return
		}
		b.AddASN1ObjectIdentifier(oidStandard)
		b.AddASN1Int64(int64(n))
	})
}

func (i *SecurityInfos) addDomain(oid asn1.ObjectIdentifier, s cryptobyte.String) bool {
	info := ChipAuthDomain{OID: oid}
	var ok bool
	if info.Domain, ok = readDomain(&s); !ok || !readKeyID(&s, &info.KeyID) {
		return false
	}
	i.Domains = append(i.Domains, info)
	return true
}

func (i *SecurityInfos) addRestricted(oid asn1.ObjectIdentifier, s cryptobyte.String) bool {
	info := RestrictedInfo{OID: oid}
	var params cryptobyte.String
	if !s.ReadASN1(&params, tags.SEQUENCE) || !params.ReadASN1Integer(&info.Version) {
		return false
	}
	var id cryptobyte.String
	if !params.ReadASN1Element(&id, tags.INTEGER) || !readKeyID(&id, &info.KeyID) ||
		!params.ReadASN1Boolean(&info.AuthorizedOnly) || !params.Empty() || !readKeyID(&s, &info.MaxKeyLen) {
		return false
	}
	i.Restricted = append(i.Restricted, info)
	return true
}

func (i *SecurityInfos) addPseudonym(oid asn1.ObjectIdentifier, s cryptobyte.String) bool {
	info := PseudonymInfo{OID: oid}
	var data cryptobyte.String
	var access [2]int
	if !s.ReadASN1(&data, tags.SEQUENCE) || !data.ReadASN1Integer(&info.Version) || !data.ReadASN1Integer(&access[0]) ||
		!data.ReadASN1Integer(&access[1]) || !data.Empty() || !readKeyID(&s, &info.KeyID) {
		return false
	}
	for n, a := range access {
		if a < int(PseudonymFree) || a > int(PseudonymNever) {
			return false
		}
		info.Access[n] = PseudonymAccess(a)
	}
	i.Pseudonyms = append(i.Pseudonyms, info)
	return true
}

func (i *SecurityInfos) addPseudonymKey(s cryptobyte.String) bool {
	var required, spki, id, params, manager cryptobyte.String
	var oid asn1.ObjectIdentifier
	var group []byte
	var key PseudonymKey
	if !s.ReadASN1(&required, tags.SEQUENCE) || !required.ReadASN1(&spki, tags.SEQUENCE) || !required.Empty() ||
		!spki.ReadASN1(&id, tags.SEQUENCE) || !id.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidExtendedKey) ||
		!id.ReadASN1(&params, tags.SEQUENCE) || !id.Empty() {
		return false
	}
	domain, ok := readDomain(&params)
	curve, ec := domain.Group.(*dh.Curve)
	if !ok || !ec || !params.ReadASN1(&manager, tags.OCTET_STRING) || !params.Empty() ||
		!spki.ReadASN1BitStringAsBytes(&group) || !spki.Empty() || !key.readOptional(s) {
		return false
	}
	key.Named = domain.Named
	var err error
	if key.Group.Manager, err = curve.ParsePoint(manager); err != nil {
		return false
	}
	if key.Group.Group, err = curve.ParsePoint(group); err != nil {
		return false
	}
	i.PseudonymKeys = append(i.PseudonymKeys, key)
	return true
}

// readOptional reads PSPKOptionalData, which ends the entry.
func (k *PseudonymKey) readOptional(s cryptobyte.String) bool {
	if s.Empty() {
		return true
	}
	var data cryptobyte.String
	if !s.ReadASN1(&data, tags.SEQUENCE) || !s.Empty() {
		return false
	}
	for n, id := range []**big.Int{&k.ParameterID, &k.KeyID} {
		tag := tags.Tag(n + 1).ContextSpecific()
		if !data.PeekASN1Tag(tag) {
			continue
		}
		var octets cryptobyte.String
		if !data.ReadASN1(&octets, tag) {
			return false
		}
		var b cryptobyte.Builder
		b.AddASN1(tags.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(octets) })
		whole := cryptobyte.String(b.BytesOrPanic())
		if !readKeyID(&whole, id) || *id == nil {
			return false
		}
	}
	return data.Empty()
}

// writePseudonyms adds the entries of this file to a set.
func (i SecurityInfos) writePseudonyms(w *infoWriter) {
	for _, info := range i.Domains {
		w.add(info.OID, func(b *cryptobyte.Builder) {
			info.Domain.add(b)
			addKeyID(b, info.KeyID)
		})
	}
	for _, info := range i.Restricted {
		w.add(info.OID, func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(int64(info.Version))
				addKeyID(b, info.KeyID)
				b.AddASN1Boolean(info.AuthorizedOnly)
			})
			addKeyID(b, info.MaxKeyLen)
		})
	}
	for _, info := range i.Pseudonyms {
		w.add(info.OID, func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(int64(info.Version))
				b.AddASN1Int64(int64(info.Access[0]))
				b.AddASN1Int64(int64(info.Access[1]))
			})
			addKeyID(b, info.KeyID)
		})
	}
	for _, key := range i.PseudonymKeys {
		w.add(oidPseudonymKey, key.add)
	}
}

func (k PseudonymKey) add(b *cryptobyte.Builder) {
	if k.Group.Manager == nil || k.Group.Group == nil {
		b.SetError(cert.ErrKey)
		return
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidExtendedKey)
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
					Domain{k.Group.Manager.Curve(), k.Named}.add(b)
					b.AddASN1OctetString(k.Group.Manager.Bytes())
				})
			})
			b.AddASN1BitString(k.Group.Group.Bytes())
		})
	})
	if k.ParameterID == nil && k.KeyID == nil {
		return
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		for n, id := range []*big.Int{k.ParameterID, k.KeyID} {
			if id != nil {
				b.AddASN1(tags.Tag(n+1).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(integerOctets(id)) })
			}
		}
	})
}

// integerOctets are the contents of an INTEGER.
func integerOctets(n *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(n)
	der := cryptobyte.String(b.BytesOrPanic())
	var octets cryptobyte.String
	der.ReadASN1(&octets, tags.INTEGER)
	return octets
}
