package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// paceChip makes the chip's end of the variants of PACE in EF.CardAccess that it can run,
// and those variants; nil if there are none or no secrets.
func (m *image) paceChip() (*auth.PACEChip, []lds.PACEInfo) {
	secrets := map[byte][]byte{}
	for ref, dgi := range map[byte]uint16{auth.RefMRZ: gp.DGIPACEMRZ, auth.RefCAN: gp.DGIPACECAN} {
		if s := m.secrets[dgi]; s != nil {
			secrets[ref] = s
		}
	}
	access := m.files[fidCardAccess]
	if len(secrets) == 0 || access == nil {
		return nil, nil
	}
	infos, err := lds.ParseCardAccess(access.data)
	if err != nil {
		return nil, nil
	}
	var usable []lds.PACEInfo
	for _, info := range infos.PACE {
		if _, err := auth.NewPACEChip([]lds.PACEInfo{info}, secrets); err == nil {
			usable = append(usable, info)
		}
	}
	chip, err := auth.NewPACEChip(usable, secrets)
	if err != nil || len(usable) == 0 {
		return nil, nil
	}
	return chip, usable
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

// chipAuthChip makes the chip's end of Chip Authentication in every variant of DG14 whose
// key is on the curve of the chip's key pair, nil if there is none.
func (m *image) chipAuthChip() *auth.ChipAuthChip {
	p, infos := m.pairs[gp.KeyCA], m.infos()
	if p == nil || infos == nil {
		return nil
	}
	var secrets []auth.ChipAuthSecret
	for _, k := range infos.ChipAuthKeys() {
		s := auth.ChipAuthSecret{Protocol: k.Info.OID, KeyID: k.KeyID, Key: p.key}
		if _, err := auth.NewChipAuthChip(s); err == nil && k.Public.Group() == dh.Group(p.key.Point().Curve()) {
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
	if r.Status == apdu.OK {
		d.c.worked(d.c.image.pairs[gp.KeyAA].key.Point().Curve(), sign)
	}
	return r
}

// chipAuthentication serves Chip Authentication (Doc 9303-11 §6.2) within a session.
func (d *document) chipAuthentication(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	switch {
	case d.agree != nil:
		r, keys := d.agree.Process(cmd)
		if keys != nil {
			d.c.worked(d.c.image.pairs[gp.KeyCA].key.Point().Curve(), agree)
		}
		return r, keys
	case cmd.INS == 0x22:
		return apdu.Response{Status: apdu.ReferenceNotFound}, nil
	}
	return apdu.Response{Status: apdu.INSNotSupported}, nil
}
