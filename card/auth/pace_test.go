package auth

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

type paceExample struct {
	MRZ            string `json:"mrz_information"`
	NonceKey       string `json:"nonce_key"`
	Nonce          string `json:"nonce"`
	PasswordKey    string `json:"password_key"`
	MapTerminal    string `json:"map_terminal_private"`
	MapChip        string `json:"map_chip_private"`
	AgreeTerminal  string `json:"ka_terminal_private"`
	AgreeChip      string `json:"ka_chip_private"`
	AgreeChipPoint string `json:"ka_chip_public"`
	Enc            string `json:"session_key_enc"`
	MAC            string `json:"session_key_mac"`
	Exchanges      [][2]string
}

func appendixG1(t testing.TB) paceExample {
	t.Helper()
	var file struct{ Cases []paceExample }
	load(t, testdata.Read(t, "worked/pace-gm-ecdh.json"), &file)
	return file.Cases[0]
}

// infoG1 is the PACEInfo of App. G.1: generic mapping, AES-128, brainpoolP256r1.
func infoG1() lds.PACEInfo { return paceInfo(suite.AES128, dh.BrainpoolP256r1()) }

// TestPACEOfAppendixG1 runs Doc 9303-11 App. G.1 at the terminal's end, byte for byte.
func TestPACEOfAppendixG1(t *testing.T) {
	e := appendixG1(t)
	p := MRZ(e.MRZ)
	if k, err := p.PACESecret(); err != nil || !bytes.Equal(k, unhex(t, e.PasswordKey)) {
		t.Errorf("K %X, %v; want %s", k, err, e.PasswordKey)
	}
	if k, err := p.paceKey(suite.AES128); err != nil || !bytes.Equal(k, unhex(t, e.NonceKey)) {
		t.Errorf("K_π %X, %v; want %s", k, err, e.NonceKey)
	}
	exampleKeys := sm.Keys{Cipher: suite.AES128, Enc: unhex(t, e.Enc), MAC: unhex(t, e.MAC)}
	card := &handover{script{t: t, exchanges: e.Exchanges}, process{keys: &exampleKeys}}
	result, err := pace(t.Context(), card, p, infoG1(), PACEOptions{}, paceFresh{mapping: unhex(t, e.MapTerminal), agreement: unhex(t, e.AgreeTerminal)})
	if err != nil {
		t.Fatal(err)
	}
	if n := card.first.sent; n != len(e.Exchanges) || result.Password != "MRZ" || !bytes.Equal(result.ChipKey.Bytes(), unhex(t, e.AgreeChipPoint)) || result.CARs != nil {
		t.Errorf("after %d of %d commands: %s, %X", n, len(e.Exchanges), result.Password, result.ChipKey.Bytes())
	}
	talk(t, result.Channel, &card.then)
}

// handover is a script, and after its end a chip.
type handover struct {
	first script
	then  process
}

func (h *handover) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if h.first.sent < len(h.first.exchanges) {
		return h.first.Transmit(ctx, c)
	}
	return h.then.Transmit(ctx, c)
}

// TestPACEChipOfAppendixG1 is the chip's side of the same example.
func TestPACEChipOfAppendixG1(t *testing.T) {
	e := appendixG1(t)
	chip, err := NewPACEChip([]lds.PACEInfo{infoG1()}, map[byte][]byte{RefMRZ: unhex(t, e.PasswordKey)})
	if err != nil {
		t.Fatal(err)
	}
	chip.fresh = paceFresh{nonce: unhex(t, e.Nonce), mapping: unhex(t, e.MapChip), agreement: unhex(t, e.AgreeChip)}
	var keys *sm.Keys
	for i, x := range e.Exchanges {
		c, err := apdu.ParseCommand(unhex(t, x[0]))
		if err != nil {
			t.Fatal(err)
		}
		var r apdu.Response
		if r, keys = chip.Process(c); !bytes.Equal(r.Bytes(), unhex(t, x[1])) {
			t.Fatalf("answer %d is %X, want %s", i, r.Bytes(), x[1])
		}
		if last := i == len(e.Exchanges)-1; (keys != nil) != last || chip.Running() == last {
			t.Errorf("after answer %d: keys %v, running %v", i, keys != nil, chip.Running())
		}
	}
	if keys.Cipher != suite.AES128 || !bytes.Equal(keys.Enc, unhex(t, e.Enc)) || !bytes.Equal(keys.MAC, unhex(t, e.MAC)) || !bytes.Equal(keys.SSC, make([]byte, 16)) {
		t.Errorf("session keys %X %X, counter %X", keys.Enc, keys.MAC, keys.SSC)
	}
}

