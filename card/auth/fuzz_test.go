package auth

import (
	"crypto"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
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

// fuzzCells are one cell of each mapping over a curve and a prime field.
func fuzzCells(t testing.TB) []cell {
	var list []cell
	for _, c := range cells(t) {
		if c.cipher == suite.AES128 && (c.info.ParameterID == 0 || c.info.ParameterID == 12) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b cell) int { return strings.Compare(a.String(), b.String()) })
	if len(list) != 5 {
		t.Fatalf("%d cells", len(list))
	}
	return list
}

// FuzzPACEVariants gives the terminal one answer of the fuzzer's making in each mapping.
// Where PACE comes to an end all the same, both ends have the same keys, and nothing but the
// chip's own proof is taken for one.
func FuzzPACEVariants(f *testing.F) {
	for variant := range byte(5) {
		for _, answer := range []string{"9000", "7C0080008200840086009000", "7C0482028A009000", "7C12861000112233445566778899AABBCCDDEEFF9000", "63C1", "6300"} {
			f.Add(variant, variant, unhex(f, answer))
		}
	}
	list := fuzzCells(f)
	f.Fuzz(func(t *testing.T, variant, step byte, b []byte) {
		answer, err := apdu.ParseResponse(b)
		if err != nil {
			return
		}
		c := list[int(variant)%len(list)]
		p := c.process(t)
		p.alter = func(n int, r *apdu.Response) {
			if n == int(step) {
				*r = answer
			}
		}
		result, err := PACE(t.Context(), p, CAN("123456"), c.info)
		if err != nil {
			if result != nil {
				t.Error("a result and an error")
			}
			return
		}
		if _, err := result.Mapped(lds.ChipAuthKey{Public: c.group.Base()}); err == nil {
			t.Error("a chip without that key has proven it")
		}
		talk(t, result.Channel, p)
	})
}

// FuzzEACChips sends commands of the fuzzer's making to the chip's ends of Terminal
// Authentication in both versions, Chip Authentication version 2 and Restricted
// Identification: nobody gets rights, for nobody has a terminal's key.
func FuzzEACChips(f *testing.F) {
	authority := newAuthority(f, cvc.ECDSASHA256, cvc.NewCHAT(cvc.InspectionSystem, cvc.TerminalRole, cvc.ReadDG3))
	name := tlv.Encode(tagKeyName, []byte("XOCVCA00001"))
	encode := func(c apdu.Command) []byte {
		b, err := c.Encode(true)
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	set := encode(apdu.Command{INS: 0x22, P1: 0x81, P2: 0xB6, Data: name})
	f.Add(set, encode(apdu.Command{INS: 0x2A, P2: 0xBE, Data: authority.key.Others[1].Contents()}), encode(apdu.Command{INS: 0x84, Le: 8}))
	f.Add(set, encode(apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: name}), encode(apdu.Command{INS: 0x82, Data: make([]byte, 64)}))
	f.Add(unhex(f, "002241A40C800A04007F00070202030202"), unhex(f, "00860000047C02800000"), unhex(f, "002241A40C800A04007F00070202050203"))
	key, err := dh.P256().NewPrivateKey(small(dh.P256(), 7))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		ta1 := NewTerminalChip1(authority.chain(), []byte("chip"), []byte("own"))
		ta2 := NewTerminalChip2(authority.chain(), []byte("chip"))
		ca2, err := NewChip2Chip([]byte("announced"), ChipAuthSecret{Protocol: chipAuthOID(suite.AES128), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		ri, err := NewRestrictedChip(ChipAuthSecret{Protocol: arc(oidRestricted, 2, 3), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{one, two, three} {
			c, err := apdu.ParseCommand(b)
			if err != nil {
				continue
			}
			if ta1.Process(c).Status == 0 || ta2.Process(c).Status == 0 || ri.Process(c).Status == 0 {
				t.Errorf("%X is not answered", b)
			}
			if r, keys := ca2.Process(c); keys != nil || r.Status == 0 {
				t.Errorf("%X gives keys", b)
			}
			_, _ = ParseAuxiliary(c.Data)
		}
		for _, ta := range []*TerminalChip{ta1, ta2} {
			if _, done := ta.Rights(); done {
				t.Error("rights without a key")
			}
		}
	})
}

// FuzzEACAnswers gives the terminal's ends of version 2 answers of the fuzzer's making, under
// the protection of the channel: there is no proof without the chip's key.
func FuzzEACAnswers(f *testing.F) {
	f.Add(unhex(f, "9000"), unhex(f, "00112233445566779000"), unhex(f, "7C148108001122334455667782080011223344556677"+"9000"))
	f.Add(unhex(f, "6A88"), unhex(f, "6300"), unhex(f, "7C009000"))
	authority := newAuthority(f, cvc.ECDSASHA256, cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, 8))
	key, err := dh.P256().NewPrivateKey(small(dh.P256(), 7))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		answers := &recited{}
		for _, b := range [][]byte{one, two, three} {
			if r, err := apdu.ParseResponse(b); err == nil {
				answers.list = append(answers.list, r)
			}
		}
		card := &securedChip{chip: sm.NewChip(sm.Derive([]byte("pace"), suite.AES128)), then: answers}
		pace := &PACEResult{Channel: sm.New(card, sm.Derive([]byte("pace"), suite.AES128)), ChipKey: key.Point(), CARs: [][]byte{[]byte("XOCVCA00001")}}
		ta, err := Terminal2(t.Context(), pace, authority.key, dh.P256(), nil, apdu.Limits{})
		if err == nil {
			if _, err := Chip2(t.Context(), ta, lds.ChipAuthKey{Public: key.Point(), Info: lds.ChipAuthInfo{OID: chipAuthOID(suite.AES128)}}); err == nil {
				t.Error("a proof without the key")
			}
		}
		if id, err := Restricted(t.Context(), pace.Channel, arc(oidRestricted, 2, 3), nil, key.Point(), apdu.Limits{}); err == nil && len(id) != crypto.SHA256.Size() {
			t.Errorf("an identifier of %d octets", len(id))
		}
	})
}

// recited answers with a list, over and over.
type recited struct {
	list []apdu.Response
	n    int
}

func (r *recited) Process(apdu.Command) (apdu.Response, *sm.Keys) {
	if len(r.list) == 0 {
		return apdu.Response{Status: apdu.OK}, nil
	}
	answer := r.list[r.n%len(r.list)]
	r.n++
	return answer, nil
}
