package auth

import (
	"crypto"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

// FuzzPACEAnswer gives the terminal one answer of the fuzzer's making. Where PACE comes to
// an end all the same, both ends have the same keys.
func FuzzPACEAnswer(f *testing.F) {
	for _, x := range appendixG1(f).Exchanges {
		for step := range byte(5) {
			f.Add(step, unhex(f, x[1]))
		}
	}
	var file struct {
		Cases []struct{ Exchanges [][2]string }
	}
	load(f, testdata.Read(f, "worked/pace-bad-chips.json"), &file)
	for _, c := range file.Cases {
		last := len(c.Exchanges) - 1
		f.Add(byte(last), unhex(f, c.Exchanges[last][1]))
	}
	f.Fuzz(func(t *testing.T, step byte, b []byte) {
		answer, err := apdu.ParseResponse(b)
		if err != nil {
			return
		}
		p := newPACEProcess(t, CAN("123456"), infoG1())
		p.alter = func(n int, r *apdu.Response) {
			if n == int(step) {
				*r = answer
			}
		}
		result, err := PACE(t.Context(), p, CAN("123456"), infoG1())
		if err != nil {
			if result != nil {
				t.Error("a result and an error")
			}
			return
		}
		talk(t, result.Channel, p)
	})
}

// FuzzChips sends commands of the fuzzer's making to all ends of a chip. Those of PACE and
// BAC may not give out keys: nobody knows the secrets.
func FuzzChips(f *testing.F) {
	for _, x := range appendixG1(f).Exchanges {
		f.Add(unhex(f, x[0]), unhex(f, x[0]))
	}
	f.Add(unhex(f, "0022C1A412800A04007F0007020204020283010184010D"), unhex(f, "10860000027C0000"))
	f.Add(unhex(f, "0084000008"), unhex(f, "0082000028"+appendixD(f).Data+"28"))
	f.Add(unhex(f, "002241A40C800A04007F00070202030202"), unhex(f, "00860000047C02800000"))
	f.Add(unhex(f, "0088000008010203040506070800"), unhex(f, "002241A6029100"))
	secret := []byte("fuzzers don't know this")
	key, err := dh.P256().NewPrivateKey(small(dh.P256(), 7))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		ca, err := NewChipAuthChip(ChipAuthSecret{Protocol: chipAuthOID(suite.AES128), Key: key}, ChipAuthSecret{Protocol: chipAuthOID(suite.TDES), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		aa, err := NewActiveChip(key, crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		pace, err := NewPACEChip([]lds.PACEInfo{infoG1()}, map[byte][]byte{RefMRZ: secret, RefCAN: secret})
		if err != nil {
			t.Fatal(err)
		}
		bac := NewBACChip(secret[:16])
		for _, b := range [][]byte{first, second} {
			c, err := apdu.ParseCommand(b)
			if err != nil {
				continue
			}
			if r, keys := pace.Process(c); keys != nil || r.Status == 0 {
				t.Errorf("PACE: %X is answered with %v", b, r.Status)
			}
			if r, keys := ca.Process(c); r.Status == 0 || keys != nil && r.Status != apdu.OK {
				t.Errorf("CA: %X is answered with %v", b, r.Status)
			}
			if r := aa.Process(c); (r.Data != nil) != (r.Status == apdu.OK) {
				t.Errorf("AA: %X is answered with %v", b, r.Status)
			}
			if r, keys := bac.Process(c); keys != nil || r.Status == 0 {
				t.Errorf("BAC: %X is answered with %v", b, r.Status)
			}
		}
	})
}
