package auth

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/sm"
)

// The data objects of Restricted Identification (TR-03110-3 §B.4).
const (
	tagSector     tlv.Tag = 0xA0 // the sector's public key
	tagIdentifier tlv.Tag = 0x81
)

// oidRestricted is id-RI; the arcs below it are 1 for DH or 2 for ECDH, and the hash.
var oidRestricted = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 5}

// restrictedHashes are the hash functions by their arc (TR-03110-3 §A.5.1).
var restrictedHashes = map[int]crypto.Hash{1: crypto.SHA1, 2: crypto.SHA224, 3: crypto.SHA256, 4: crypto.SHA384, 5: crypto.SHA512}

// restrictedHash returns the hash of a protocol for keys of an element's kind.
func restrictedHash(oid asn1.ObjectIdentifier, e dh.Element) (crypto.Hash, bool) {
	n := len(oidRestricted)
	if len(oid) != n+2 || !oid[:n].Equal(oidRestricted) || oid[n] != agreementArc(e) || agreementArc(e) == 0 {
		return 0, false
	}
	h, ok := restrictedHashes[oid[n+1]]
	return h, ok
}

// Restricted asks for the chip's identifier in a sector (TR-03110-2, Restricted Identification), through the
// channel of Chip Authentication: the hash of what the chip's key and the sector's public
// key agree on, so that nobody but that sector can recognise the chip by it. Two runs
// with one sector give the same octets. keyID chooses the chip's key, nil for the only
// one. Another protocol or group is ErrUnsupported, a refusal a *apdu.StatusError.
func Restricted(ctx context.Context, ch *sm.Channel, protocol asn1.ObjectIdentifier, keyID *big.Int, sector dh.Element, limits apdu.Limits) ([]byte, error) {
	h, ok := restrictedHash(protocol, sector)
	if !ok {
		return nil, fmt.Errorf("restricted identification by %v: %w", protocol, ErrUnsupported)
	}
	oid, err := contents(protocol)
	if err != nil {
		return nil, err
	}
	at := tlv.Encode(tagProtocol, oid)
	if keyID != nil {
		at = tlv.Append(at, tagReference, keyReference(keyID))
	}
	t := apdu.Chain(ch, ch.MaxCommand(limits))
	if _, err := do(ctx, t, apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA4, Data: at}); err != nil {
		return nil, fmt.Errorf("restricted identification: %w", err)
	}
	body := tlv.Encode(tagDynamic, tlv.Encode(tagSector, sectorKey(oid, sector)))
	data, err := do(ctx, t, apdu.Command{INS: 0x86, Data: body, Le: apdu.MaxShortLe})
	if err != nil {
		return nil, fmt.Errorf("restricted identification: %w", err)
	}
	s := tlv.String(data)
	var inner, id tlv.String
	if !s.ReadTag(tagDynamic, &inner) || !s.Empty() || !inner.ReadTag(tagIdentifier, &id) || !inner.Empty() || len(id) != h.Size() {
		return nil, fmt.Errorf("restricted identification: answer without the one identifier: %w", ErrProtocol)
	}
	return bytes.Clone(id), nil
}

// sectorKey writes a sector's public key with its domain parameters (TR-03110-3 §D.3.3),
// as its hash stands in terminals' certificates.
func sectorKey(oid []byte, e dh.Element) []byte {
	b := tlv.Encode(tagOID, oid)
	switch e := e.(type) {
	case *dh.Value:
		p, g, q := e.MODP().Parameters()
		for i, n := range []*big.Int{p, q, g} {
			b = tlv.Append(b, 0x81+tlv.Tag(i), n.Bytes())
		}
		return tlv.Append(b, tagPublicValue, e.Bytes())
	case *dh.Point:
		c := e.Curve()
		d := c.Parameters()
		for i, n := range []*big.Int{d.P, d.A, d.B} {
			b = tlv.Append(b, 0x81+tlv.Tag(i), n.FillBytes(make([]byte, c.Size())))
		}
		b = tlv.Append(b, 0x84, c.Generator().Bytes())
		b = tlv.Append(b, 0x85, d.N.FillBytes(make([]byte, c.OrderSize())))
		b = tlv.Append(b, tagPublicPoint, e.Bytes())
		return tlv.Append(b, 0x87, []byte{byte(d.H)})
	}
	return nil
}