// TestPACEBadChips plays the faulty and hostile chips: the terminal stops right after
// the bad answer and has no session.
func TestPACEBadChips(t *testing.T) {
	var file struct {
		Terminal struct {
			MRZ   string `json:"mrz_information"`
			Map   string `json:"map_terminal_private"`
			Agree string `json:"ka_terminal_private"`
		}
		Cases []struct {
			ID, Why          string
			Exchanges        [][2]string
			AbortAfterAnswer int `json:"abort_after_answer"`
		}
	}
	load(t, testdata.Read(t, "worked/pace-bad-chips.json"), &file)
	if len(file.Cases) < 10 {
		t.Fatalf("only %d cases", len(file.Cases))
	}
	fresh := paceFresh{mapping: unhex(t, file.Terminal.Map), agreement: unhex(t, file.Terminal.Agree)}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			s := &script{t: t, exchanges: c.Exchanges}
			result, err := pace(t.Context(), s, MRZ(file.Terminal.MRZ), infoG1(), PACEOptions{}, fresh)
			if result != nil || err == nil || s.sent != c.AbortAfterAnswer+1 {
				t.Errorf("%s: %v after %d answers, want an error after %d", c.Why, err, s.sent, c.AbortAfterAnswer+1)
			}
			if errors.Is(err, ErrWrongPassword) != (c.ID == "pace-token-6300") {
				t.Errorf("%s: %v", c.Why, err)
			}
		})
	}
}

func newPACEProcess(t testing.TB, p Password, infos ...lds.PACEInfo) *process {
	t.Helper()
	secret, err := p.PACESecret()
	if err != nil {
		t.Fatal(err)
	}
	chip, err := NewPACEChip(infos, map[byte][]byte{p.Reference(): secret})
	if err != nil {
		t.Fatal(err)
	}
	return &process{chip: chip}
}

var suites = []suite.Cipher{suite.TDES, suite.AES128, suite.AES192, suite.AES256}

