package auth

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// TestPACEChipRefuses sends the chip's end what no terminal may send.
func TestPACEChipRefuses(t *testing.T) {
	secret := []byte("123456")
	fresh := func() *PACEChip {
		chip, err := NewPACEChip([]lds.PACEInfo{infoG1()}, map[byte][]byte{RefCAN: secret})
		if err != nil {
			t.Fatal(err)
		}
		return chip
	}
	set := apdu.Command{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: unhex(t, "800A04007F0007020204020283010284010D")}
	first := apdu.Command{CLA: 0x10, INS: 0x86, Data: unhex(t, "7C00"), Le: 256}
	for name, c := range map[string]struct {
		commands []apdu.Command
		want     apdu.Status
	}{
		"another command":          {[]apdu.Command{{INS: 0xB0, Le: 4}}, apdu.INSNotSupported},
		"no MSE":                   {[]apdu.Command{first}, apdu.ConditionsNotSatisfied},
		"MSE for CA":               {[]apdu.Command{{INS: 0x22, P1: 0x41, P2: 0xA4, Data: set.Data}}, apdu.WrongP1P2},
		"MSE without password":     {[]apdu.Command{{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: set.Data[:12]}}, apdu.ReferenceNotFound},
		"MSE with another curve":   {[]apdu.Command{{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: append(bytes.Clone(set.Data[:17]), 12)}}, apdu.WrongData},
		"MSE with another suite":   {[]apdu.Command{{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: unhex(t, "800A04007F0007020204020383010284010D")}}, apdu.WrongData},
		"MSE with a stray object":  {[]apdu.Command{{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: append(bytes.Clone(set.Data), 0x8F, 0)}}, apdu.WrongData},
		"MSE cut":                  {[]apdu.Command{{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: set.Data[:17]}}, apdu.WrongData},
		"step without template":    {[]apdu.Command{set, {CLA: 0x10, INS: 0x86, Le: 256}}, apdu.WrongData},
		"wrong step":               {[]apdu.Command{set, first, {CLA: 0x10, INS: 0x86, Data: tlv.Encode(tagDynamic, tlv.Encode(tagAgreeOwn, dh.BrainpoolP256r1().Generator().Bytes())), Le: 256}}, apdu.WrongData},
		"mapping key off curve":    {[]apdu.Command{set, first, {CLA: 0x10, INS: 0x86, Data: tlv.Encode(tagDynamic, tlv.Encode(tagMapOwn, make([]byte, 65))), Le: 256}}, apdu.WrongData},
		"step after a failed step": {[]apdu.Command{set, {CLA: 0x10, INS: 0x86, Le: 256}, first}, apdu.ConditionsNotSatisfied},
	} {
		chip := fresh()
		var r apdu.Response
		for _, command := range c.commands {
			var keys *sm.Keys
			if r, keys = chip.Process(command); keys != nil {
				t.Errorf("%s: keys", name)
			}
		}
		if r.Status != c.want || chip.Running() {
			t.Errorf("%s: %v, want %v; running %v", name, r.Status, c.want, chip.Running())
		}
	}
	chip := fresh()
	set.Data = set.Data[:15] // without domain parameters, which are unambiguous
	if r, _ := chip.Process(set); r.Status != apdu.OK || chip.Reference() != RefCAN {
		t.Errorf("MSE without domain parameters: %v", r.Status)
	}
	if _, err := NewPACEChip([]lds.PACEInfo{{}}, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("chip without a variant: %v", err)
	}
}