// RestrictedChip is the chip's end of Restricted Identification.
type RestrictedChip struct {
	secrets []ChipAuthSecret
	chosen  *ChipAuthSecret
}

// NewRestrictedChip makes the end of a chip with these keys, whose Protocol is one of
// Restricted Identification; another is ErrUnsupported.
func NewRestrictedChip(secrets ...ChipAuthSecret) (*RestrictedChip, error) {
	for _, s := range secrets {
		if _, ok := restrictedHash(s.Protocol, s.element()); !ok {
			return nil, fmt.Errorf("restricted identification by %v: %w", s.Protocol, ErrUnsupported)
		}
	}
	return &RestrictedChip{secrets: slices.Clone(secrets)}, nil
}

// Running reports whether the next GENERAL AUTHENTICATE belongs here.
func (r *RestrictedChip) Running() bool { return r.chosen != nil }

// Process answers MSE:Set AT and the GENERAL AUTHENTICATE after it, and any other command
// with 6D00. A sector key over other domain parameters than the chip's key is 6A80.
func (r *RestrictedChip) Process(c apdu.Command) apdu.Response {
	chosen := r.chosen
	r.chosen = nil
	switch {
	case c.INS == 0x22 && c.P1 == 0x41 && c.P2 == 0xA4:
		return apdu.Response{Status: r.choose(c.Data)}
	case c.INS != 0x86:
		return apdu.Response{Status: apdu.INSNotSupported}
	case chosen == nil:
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	}
	s := tlv.String(c.Data)
	var inner, sector tlv.String
	if !s.ReadTag(tagDynamic, &inner) || !s.Empty() || !inner.ReadTag(tagSector, &sector) || !inner.Empty() {
		return apdu.Response{Status: apdu.WrongData}
	}
	id := chosen.identify(sector)
	if id == nil {
		return apdu.Response{Status: apdu.WrongData}
	}
	return apdu.Response{Data: tlv.Encode(tagDynamic, tlv.Encode(tagIdentifier, id)), Status: apdu.OK}
}

func (r *RestrictedChip) choose(data []byte) apdu.Status {
	s := tlv.String(data)
	var oid, reference tlv.String
	if !s.ReadTag(tagProtocol, &oid) {
		return apdu.WrongData
	}
	s.ReadTag(tagReference, &reference)
	if !s.Empty() {
		return apdu.WrongData
	}
	for i, k := range r.secrets {
		want, err := contents(k.Protocol)
		named := reference == nil && len(r.secrets) == 1 || k.KeyID != nil && bytes.Equal(reference, keyReference(k.KeyID))
		if err == nil && bytes.Equal(oid, want) && named {
			r.chosen = &r.secrets[i]
			return apdu.OK
		}
	}
	return apdu.ReferenceNotFound
}

// identify returns the identifier for a sector, nil if its key is no good.
func (s *ChipAuthSecret) identify(sector []byte) []byte {
	h, ok := restrictedHash(s.Protocol, s.element())
	oid, err := contents(s.Protocol)
	if !ok || err != nil {
		return nil
	}
	tag := tagPublicValue
	if agreementArc(s.element()) == 2 {
		tag = tagPublicPoint
	}
	value, _ := tlv.Find(sector, tag)
	key, err := s.Key.Element().Group().ParseElement(value)
	if err != nil || !bytes.Equal(sector, sectorKey(oid, key)) {
		return nil
	}
	secret, err := s.Key.Agree(key)
	if err != nil {
		return nil
	}
	defer clear(secret)
	return sum(h, secret)
}