// curves are the ids 8 to 18 of TR-03110-3 table 4.
func curves(t testing.TB) []*dh.Curve {
	t.Helper()
	var all []*dh.Curve
	for id := 8; id <= 18; id++ {
		c, err := dh.ByID(id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// TestPACESelfPlay runs both ends against each other over every suite, curve and
// password, and a session after it.
func TestPACESelfPlay(t *testing.T) {
	for _, curve := range curves(t) {
		for _, c := range suites {
			for _, password := range []Password{CAN("123456"), MRZ(anyMRZ)} {
				t.Run(fmt.Sprintf("%s/%v/%s", curve.Name(), c, password.Name()), func(t *testing.T) {
					t.Parallel()
					info := paceInfo(c, curve)
					p := newPACEProcess(t, password, info)
					result, err := PACE(t.Context(), p, password, info)
					if err != nil {
						t.Fatal(err)
					}
					if p.count != 5 {
						t.Errorf("%d commands, want 5", p.count)
					}
					talk(t, result.Channel, p)
				})
			}
		}
	}
}

func TestPACEWrongPassword(t *testing.T) {
	for _, c := range suites {
		p := newPACEProcess(t, CAN("123456"), paceInfo(c, dh.P256()))
		result, err := PACE(t.Context(), p, CAN("123457"), paceInfo(c, dh.P256()))
		var wrong *PasswordError
		if result != nil || !errors.Is(err, ErrWrongPassword) || !errors.As(err, &wrong) || wrong.Password != "CAN" || p.keys != nil {
			t.Errorf("%v: %v, want ErrWrongPassword for CAN", c, err)
		}
	}
	p := newPACEProcess(t, CAN("123456"), infoG1())
	if _, err := PACE(t.Context(), p, MRZ(anyMRZ), infoG1()); !errors.Is(err, apdu.ReferenceNotFound) || p.count != 1 {
		t.Errorf("password of a kind that the chip lacks: %v after %d commands", err, p.count)
	}
	if _, err := PACE(t.Context(), p, Password{}, infoG1()); !errors.Is(err, ErrPassword) || p.count != 1 {
		t.Errorf("no password: %v", err)
	}
}

func TestPACERefusals(t *testing.T) {
	for _, c := range []struct {
		at     int
		status apdu.Status
		want   error
		left   int
	}{
		{0, apdu.ReferenceNotFound, apdu.ReferenceNotFound, -1},
		{0, apdu.Blocked, ErrBlocked, -1},
		{0, 0x63C0, ErrBlocked, -1},
		{0, 0x63C1, ErrBlocked, -1}, // not spent on a guess
		{0, apdu.AuthenticationFailed, apdu.AuthenticationFailed, -1},
		{1, apdu.SecurityStatus, apdu.SecurityStatus, -1},
		{1, apdu.AuthenticationFailed, apdu.AuthenticationFailed, -1},
		{2, 0x63C2, apdu.VerifyFailed, -1},
		{3, apdu.ConditionsNotSatisfied, apdu.ConditionsNotSatisfied, -1},
		{4, apdu.AuthenticationFailed, ErrWrongPassword, -1},
		{4, 0x63C2, ErrWrongPassword, 2},
		{4, 0x63C0, ErrBlocked, -1},
		{4, apdu.Blocked, ErrBlocked, -1},
		{4, 0x6FFF, apdu.Status(0x6FFF), -1},
	} {
		p := newPACEProcess(t, CAN("123456"), paceInfo(suite.AES128, dh.P256()))
		p.alter = func(n int, r *apdu.Response) {
			if n == c.at {
				*r = apdu.Response{Status: c.status}
			}
		}
		result, err := PACE(t.Context(), p, CAN("123456"), paceInfo(suite.AES128, dh.P256()))
		if result != nil || !errors.Is(err, c.want) || p.count != c.at+1 {
			t.Errorf("%v at command %d: %v after %d commands, want %v", c.status, c.at, err, p.count, c.want)
		}
		if c.want != ErrWrongPassword && errors.Is(err, ErrWrongPassword) {
			t.Errorf("%v at command %d is called a wrong password", c.status, c.at)
		}
		var wrong *PasswordError
		if errors.As(err, &wrong) {
			if left, ok := wrong.TriesLeft(); ok != (c.left >= 0) || ok && left != c.left {
				t.Errorf("%v: %d tries left, %v", c.status, left, ok)
			}
		}
	}
}

// TestPACETriesLeftAtStart goes on after a warning that leaves tries to spare.
func TestPACETriesLeftAtStart(t *testing.T) {
	p := newPACEProcess(t, CAN("123456"), infoG1())
	p.alter = func(n int, r *apdu.Response) {
		if n == 0 {
			r.Status = 0x63C3
		}
	}
	if _, err := PACE(t.Context(), p, CAN("123456"), infoG1()); err != nil {
		t.Error(err)
	}
}

// TestPACELyingChip alters one answer at a time.
func TestPACELyingChip(t *testing.T) {
	info := paceInfo(suite.AES128, dh.P256())
	object := func(tag tlv.Tag, value []byte) []byte { return tlv.Encode(tagDynamic, tlv.Encode(tag, value)) }
	other, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	foreign := dh.BrainpoolP256r1().Generator().Bytes()
	generator := dh.P256().Generator().Bytes()
	offCurve := bytes.Clone(generator)
	offCurve[64] ^= 1
	type lie struct {
		at   int
		name string
		data func(true []byte) []byte
	}
	fixed := func(b []byte) func([]byte) []byte { return func([]byte) []byte { return b } }
	lies := []lie{
		{1, "nonce of 15 octets", fixed(object(tagNonce, make([]byte, 15)))},
		{1, "nonce of 48 octets", fixed(object(tagNonce, make([]byte, 48)))},
		{1, "empty nonce", fixed(object(tagNonce, nil))},
		{1, "nonce under another tag", fixed(object(tagMapChip, make([]byte, 16)))},
		{1, "nonce twice", func(b []byte) []byte { return tlv.Encode(tagDynamic, b[2:], b[2:]) }},
		{1, "octets behind the template", func(b []byte) []byte { return append(bytes.Clone(b), 0) }},
		{1, "no template", fixed(nil)},
		{2, "key of another curve", fixed(object(tagMapChip, foreign))},
		{2, "key off the curve", fixed(object(tagMapChip, offCurve))},
		{2, "compressed key", fixed(object(tagMapChip, append([]byte{2}, generator[1:33]...)))},
		{2, "key cut by an octet", fixed(object(tagMapChip, generator[:64]))},
		{2, "key with an octet more", fixed(object(tagMapChip, append(bytes.Clone(generator), 0)))},
		{2, "empty key", fixed(object(tagMapChip, nil))},
		{3, "key off the curve", fixed(object(tagAgreeChip, offCurve))},
		{3, "another key than the chip's", fixed(object(tagAgreeChip, other.Point().Bytes()))},
		{3, "key under the tag of the step before", fixed(object(tagMapChip, generator))},
		{4, "token of 7 octets", func(b []byte) []byte { return object(tagTokenChip, b[4:11]) }},
		{4, "empty token", fixed(object(tagTokenChip, nil))},
		{4, "unknown object beside the token", func(b []byte) []byte { return tlv.Encode(tagDynamic, b[2:], []byte{0x8A, 1, 0}) }},
	}
	for i := range 8 {
		lies = append(lies, lie{4, fmt.Sprintf("token with octet %d wrong", i), func(b []byte) []byte { c := bytes.Clone(b); c[4+i] ^= 0x80; return c }})
	}
	for _, l := range lies {
		p := newPACEProcess(t, CAN("123456"), info)
		p.alter = func(n int, r *apdu.Response) {
			if n == l.at {
				r.Data = l.data(r.Data)
			}
		}
		result, err := PACE(t.Context(), p, CAN("123456"), info)
		if result != nil || !errors.Is(err, ErrProtocol) && l.name != "another key than the chip's" || err == nil {
			t.Errorf("step %d, %s: %v, want ErrProtocol", l.at, l.name, err)
		}
		if errors.Is(err, ErrProtocol) && p.count != l.at+1 {
			t.Errorf("step %d, %s: %d commands", l.at, l.name, p.count)
		}
	}
}

// TestPACECARs takes the names of CVCA keys that a chip with Terminal Authentication
// adds.
func TestPACECARs(t *testing.T) {
	p := newPACEProcess(t, CAN("123456"), infoG1())
	p.alter = func(n int, r *apdu.Response) {
		if n == 4 {
			r.Data = tlv.Encode(tagDynamic, r.Data[2:], tlv.Encode(tagCAR, []byte("UTCVCA00002")), tlv.Encode(tagEarlierCAR, []byte("UTCVCA00001")))
		}
	}
	result, err := PACE(t.Context(), p, CAN("123456"), infoG1())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s", result.CARs); got != "[UTCVCA00002 UTCVCA00001]" {
		t.Error(got)
	}
}

// TestPACEVariants leaves out what does not exist and puts the best first.
func TestPACEVariants(t *testing.T) {
	of := func(id int, below ...int) lds.PACEInfo {
		return lds.PACEInfo{OID: arc(oidPACE, below...), Version: 2, ParameterID: id}
	}
	missing := []lds.PACEInfo{
		of(2, 2, 2), of(12, 1, 2), // a field for curves, a curve for fields
		of(12, 2, 5), of(12, 2, 0), of(12, 5, 2), of(12, 7, 2), of(12, 2), of(12, 2, 2, 1), // no such suite or protocol
		of(12, 6, 1), of(2, 6, 2), // Chip Authentication Mapping in 3DES, or over a field
		of(10, 4, 2),                                             // P-224 has no point encoding
		of(3, 2, 2), of(19, 2, 2), of(lds.NoParameter, 2, 2), {}, // no such parameters
	}
	best := []lds.PACEInfo{
		of(16, 2, 4), of(12, 2, 4), of(12, 4, 4), of(12, 6, 4), of(2, 1, 4), of(13, 2, 2),
		of(12, 2, 1), of(2, 3, 1), of(0, 1, 1),
	}
	var listed []lds.PACEInfo
	for i := range best {
		listed = append(listed, best[len(best)-1-i])
	}
	got := PACEVariants(append(listed, missing...))
	if len(got) != len(best) {
		t.Fatalf("%v", got)
	}
	for i, info := range got {
		if !info.OID.Equal(best[i].OID) || info.ParameterID != best[i].ParameterID {
			t.Errorf("%d: %v, want %v", i, info, best[i])
		}
	}
	for _, info := range missing {
		p := newPACEProcess(t, CAN("123456"), infoG1())
		if _, err := PACE(t.Context(), p, CAN("123456"), info); !errors.Is(err, ErrUnsupported) || p.count != 0 {
			t.Errorf("%v: %v after %d commands", info, err, p.count)
		}
	}
}

// arc returns the object identifier below another.
func arc(parent asn1.ObjectIdentifier, below ...int) asn1.ObjectIdentifier {
	return append(slices.Clone(parent), below...)
}

// paceInfo is the PACEInfo of generic mapping with a suite and a curve.
func paceInfo(c suite.Cipher, curve *dh.Curve) lds.PACEInfo {
	id, ok := curve.ID()
	if !ok {
		panic(curve.Name())
	}
	return lds.PACEInfo{OID: arc(oidPACE, 2, int(c)), Version: 2, ParameterID: id}
}
