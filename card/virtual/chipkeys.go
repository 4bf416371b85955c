package virtual

import (
	"encoding/asn1"
	"math/big"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// passwordDGIs are where the secrets of PACE lie, by password reference.
var passwordDGIs = map[byte]uint16{
	auth.RefMRZ: gp.DGIPACEMRZ, auth.RefCAN: gp.DGIPACECAN, auth.RefPIN: gp.DGIPACEPIN, auth.RefPUK: gp.DGIPACEPUK,
}

// paceChip makes the chip's end of the variants of PACE in EF.CardAccess that it can run,
// nil if there are none or no secrets.
func (m *image) paceChip() *auth.PACEChip {
	secrets := map[byte][]byte{}
	for ref, dgi := range passwordDGIs {
		if s := m.secrets[dgi]; s != nil {
			secrets[ref] = s
		}
	}
	access := m.files[fidCardAccess]
	if len(secrets) == 0 || access == nil {
		return nil
	}
	infos, err := lds.ParseCardAccess(access.data)
	if err != nil {
		return nil
	}
	var static []*dh.PrivateKey // for Chip Authentication Mapping
	for _, k := range m.agreements() {
		if k, ok := k.(*dh.PrivateKey); ok {
			static = append(static, k)
		}
	}
	var usable []lds.PACEInfo
	for _, info := range infos.PACE {
		if _, err := auth.NewPACEChip([]lds.PACEInfo{info}, secrets, static...); err == nil {
			usable = append(usable, info)
		}
	}
	chip, err := auth.NewPACEChip(usable, secrets, static...)
	if err != nil || len(usable) == 0 {
		return nil
	}
	return chip
}

// infos are what DG14 says, nil without one that can be read.
func (m *image) infos() *lds.SecurityInfos {
	f := m.files[fidDG14]
	if f == nil {
		return nil
	}
	infos, err := lds.ParseDG14(f.data)
	if err != nil {
		return nil
	}
	return infos
}

// activeChip makes the chip's end of Active Authentication, nil without a key.
func (m *image) activeChip() *auth.ActiveChip {
	if g := m.activeRSA(); g != nil {
		chip, err := auth.NewActiveChipRSA(g.rsa, g.hash)
		if err != nil {
			return nil
		}
		return chip
	}
	p := m.pairs[gp.KeyAA]
	if p == nil {
		return nil
	}
	hash, _, err := auth.ActiveHash(m.infos(), p.key.Point())
	if err != nil {
		return nil
	}
	chip, err := auth.NewActiveChip(p.key, hash)
	if err != nil {
		return nil
	}
	return chip
}

func (m *image) activeRSA() *given {
	for i := range m.given {
		if m.given[i].use == useActive {
			return &m.given[i]
		}
	}
	return nil
}

// chipAuthChip makes the chip's end of Chip Authentication in every variant of DG14 that
// it has a key for, nil if there is none.
func (m *image) chipAuthChip() *auth.ChipAuthChip {
	infos := m.infos()
	if infos == nil {
		return nil
	}
	keys, err := auth.ChipAuthKeys(infos)
	if err != nil {
		return nil
	}
	var secrets []auth.ChipAuthSecret
	for _, k := range keys {
		key := m.holder(k.Public)
		if key == nil {
			continue
		}
		s := auth.ChipAuthSecret{Protocol: k.Info.OID, KeyID: k.KeyID, Key: key}
		if _, err := auth.NewChipAuthChip(s); err == nil {
			secrets = append(secrets, s)
		}
	}
	chip, err := auth.NewChipAuthChip(secrets...)
	if err != nil || len(secrets) == 0 {
		return nil
	}
	return chip
}

// internalAuthenticate serves Active Authentication (Doc 9303-11 §6.1) within a session.
func (d *document) internalAuthenticate(cmd apdu.Command) apdu.Response {
	if d.active == nil || d.application != aidLDS1 {
		return apdu.Response{Status: apdu.INSNotSupported}
	}
	r := d.active.Process(cmd)
	g := d.c.image.activeRSA()
	switch {
	case r.Status != apdu.OK:
	case g != nil:
		d.c.cost.PublicKey += d.c.model.Keys.rsa(sign, g.rsa.N.BitLen())
	default:
		d.c.worked(d.c.image.pairs[gp.KeyAA].key.Point().Curve(), sign)
		if d.c.image.quirks.DERSignature {
			r.Data = derSignature(r.Data)
		}
	}
	return r
}

// chipAuthentication serves Chip Authentication (Doc 9303-11 §6.2) within a session.
func (d *document) chipAuthentication(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	switch {
	case d.agree != nil:
		r, keys := d.agree.Process(cmd)
		if keys != nil {
			d.agreed(cmd)
		}
		return r, keys
	case cmd.INS == 0x22:
		return apdu.Response{Status: apdu.ReferenceNotFound}, nil
	}
	return apdu.Response{Status: apdu.INSNotSupported}, nil
}

// derSignature is a plain signature r‖s as a SEQUENCE of two INTEGERs.
func derSignature(plain []byte) []byte {
	half := len(plain) / 2
	der, err := asn1.Marshal([]*big.Int{new(big.Int).SetBytes(plain[:half]), new(big.Int).SetBytes(plain[half:])})
	if err != nil {
		return nil
	}
	return der
}
