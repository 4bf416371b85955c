package virtual

import (
	"encoding/asn1"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/sm"
)

// restrictedRight is the right of an authentication terminal to Restricted Identification.
var restrictedRight = rule{authority, 2}

// manage serves MSE and GENERAL AUTHENTICATE within a session, which open PACE with another
// password, Chip Authentication of either version, Terminal Authentication and Restricted
// Identification. An MSE ends what another had begun.
func (d *document) manage(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	if cmd.INS == 0x86 {
		return d.goOn(cmd)
	}
	d.drop()
	switch {
	case isPACE(cmd):
		return d.setPACE(cmd), nil
	case isTerminal(cmd):
		return d.terminalAuthentication(cmd), nil
	case isRestricted(cmd):
		return d.restrictedIdentification(cmd), nil
	}
	return d.chipAuthentication(cmd)
}

// drop ends what an MSE has begun. Terminal Authentication goes on over several.
func (d *document) drop() {
	if d.pace != nil {
		d.pace.Reset()
	}
	if d.agree != nil {
		d.agree.Reset()
	}
	if d.eac.third != nil {
		d.eac.third.Reset()
	}
	d.eac.second, d.eac.restricted = nil, nil
}

// goOn serves GENERAL AUTHENTICATE for what the last MSE has begun.
func (d *document) goOn(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	switch {
	case d.pace != nil && d.pace.Running():
		return d.runPACE(cmd)
	case d.eac.restricted != nil:
		return d.restrictedIdentification(cmd), nil
	}
	return d.chipAuthentication(cmd)
}

// chipAuthentication serves Chip Authentication: versions 2 and 3 (TR-03110-2 §3.4, §3.5)
// once a terminal of version 2 is authenticated, else version 1 (Doc 9303-11 §6.2).
func (d *document) chipAuthentication(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	if t := d.eac.terminal; t != nil && t.Announced() != nil {
		if r, keys, ok := d.thirdAuthentication(cmd); ok {
			return r, keys
		}
		return d.secondAuthentication(cmd)
	}
	switch {
	case d.agree != nil:
		r, keys := d.agree.Process(cmd)
		if keys != nil {
			d.agreed()
		}
		return r, keys
	case cmd.INS == 0x22:
		return apdu.Response{Status: apdu.ReferenceNotFound}, nil
	}
	return apdu.Response{Status: apdu.INSNotSupported}, nil
}

// secondAuthentication serves version 2 with the keys of EF.CardSecurity, or of DG14 where
// there is none. The terminal's rights come into force with it.
func (d *document) secondAuthentication(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	if cmd.INS == 0x22 {
		infos := d.c.image.cardSecurity()
		if infos == nil {
			infos = d.c.image.infos()
		}
		chip, err := auth.NewChip2Chip(d.eac.terminal.Announced(), d.c.image.chipSecrets(infos)...)
		if err != nil {
			return apdu.Response{Status: apdu.ReferenceNotFound}, nil
		}
		d.eac.second = chip
	}
	if d.eac.second == nil {
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
	}
	r, keys := d.eac.second.Process(cmd)
	if keys != nil {
		d.agreementWork(cmd)
		d.eac.second, d.eac.proven = nil, true
	}
	return r, keys
}

// isRestricted says whether an MSE:Set AT is for Restricted Identification.
func isRestricted(cmd apdu.Command) bool {
	s := tlv.String(cmd.Data)
	var oid tlv.String
	protocol, err := asn1.Marshal(asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 5})
	return cmd.P1 == 0x41 && cmd.P2 == 0xA4 && s.ReadTag(0x80, &oid) && err == nil &&
		len(oid) > len(protocol)-2 && string(oid[:len(protocol)-2]) == string(protocol[2:])
}

// restrictedIdentification serves Restricted Identification (TR-03110-2) for a terminal
// with the right to it.
func (d *document) restrictedIdentification(cmd apdu.Command) apdu.Response {
	if !d.granted(restrictedRight) {
		return apdu.Response{Status: apdu.SecurityStatus}
	}
	if cmd.INS == 0x22 {
		var secrets []auth.ChipAuthSecret
		for _, g := range d.c.image.given {
			if g.use == useRestricted {
				secrets = append(secrets, auth.ChipAuthSecret{Protocol: g.name.Protocol, KeyID: g.name.KeyID, Key: g.secret})
			}
		}
		chip, err := auth.NewRestrictedChip(secrets...)
		if err != nil {
			return apdu.Response{Status: apdu.ReferenceNotFound}
		}
		d.eac.restricted = chip
	}
	r := d.eac.restricted.Process(cmd)
	if cmd.INS != 0x22 {
		if r.Status == apdu.OK {
			d.agreementWork(cmd)
		}
		d.eac.restricted = nil
	}
	return r
}
