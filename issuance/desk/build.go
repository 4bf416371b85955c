package desk

import (
	"encoding/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance/perso"
)

// The protocols of the profile's chips (Doc 9303-11 §9.2).
var (
	oidPACE     = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2} // ECDH, generic mapping, AES-128
	oidChip     = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2} // ECDH, AES-128
	oidChipKey  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	oidTerminal = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 2}
	oidPlain    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3} // ecdsa-plain-SHA256
)

// brainpoolP256r1 by the number of the standardised domain parameters.
const paceParameters = 13

// prepared is what the first versions sealed about what they would sign.
type prepared struct {
	Files map[string][]byte `json:",omitempty"` // by name
}

// files are all but the SOD, by name: about the person, about the chip, and EF.COM.
func (m *making) files(keys perso.PublicKeys) (map[string][]byte, error) {
	groups, err := m.draft.groups()
	if err != nil {
		return nil, err
	}
	infos, access, err := m.infos(keys)
	if err != nil {
		return nil, err
	}
	if groups[lds.DG14], err = lds.EncodeDG14(infos); err != nil {
		return nil, err
	}
	if keys.AA != nil {
		if groups[lds.DG15], err = lds.EncodeDG15(cert.PublicKey{EC: keys.AA}); err != nil {
			return nil, err
		}
	}
	com := lds.Common{Version: "0108", Unicode: "040000"}
	for _, f := range lds.Files() {
		if groups[f] != nil {
			com.Groups = append(com.Groups, f)
		}
	}
	files := map[string][]byte{lds.COM.Name(): lds.EncodeCOM(com)}
	for f, b := range groups {
		files[f.Name()] = b
	}
	if access != nil {
		files[lds.CardAccess.Name()] = access
	}
	return files, nil
}

// infos are what the chip says it can do, signed in DG14, and EF.CardAccess, nil for a
// card without PACE.
func (m *making) infos(keys perso.PublicKeys) (lds.SecurityInfos, []byte, error) {
	protocol := oidChip
	if m.driver.Agreement != nil {
		protocol = m.driver.Agreement
	}
	infos := lds.SecurityInfos{
		Chip:     []lds.ChipAuthInfo{{OID: protocol, Version: 1}},
		ChipKeys: []lds.ChipAuthPublicKey{{OID: oidChipKey, Key: cert.PublicKey{EC: keys.CA}}},
	}
	if m.Trust != nil {
		infos.Terminal = []lds.TerminalAuthInfo{{OID: oidTerminal, Version: 1}}
	}
	if keys.AA != nil {
		infos.Active = []lds.ActiveAuthInfo{{Version: 1, Algorithm: oidPlain}}
	}
	if m.BACOnly {
		return infos, nil, nil
	}
	pace := []lds.PACEInfo{{OID: oidPACE, Version: 2, ParameterID: paceParameters}}
	infos.PACE = pace
	access, err := lds.EncodeSecurityInfos(lds.SecurityInfos{PACE: pace, Chip: infos.Chip})
	return infos, access, err
}
