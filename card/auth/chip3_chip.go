package auth

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/sm"
)

// PseudonymSecret is what a chip runs Chip Authentication version 3 with.
type PseudonymSecret struct {
	Agreement asn1.ObjectIdentifier // id-CA-…, of the key agreement
	Group     dh.Group              // of the ephemeral keys
	Protocol  asn1.ObjectIdentifier // id-PSA-…
	KeyID     *big.Int
	Key       *dh.PseudonymKey
	Give      [2]bool // which pseudonyms this terminal gets
}

// Chip3Chip is the chip's end of Chip Authentication version 3.
type Chip3Chip struct {
	secrets   []PseudonymSecret
	announced []byte
	sectors   func(sector *dh.Point) bool
	chosen    *PseudonymSecret
	signs     bool   // chosen is for the signature
	signed    []byte // the object with our ephemeral key, once keys are agreed
}

// NewChip3Chip makes the end of a chip with these keys after a terminal that has announced
// its ephemeral key in compressed form. sectors says whether the terminal's certificate has
// the hash of a sector's key. Protocols that do not exist, and a secret that would give no
// pseudonym, are ErrUnsupported.
func NewChip3Chip(announced []byte, sectors func(*dh.Point) bool, secrets ...PseudonymSecret) (*Chip3Chip, error) {
	for _, s := range secrets {
		_, agrees := chipAuthSuite(s.Agreement, s.Group.Base())
		if _, signs := pseudonymHash(s.Protocol); !signs || !agrees || s.KeyID == nil || s.Give == [2]bool{} {
			return nil, fmt.Errorf("chip authentication by %v and %v: %w", s.Agreement, s.Protocol, ErrUnsupported)
		}
	}
	return &Chip3Chip{secrets: secrets, announced: announced, sectors: sectors}, nil
}

// Running reports whether the next GENERAL AUTHENTICATE belongs here.
func (a *Chip3Chip) Running() bool { return a.chosen != nil }

// Reset forgets what MSE:Set AT has chosen; what was agreed stays.
func (a *Chip3Chip) Reset() { a.chosen = nil }

// Takes reports whether MSE:Set AT with this data belongs here.
func (a *Chip3Chip) Takes(data []byte) bool {
	s, _ := a.find(data)
	return s != nil
}

// Process answers MSE:Set AT and the GENERAL AUTHENTICATE after it, and any other command
// with 6D00. Keys come with the answer that ends the agreement; it is sent under the old
// keys. A sector that the terminal has no right to is 6982.
func (a *Chip3Chip) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	chosen := a.chosen
	a.chosen = nil
	switch {
	case c.INS == 0x22 && c.P1 == 0x41 && c.P2 == 0xA4:
		if a.chosen, a.signs = a.find(c.Data); a.chosen == nil {
			return apdu.Response{Status: apdu.ReferenceNotFound}, nil
		}
		return apdu.Response{Status: apdu.OK}, nil
	case c.INS == 0x22:
		return apdu.Response{Status: apdu.WrongP1P2}, nil
	case c.INS != 0x86:
		return apdu.Response{Status: apdu.INSNotSupported}, nil
	case chosen == nil:
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
	}
	s := tlv.String(c.Data)
	var inner, key tlv.String
	if !s.ReadTag(tagDynamic, &inner) || !s.Empty() || !inner.ReadTag(tagChip3Own, &key) || !inner.Empty() {
		return apdu.Response{Status: apdu.WrongData}, nil
	}
	if a.signs {
		return a.sign(chosen, key), nil
	}
	return a.agree(chosen, key)
}

// find returns the secret that MSE:Set AT names, and whether for its signature.
func (a *Chip3Chip) find(data []byte) (secret *PseudonymSecret, signs bool) {
	var oid, reference tlv.String
	s := tlv.String(data)
	if !s.ReadTag(tagProtocol, &oid) || !s.ReadTag(tagReference, &reference) || !s.Empty() {
		return nil, false
	}
	for i, k := range a.secrets {
		if !bytes.Equal(reference, keyReference(k.KeyID)) {
			continue
		}
		for n, protocol := range []asn1.ObjectIdentifier{k.Agreement, k.Protocol} {
			if want, err := contents(protocol); err == nil && bytes.Equal(oid, want) {
				return &a.secrets[i], n == 1
			}
		}
	}
	return nil, false
}

func (a *Chip3Chip) agree(k *PseudonymSecret, peer []byte) (apdu.Response, *sm.Keys) {
	refuse := func() (apdu.Response, *sm.Keys) { return apdu.Response{Status: apdu.WrongData}, nil }
	other, err := k.Group.ParseElement(peer)
	if err != nil || !equalShort(other, a.announced) {
		return refuse()
	}
	own, err := dh.GenerateSecret(k.Group.Base())
	if err != nil {
		return refuse()
	}
	defer own.Destroy()
	c, _ := chipAuthSuite(k.Agreement, other)
	keys, err := sessionKeys(own, other, c)
	if err != nil {
		return refuse()
	}
	a.signed = tlv.Encode(tagChip3Key, own.Element().Bytes())
	return apdu.Response{Data: tlv.Encode(tagDynamic, a.signed), Status: apdu.OK}, &keys
}

func (a *Chip3Chip) sign(k *PseudonymSecret, octets []byte) apdu.Response {
	if a.signed == nil {
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	}
	sector, err := k.Key.Curve().ParsePoint(octets)
	if err != nil {
		return apdu.Response{Status: apdu.WrongData}
	}
	if !a.sectors(sector) {
		return apdu.Response{Status: apdu.SecurityStatus}
	}
	h, _ := pseudonymHash(k.Protocol)
	oid, err := contents(k.Protocol)
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}
	}
	ids, err := k.Key.Pseudonyms(sector, k.Give)
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}
	}
	sig, err := k.Key.Sign(h, sector, ids, tlv.Encode(tagOID, oid), a.signed)
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}
	}
	var body []byte
	for i, tag := range []tlv.Tag{tagPseudonym1, tagPseudonym2} {
		if ids[i] != nil {
			body = tlv.Append(body, tag, ids[i].Bytes())
		}
	}
	return apdu.Response{Data: tlv.Encode(tagDynamic, tlv.Append(body, tagPseudonymProof, sig)), Status: apdu.OK}
}
