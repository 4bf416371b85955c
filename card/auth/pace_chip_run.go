package auth

import (
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// paceChipRun is the chip's state between the steps.
type paceChipRun struct {
	v     paceVariant
	ref   byte
	next  int // step of GENERAL AUTHENTICATE, from 1
	nonce []byte
	data  []byte     // Chip Authentication Data
	base  dh.Element // the mapped generator
	own   dh.Element
	other dh.Element
	keys  sm.Keys
}

// drawNonce answers the first step; nil is a failure, as in all steps.
func (r *paceChipRun) drawNonce(secret []byte, fresh paceFresh) []byte {
	r.nonce = draw(fresh.nonce, r.v.nonceSize())
	key := suite.KDF(secret, suite.CounterPACE, r.v.cipher)
	defer clear(key)
	z, err := r.v.cipher.Encrypt(key, nil, r.nonce)
	if err != nil {
		return nil
	}
	return tlv.Encode(tagNonce, z)
}

// mapBase answers the second step: with the mapping key, or with integrated mapping with
// nothing in its place. With Chip Authentication Mapping the key is divided by the static
// one.
func (r *paceChipRun) mapBase(peer []byte, static *dh.PrivateKey, fresh paceFresh) []byte {
	if r.v.mapping == integrated {
		return r.mapNonces(peer)
	}
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
	if r.v.mapping == chipAuth {
		if r.data, err = own.(*dh.PrivateKey).Over(static); err != nil {
			return nil
		}
	}
	return tlv.Encode(tagMapChip, own.Element().Bytes())
}

func (r *paceChipRun) mapNonces(t []byte) (body []byte) {
	if len(t) != r.v.cipher.KeySize() {
		return nil
	}
	var err error
	if r.base, err = r.v.mapIntegrated(r.nonce, t); err != nil {
		return nil
	}
	return tlv.Encode(tagMapChip)
}

// confirm answers the fourth step with our token, the names of the CVCA keys for a
// terminal that asked for rights, and the proof of Chip Authentication Mapping.
func (r *paceChipRun) confirm(p *PACEChip) []byte {
	token, err := r.v.token(r.keys.MAC, r.other)
	if err != nil {
		return nil
	}
	body := tlv.Encode(tagTokenChip, token)
	if p.chat != nil {
		for i, car := range p.cars {
			body = tlv.Append(body, tagCAR+tlv.Tag(i), car)
		}
	}
	if r.v.mapping != chipAuth {
		return body
	}
	iv, err := proofIV(r.keys)
	if err != nil {
		return nil
	}
	proof, err := r.v.cipher.Encrypt(r.keys.Enc, iv, suite.Pad(r.data, r.v.cipher.BlockSize()))
	if err != nil {
		return nil
	}
	return tlv.Append(body, tagChipAuth, proof)
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
