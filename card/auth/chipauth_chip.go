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
	"github.com/tamthe/tamthe/card/suite"
)

// ChipAuthSecret is a private key of a chip with the protocol that it is used in, as
// DG14 announces both.
type ChipAuthSecret struct {
	Protocol asn1.ObjectIdentifier // id-CA-ECDH-…
	KeyID    *big.Int              // nil if DG14 gives none
	Key      dh.Secret             // stays the caller's to destroy
}

func (s ChipAuthSecret) element() dh.Element {
	if s.Key == nil {
		return nil
	}
	return s.Key.Element()
}

// ChipAuthChip is the chip's end of Chip Authentication version 1.
type ChipAuthChip struct {
	keys   []chipAuthKey
	chosen *chipAuthKey // by MSE:Set AT, for the GENERAL AUTHENTICATE right after it

	terminal dh.Element
	used     *ChipAuthSecret
}

type chipAuthKey struct {
	oid       []byte // contents octets
	cipher    suite.Cipher
	reference []byte // nil for none
	key       dh.Secret
	secret    ChipAuthSecret
}

// NewChipAuthChip makes the end of a chip with these keys. A protocol that Chip1 does
// not run with such a key is ErrUnsupported.
func NewChipAuthChip(secrets ...ChipAuthSecret) (*ChipAuthChip, error) {
	a := new(ChipAuthChip)
	for _, s := range secrets {
		c, ok := chipAuthSuite(s.Protocol, s.element())
		if !ok {
			return nil, fmt.Errorf("chip authentication by %v: %w", s.Protocol, ErrUnsupported)
		}
		oid, err := contents(s.Protocol)
		if err != nil {
			return nil, err
		}
		k := chipAuthKey{oid: oid, cipher: c, key: s.Key, secret: s}
		if s.KeyID != nil {
			k.reference = keyReference(s.KeyID)
		}
		a.keys = append(a.keys, k)
	}
	return a, nil
}

// Process answers MSE:Set AT, the GENERAL AUTHENTICATE after it, and MSE:Set KAT, and
// any other command with 6D00. Keys come with the answer that ends a run; it is sent
// under the old keys.
func (a *ChipAuthChip) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	chosen := a.chosen
	a.chosen = nil
	switch {
	case c.INS == 0x22 && c.P1 == 0x41 && c.P2 == 0xA4:
		return apdu.Response{Status: a.setAT(c.Data)}, nil
	case c.INS == 0x22 && c.P1 == 0x41 && c.P2 == 0xA6:
		keys, status := a.setKAT(c.Data)
		return apdu.Response{Status: status}, keys
	case c.INS == 0x22:
		return apdu.Response{Status: apdu.WrongP1P2}, nil
	case c.INS != 0x86:
		return apdu.Response{Status: apdu.INSNotSupported}, nil
	case chosen == nil:
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
	}
	var inner, point tlv.String
	s := tlv.String(c.Data)
	if !s.ReadTag(tagDynamic, &inner) || !s.Empty() || !inner.ReadTag(tagChipAuthKey, &point) || !inner.Empty() {
		return apdu.Response{Status: apdu.WrongData}, nil
	}
	keys, status := a.agree(chosen, point)
	if status != apdu.OK {
		return apdu.Response{Status: status}, nil
	}
	return apdu.Response{Data: tlv.Encode(tagDynamic), Status: apdu.OK}, keys
}

// Terminal returns the terminal's ephemeral key of the last run that gave keys, which
// Terminal Authentication is bound to, and the secret that was used; nil before one.
func (a *ChipAuthChip) Terminal() (dh.Element, *ChipAuthSecret) { return a.terminal, a.used }

// Running reports whether the next GENERAL AUTHENTICATE belongs here.
func (a *ChipAuthChip) Running() bool { return a.chosen != nil }

// Reset forgets what MSE:Set AT has chosen.
func (a *ChipAuthChip) Reset() { a.chosen = nil }

// setAT takes protocol and key reference, of 3DES too: MSE:Set KAT is for that suite alone,
// and not the only way to it (Doc 9303-11 §6.2.4).
func (a *ChipAuthChip) setAT(data []byte) apdu.Status {
	var oid, reference tlv.String
	s := tlv.String(data)
	if !s.ReadTag(tagProtocol, &oid) {
		return apdu.WrongData
	}
	s.ReadTag(tagReference, &reference)
	if !s.Empty() {
		return apdu.WrongData
	}
	k, status := a.find(reference, func(k chipAuthKey) bool { return bytes.Equal(k.oid, oid) })
	a.chosen = k
	return status
}

// setKAT takes the terminal's key and a key reference for 3DES.
func (a *ChipAuthChip) setKAT(data []byte) (*sm.Keys, apdu.Status) {
	var point, reference tlv.String
	s := tlv.String(data)
	if !s.ReadTag(tagEphemeral, &point) {
		return nil, apdu.WrongData
	}
	s.ReadTag(tagReference, &reference)
	if !s.Empty() {
		return nil, apdu.WrongData
	}
	k, status := a.find(reference, func(k chipAuthKey) bool { return k.cipher == suite.TDES })
	if k == nil {
		return nil, status
	}
	return a.agree(k, point)
}

// find returns the one key that fits; without a reference it must be the only one.
func (a *ChipAuthChip) find(reference []byte, fits func(chipAuthKey) bool) (*chipAuthKey, apdu.Status) {
	var found *chipAuthKey
	for i, k := range a.keys {
		if !fits(k) || reference != nil && !bytes.Equal(k.reference, reference) {
			continue
		}
		if found != nil {
			return nil, apdu.ReferenceNotFound
		}
		found = &a.keys[i]
	}
	if found == nil {
		return nil, apdu.ReferenceNotFound
	}
	return found, apdu.OK
}

// agree derives the keys with the terminal's ephemeral key.
func (a *ChipAuthChip) agree(k *chipAuthKey, point []byte) (*sm.Keys, apdu.Status) {
	other, err := k.key.Element().Group().ParseElement(point)
	if err != nil {
		return nil, apdu.WrongData
	}
	keys, err := sessionKeys(k.key, other, k.cipher)
	if err != nil {
		return nil, apdu.WrongData
	}
	a.terminal, a.used = other, &k.secret
	return &keys, apdu.OK
}
