package auth

import (
	"context"
	"crypto"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// The data objects of Chip Authentication version 3 in GENERAL AUTHENTICATE (TR-03110-3
// §B.2, tables 20 and 21).
const (
	tagChip3Own       tlv.Tag = 0x80
	tagChip3Key       tlv.Tag = 0x81
	tagSectorKey      tlv.Tag = 0x80
	tagPseudonym1     tlv.Tag = 0x82
	tagPseudonym2     tlv.Tag = 0x83
	tagPseudonymProof tlv.Tag = 0x84
)

// oidPseudonym is id-PSA-ECDH-ECSchnorr; the arc below it is the hash.
var oidPseudonym = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 11, 1, 2}

// pseudonymHash returns the hash of a protocol (TR-03110-3 §A.4.2.3).
func pseudonymHash(oid asn1.ObjectIdentifier) (crypto.Hash, bool) {
	n := len(oidPseudonym)
	if len(oid) != n+1 || !oid[:n].Equal(oidPseudonym) || oid[n] < 3 {
		return 0, false
	}
	h, ok := restrictedHashes[oid[n]]
	return h, ok
}

// AnonymousProof is the first half of Chip Authentication version 3: a channel with some
// chip, of which nothing is known yet.
type AnonymousProof struct {
	Channel *sm.Channel
	limits  apdu.Limits
	signed  []byte // the object with the chip's ephemeral key
}

// Chip3 runs the key agreement of Chip Authentication version 3 (TR-03110-2 §3.5) after
// Terminal Authentication, with the ephemeral key that was announced there, and goes on
// under its keys. Nothing is proven before Pseudonym. ta is used up. info is an entry of
// EF.CardSecurity of version 3 with its key identifier, whose ChipAuthDomain is the group that
// ta was run with.
//
// A key of another group is ErrProtocol, another protocol ErrUnsupported, a refusal a
// *apdu.StatusError; all leave the channel of PACE as the chip does.
func Chip3(ctx context.Context, ta *TerminalProof, info lds.ChipAuthInfo) (*AnonymousProof, error) {
	defer ta.Close()
	own := ta.own.Element()
	c, ok := chipAuthSuite(info.OID, own)
	if !ok || info.KeyID == nil {
		return nil, fmt.Errorf("chip authentication by %v: %w", info.OID, ErrUnsupported)
	}
	b, err := exchange3(ctx, ta.Channel, ta.limits, info.OID, info.KeyID, tlv.Encode(tagChip3Own, own.Bytes()), 16+len(own.Bytes()))
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	var key tlv.String
	if !b.ReadTag(tagChip3Key, &key) || !b.Empty() {
		return nil, fmt.Errorf("chip authentication: answer without the chip's key: %w", ErrProtocol)
	}
	chip, err := own.Group().ParseElement(key)
	if err != nil {
		return nil, fmt.Errorf("chip authentication: the chip's key: %w: %w", ErrProtocol, err)
	}
	if chip.Equal(own) {
		return nil, fmt.Errorf("chip authentication: the chip returns our own key: %w", ErrProtocol)
	}
	keys, err := sessionKeys(ta.own, chip, c)
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	return &AnonymousProof{Channel: ta.Channel.Renew(keys), limits: ta.limits, signed: tlv.Encode(tagChip3Key, key)}, nil
}

// exchange3 sends MSE:Set AT and GENERAL AUTHENTICATE, whose answer may have that many octets,
// and returns what is in its template.
func exchange3(ctx context.Context, ch *sm.Channel, limits apdu.Limits, protocol asn1.ObjectIdentifier, id *big.Int, object []byte, answer int) (tlv.String, error) {
	oid, err := contents(protocol)
	if err != nil {
		return nil, err
	}
	t := apdu.Chain(ch, ch.MaxCommand(limits))
	at := tlv.Append(tlv.Encode(tagProtocol, oid), tagReference, keyReference(id))
	if _, err := do(ctx, t, apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA4, Data: at}); err != nil {
		return nil, err
	}
	data, err := do(ctx, t, apdu.Command{INS: 0x86, Data: tlv.Encode(tagDynamic, object), Le: max(apdu.MaxShortLe, answer)})
	if err != nil {
		return nil, err
	}
	s := tlv.String(data)
	var inner tlv.String
	if !s.ReadTag(tagDynamic, &inner) || !s.Empty() {
		return nil, fmt.Errorf("answer without template 7C: %w", ErrProtocol)
	}
	return inner, nil
}

// PseudonymProof shows that a chip of the group has signed the key of the channel, and the
// pseudonyms that it is known by in the sector. Whose group that is, Passive Authentication
// of EF.CardSecurity tells.
type PseudonymProof struct {
	Channel    *sm.Channel
	Group      lds.PseudonymKey
	Pseudonyms dh.Pseudonyms // those that the chip gave; the same chip gives a sector the same
}

// Pseudonym is the second half of version 3, Pseudonymous Signature Authentication: the
// chip proves to be one of the group, and gives its pseudonyms in a sector, whose hash stands
// in the terminal's certificate. info and key are the entries of EF.CardSecurity with one key
// identifier. It may be repeated with other sectors.
//
// A signature that is wrong, or with no pseudonym, is ErrSignature; another protocol or group
// is ErrUnsupported, a refusal a *apdu.StatusError.
func (p *AnonymousProof) Pseudonym(ctx context.Context, info lds.PseudonymInfo, key lds.PseudonymKey, sector *dh.Point) (*PseudonymProof, error) {
	h, ok := pseudonymHash(info.OID)
	if !ok || info.KeyID == nil || key.Group.Manager == nil || sector.Curve() != key.Group.Manager.Curve() {
		return nil, fmt.Errorf("pseudonymous signature by %v: %w", info.OID, ErrUnsupported)
	}
	b, err := exchange3(ctx, p.Channel, p.limits, info.OID, info.KeyID, tlv.Encode(tagSectorKey, sector.Bytes()), 32+2*len(sector.Bytes())+h.Size()+2*sector.Curve().OrderSize())
	if err != nil {
		return nil, fmt.Errorf("pseudonymous signature: %w", err)
	}
	proof := &PseudonymProof{Channel: p.Channel, Group: key}
	for i, tag := range []tlv.Tag{tagPseudonym1, tagPseudonym2} {
		var octets tlv.String
		if !b.ReadTag(tag, &octets) {
			continue
		}
		if proof.Pseudonyms[i], err = sector.Curve().ParsePoint(octets); err != nil {
			return nil, fmt.Errorf("pseudonym %d: %w: %w", i+1, ErrProtocol, err)
		}
	}
	var sig tlv.String
	if !b.ReadTag(tagPseudonymProof, &sig) || !b.Empty() {
		return nil, fmt.Errorf("pseudonymous signature: answer without one: %w", ErrProtocol)
	}
	oid, err := contents(info.OID)
	if err != nil {
		return nil, err
	}
	if !dh.VerifyPseudonym(key.Group, h, sector, proof.Pseudonyms, tlv.Encode(tagOID, oid), p.signed, sig) {
		return nil, fmt.Errorf("pseudonymous signature: %w", ErrSignature)
	}
	return proof, nil
}
