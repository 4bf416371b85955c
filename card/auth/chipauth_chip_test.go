package auth

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// TestChipAuthChipRefuses sends the chip's end what no terminal may send.
func TestChipAuthChipRefuses(t *testing.T) {
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	at := apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA4, Data: unhex(t, "800A04007F00070202030202")}
	point := dh.P256().Generator().Bytes()
	ga := func(body ...[]byte) apdu.Command {
		return apdu.Command{INS: 0x86, Data: tlv.Encode(tagDynamic, body...), Le: 256}
	}
	for name, c := range map[string]struct {
		commands []apdu.Command
		want     apdu.Status
	}{
		"another command":   {[]apdu.Command{{INS: 0xB0}}, apdu.INSNotSupported},
		"MSE for PACE":      {[]apdu.Command{{INS: 0x22, P1: 0xC1, P2: 0xA4}}, apdu.WrongP1P2},
		"no MSE":            {[]apdu.Command{ga(tlv.Encode(tagChipAuthKey, point))}, apdu.ConditionsNotSatisfied},
		"empty MSE":         {[]apdu.Command{{INS: 0x22, P1: 0x41, P2: 0xA4}}, apdu.WrongData},
		"stray object":      {[]apdu.Command{{INS: 0x22, P1: 0x41, P2: 0xA4, Data: append(bytes.Clone(at.Data), 0x8F, 0)}}, apdu.WrongData},
		"another suite":     {[]apdu.Command{{INS: 0x22, P1: 0x41, P2: 0xA4, Data: unhex(t, "800A04007F00070202030203")}}, apdu.ReferenceNotFound},
		"no point":          {[]apdu.Command{at, ga()}, apdu.WrongData},
		"point off curve":   {[]apdu.Command{at, ga(tlv.Encode(tagChipAuthKey, make([]byte, 65)))}, apdu.WrongData},
		"two points":        {[]apdu.Command{at, ga(tlv.Encode(tagChipAuthKey, point), tlv.Encode(tagChipAuthKey, point))}, apdu.WrongData},
		"KAT for AES":       {[]apdu.Command{{INS: 0x22, P1: 0x41, P2: 0xA6, Data: tlv.Encode(tagEphemeral, point)}}, apdu.ReferenceNotFound},
		"KAT without point": {[]apdu.Command{{INS: 0x22, P1: 0x41, P2: 0xA6}}, apdu.WrongData},
		"command between":   {[]apdu.Command{at, {INS: 0xB0}, ga(tlv.Encode(tagChipAuthKey, point))}, apdu.ConditionsNotSatisfied},
	} {
		chip, err := NewChipAuthChip(ChipAuthSecret{Protocol: chipAuthOID(suite.AES128), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		var r apdu.Response
		for _, command := range c.commands {
			var keys *sm.Keys
			if r, keys = chip.Process(command); keys != nil {
				t.Errorf("%s: keys", name)
			}
		}
		if r.Status != c.want || chip.Running() {
			t.Errorf("%s: %v, want %v", name, r.Status, c.want)
		}
	}
	if _, err := NewChipAuthChip(ChipAuthSecret{Protocol: arc(oidPACE, 2)}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("%v", err)
	}
}
