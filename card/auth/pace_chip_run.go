package auth

import (
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// chipNonceSize is the length in octets of the nonces that PACEChip draws: whole blocks
// of every suite.
const chipNonceSize = 16

// paceChipRun is the chip's state between the steps.
type paceChipRun struct {
	v     paceVariant
	ref   byte
	next  int // step of GENERAL AUTHENTICATE, from 1
	nonce []byte
	base  dh.Element // the mapped generator
	own   dh.Element
	other dh.Element
	keys  sm.Keys
}

// drawNonce answers the first step; nil is a failure, as in all steps.
func (r *paceChipRun) drawNonce(secret []byte, fresh paceFresh) []byte {
	r.nonce = draw(fresh.nonce, chipNonceSize)
	key := suite.KDF(secret, suite.CounterPACE, r.v.cipher)
	defer clear(key)
	z, err := r.v.cipher.Encrypt(key, nil, r.nonce)
	if err != nil {
		return nil
	}
	return tlv.Encode(tagNonce, z)
}

// mapBase answers the second step with the mapping key.
func (r *paceChipRun) mapBase(peer []byte, fresh paceFresh) []byte {
	other, err := r.v.group.ParseElement(peer)
	if err != nil {
		return nil
	}
	own, err := newSecretOn(r.v.group.Base(), fresh.mapping)
	if err != nil {
		return nil
	}
	defer own.Destroy()
	if own.Element().Equal(other) {
		return nil
	}
	if r.base, err = mapGenerator(r.v.group, r.nonce, own, other); err != nil {
		return nil
	}
	return tlv.Encode(tagMapChip, own.Element().Bytes())
}

// agree answers the third step with the ephemeral key over the mapped generator.
func (r *paceChipRun) agree(peer []byte, fresh paceFresh) []byte {
	other, err := r.v.group.ParseElement(peer)
	if err != nil {
		return nil
	}
	own, err := newSecretOn(r.base, fresh.agreement)
	if err != nil {
		return nil
	}
	defer own.Destroy()
	r.own, r.other = own.Element(), other
	if r.own.Equal(other) {
		return nil
	}
	if r.keys, err = sessionKeys(own, other, r.v.cipher); err != nil {
		return nil
	}
	return tlv.Encode(tagAgreeChip, r.own.Bytes())
}
