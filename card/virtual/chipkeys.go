package virtual

import (
	"encoding/asn1"
	"math/big"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
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
	static := m.mappingKeys()
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
	secrets := m.chipSecrets(m.infos())
	chip, err := auth.NewChipAuthChip(secrets...)
	if err != nil || len(secrets) == 0 {
		return nil
	}
	return chip
}

// chipSecrets are the chip's keys in the variants of Chip Authentication that infos lists.
func (m *image) chipSecrets(infos *lds.SecurityInfos) []auth.ChipAuthSecret {
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
	return secrets
}

// cardSecurity is what EF.CardSecurity says, nil without one that can be read.
func (m *image) cardSecurity() *lds.SecurityInfos {
	f := m.files[gp.DGICardSecurity]
	if f == nil {
		return nil
	}
	signed, err := lds.ParseCardSecurity(f.data)
	if err != nil {
		return nil
	}
	return signed.Infos
}

// mappingKeys are the keys that may serve Chip Authentication Mapping: first those of
// EF.CardSecurity, then the others.
func (m *image) mappingKeys() []*dh.PrivateKey {
	var named, others []*dh.PrivateKey
	infos := m.cardSecurity()
	for _, k := range m.agreements() {
		key, ok := k.(*dh.PrivateKey)
		switch {
		case !ok:
		case infos != nil && slices.ContainsFunc(infos.ChipKeys, func(p lds.ChipAuthPublicKey) bool {
			e := p.Key.Element()
			return e != nil && key.Point().Equal(e)
		}):
			named = append(named, key)
		default:
			others = append(others, key)
		}
	}
	return append(named, others...)
}

// internalAuthenticate serves Active Authentication (Doc 9303-11 §6.1) within a session.
func (d *document) internalAuthenticate(cmd apdu.Command) apdu.Response {
	if d.active == nil {
		d.active = d.c.image.activeChip()
	}
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

// derSignature is a plain signature r‖s as a SEQUENCE of two INTEGERs.
func derSignature(plain []byte) []byte {
	half := len(plain) / 2
	der, err := asn1.Marshal([]*big.Int{new(big.Int).SetBytes(plain[:half]), new(big.Int).SetBytes(plain[half:])})
	if err != nil {
		return nil
	}
	return der
}
