package virtual

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

// TestMappingProvesTheChip opens a card by Chip Authentication Mapping: its proof fits the
// key of EF.CardSecurity, which can be read after it; a copy's does not.
func TestMappingProvesTheChip(t *testing.T) {
	var file struct {
		Cases []struct {
			CardSecurity string `json:"card_security"`
			Key          string `json:"ca_chip_private"`
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "worked/eac2-ecdh.json"), &file); err != nil {
		t.Fatal(err)
	}
	raw := unhex(t, file.Cases[0].CardSecurity)
	signed, err := lds.ParseCardSecurity(raw)
	if err != nil {
		t.Fatal(err)
	}
	genuine, err := dh.BrainpoolP256r1().NewPrivateKey(unhex(t, file.Cases[0].Key))
	if err != nil {
		t.Fatal(err)
	}
	keys := signed.Infos.ChipAuthKeys()
	u := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	for name, held := range map[string][]dh.Secret{"genuine": {generated(t, dh.BrainpoolP256r1()), genuine}, "copied": {generated(t, dh.BrainpoolP256r1())}} {
		files := documentFiles(t, nil, nil)
		files[lds.CardSecurity], files[lds.DG3] = raw, []byte{0x63, 0}
		info := lds.PACEInfo{OID: paceOID(6, 2), Version: 2, ParameterID: 13}
		if files[lds.CardAccess], err = lds.EncodeSecurityInfos(lds.SecurityInfos{PACE: []lds.PACEInfo{info}}); err != nil {
			t.Fatal(err)
		}
		c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, Keys: held, TrustPoints: [][]byte{u.cvca.Raw}, Limits: extended})
		if err != nil {
			t.Fatal(err)
		}
		r, err := auth.PACE(t.Context(), apdu.Over(c, apdu.Limits{}), auth.CAN(canDigits), info)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := r.Mapped(keys[0])
		if name == "genuine" && err != nil || name == "copied" && !errors.Is(err, auth.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "genuine" { // Terminal Authentication needs no Chip Authentication then
			i := inspected{t, proof, auth.Compress(r.ChipKey)}
			if _, err := r.Channel.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)}); err != nil {
				t.Fatal(err)
			}
			if err := i.authenticate(u, extended); err != nil {
				t.Error(err)
			}
			i.reads(lds.DG3, apdu.EndOfFile)
		}
		c.Reset()
		s, err := card.Open(t.Context(), apdu.Over(c, apdu.Limits{}), card.Options{Passwords: []auth.Password{auth.CAN(canDigits)}})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(s.Access().CardSecurity, raw) {
			t.Errorf("%s: EF.CardSecurity of %d octets", name, len(s.Access().CardSecurity))
		}
		s.Close()
	}
}
