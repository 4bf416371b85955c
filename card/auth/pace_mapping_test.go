package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

func newChipEnd(p *process) *sm.Chip { return sm.NewChip(*p.keys) }

// workedPACE is a worked example of Doc 9303-11, or as much of one as its mapping has.
type workedPACE struct {
	ID              string
	Protocol        string `json:"protocol_oid"`
	Domain          int    `json:"domain_parameter_id"`
	NonceKey        string `json:"nonce_key"`
	Encrypted       string `json:"encrypted_nonce"`
	Nonce           string
	TerminalNonce   string `json:"terminal_nonce"` // integrated mapping
	MapTerminal     string `json:"map_terminal_private"`
	MapPublic       string `json:"map_terminal_public"`
	MapChip         string `json:"map_chip_public"`
	Mapped          string `json:"mapped_generator"`
	TerminalPrivate string `json:"ka_terminal_private"`
	TerminalPublic  string `json:"ka_terminal_public"`
	ChipPublic      string `json:"ka_chip_public"`
	Secret          string `json:"shared_secret"`
	Enc             string `json:"session_key_enc"`
	MAC             string `json:"session_key_mac"`
	TerminalToken   string `json:"terminal_token"`
	ChipToken       string `json:"chip_token"`
	EncryptedProof  string `json:"encrypted_chip_auth_data"`
	Proof           string `json:"chip_auth_data"`
	Static          string `json:"static_public_key"`
	MapChipPrivate  string `json:"map_chip_private"` // where the example tells it
	ChipPrivate     string `json:"ka_chip_private"`
	PasswordKey     string `json:"password_key"`
}

// info is the example's variant.
func (e workedPACE) info(t *testing.T) lds.PACEInfo {
	t.Helper()
	info := lds.PACEInfo{Version: 2, ParameterID: e.Domain}
	for s := range strings.SplitSeq(e.Protocol, ".") {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		info.OID = append(info.OID, n)
	}
	return info
}

// exchanges are the commands and answers of the example.
func (e workedPACE) exchanges(t *testing.T, protocol []byte) [][2]string {
	t.Helper()
	dynamic := func(inner ...[]byte) []byte { return tlv.Encode(tagDynamic, inner...) }
	object := func(tag tlv.Tag, value string) []byte { return tlv.Encode(tag, unhex(t, value)) }
	mapping := [2][]byte{object(tagMapOwn, e.TerminalNonce), object(tagMapChip, "")}
	if e.TerminalNonce == "" {
		mapping = [2][]byte{object(tagMapOwn, e.MapPublic), object(tagMapChip, e.MapChip)}
	}
	last := object(tagTokenChip, e.ChipToken)
	if e.EncryptedProof != "" {
		last = append(last, object(tagChipAuth, e.EncryptedProof)...)
	}
	setAT := append(tlv.Encode(tagProtocol, protocol), 0x83, 1, RefMRZ, 0x84, 1, byte(e.Domain))
	steps := []struct {
		command apdu.Command
		answer  []byte
	}{
		{apdu.Command{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: setAT}, nil},
		{apdu.Command{CLA: 0x10, INS: 0x86, Data: dynamic()}, dynamic(object(tagNonce, e.Encrypted))},
		{apdu.Command{CLA: 0x10, INS: 0x86, Data: dynamic(mapping[0])}, dynamic(mapping[1])},
		{apdu.Command{CLA: 0x10, INS: 0x86, Data: dynamic(object(tagAgreeOwn, e.TerminalPublic))}, dynamic(object(tagAgreeChip, e.ChipPublic))},
		{apdu.Command{INS: 0x86, Data: dynamic(object(tagTokenOwn, e.TerminalToken))}, dynamic(last)},
	}
	var list [][2]string
	for i, s := range steps {
		if i > 0 {
			s.command.Le = apdu.MaxShortLe
		}
		b, err := s.command.Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, [2]string{hexOf(b), hexOf(s.answer) + "9000"})
	}
	return list
}

// workedExamples are those of the appendices that these tests replay; of App. G.1 the
// commands are known, too: TestPACEOfAppendixG1.
func workedExamples(t *testing.T) []workedPACE {
	t.Helper()
	var list []workedPACE
	for _, name := range []string{"pace-gm-ecdh", "pace-gm-dh", "pace-im-ecdh", "pace-im-dh", "pace-cam-ecdh"} {
		var file struct{ Cases []workedPACE }
		load(t, testdata.Read(t, "worked/"+name+".json"), &file)
		list = append(list, file.Cases...)
	}
	if len(list) != 5 {
		t.Fatalf("%d examples", len(list))
	}
	return list
}

// TestPACEOfAppendices runs App. G to I at the terminal's end: what is sent, the mapped
// generator, the keys at the end, and the proof of the mapping.
func TestPACEOfAppendices(t *testing.T) {
	for _, e := range workedExamples(t) {
		t.Run(e.ID, func(t *testing.T) {
			v, err := newPACEVariant(e.info(t))
			if err != nil {
				t.Fatal(err)
			}
			keys := sm.Keys{Cipher: suite.AES128, Enc: unhex(t, e.Enc), MAC: unhex(t, e.MAC)}
			card := &handover{script{t: t, exchanges: e.exchanges(t, v.oid)}, process{keys: &keys}}
			fresh := paceFresh{mapping: unhex(t, e.MapTerminal+e.TerminalNonce), agreement: unhex(t, e.TerminalPrivate)}
			run := paceRun{t: card, v: v, key: unhex(t, e.NonceKey), fresh: fresh}
			runSteps(t, &run)
			if !bytes.Equal(run.nonce, unhex(t, e.Nonce)) || !bytes.Equal(run.proof, unhex(t, e.Proof)) {
				t.Errorf("nonce %X, proof %X", run.nonce, run.proof)
			}
			if e.Mapped != "" && !bytes.Equal(run.base.Bytes(), unhex(t, e.Mapped)) {
				t.Errorf("mapped generator %X", run.base.Bytes())
			}
			if !bytes.Equal(run.keys.Enc, keys.Enc) || !bytes.Equal(run.keys.MAC, keys.MAC) {
				t.Errorf("keys %X, %X", run.keys.Enc, run.keys.MAC)
			}
			own, err := newSecretOn(run.base, fresh.agreement)
			if err != nil {
				t.Fatal(err)
			}
			if z, err := own.Agree(run.chip); err != nil || !bytes.Equal(z, unhex(t, e.Secret)) {
				t.Errorf("secret %X, %v", z, err)
			}
			if e.Proof != "" {
				result := &PACEResult{Info: v.info, MappingKey: run.mapping, mapped: true, proof: run.proof}
				static, err := v.group.ParseElement(unhex(t, e.Static))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := result.Mapped(lds.ChipAuthKey{Public: static}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// runSteps runs PACE with the MRZ to its end.
func runSteps(t *testing.T, run *paceRun) {
	t.Helper()
	for i, step := range []func() error{
		func() error { return run.choose(t.Context(), MRZ("x")) },
		func() error { return run.fetchNonce(t.Context()) },
		func() error { return run.mapBase(t.Context()) },
		func() error { return run.agree(t.Context()) },
		func() error { return run.confirm(t.Context(), MRZ("x")) },
	} {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

// TestPACEChipOfAppendices is the chip's end of the examples that tell its keys.
func TestPACEChipOfAppendices(t *testing.T) {
	played := 0
	for _, e := range workedExamples(t) {
		if e.ChipPrivate == "" {
			continue
		}
		played++
		t.Run(e.ID, func(t *testing.T) {
			info := e.info(t)
			v, err := newPACEVariant(info)
			if err != nil {
				t.Fatal(err)
			}
			secret, err := MRZ("T22000129364081251010318").PACESecret()
			if err != nil {
				t.Fatal(err)
			}
			chip, err := NewPACEChip([]lds.PACEInfo{info}, map[byte][]byte{RefMRZ: secret})
			if err != nil {
				t.Fatal(err)
			}
			chip.fresh = paceFresh{nonce: unhex(t, e.Nonce), mapping: unhex(t, e.MapChipPrivate), agreement: unhex(t, e.ChipPrivate)}
			var keys *sm.Keys
			for i, x := range e.exchanges(t, v.oid) {
				c, err := apdu.ParseCommand(unhex(t, x[0]))
				if err != nil {
					t.Fatal(err)
				}
				var r apdu.Response
				if r, keys = chip.Process(c); !bytes.Equal(r.Bytes(), unhex(t, x[1])) {
					t.Fatalf("answer %d is %X, want %s", i, r.Bytes(), x[1])
				}
			}
			if keys == nil || !bytes.Equal(keys.Enc, unhex(t, e.Enc)) || !bytes.Equal(keys.MAC, unhex(t, e.MAC)) {
				t.Errorf("keys %+v", keys)
			}
		})
	}
	if played < 2 {
		t.Errorf("%d examples tell the chip's keys", played)
	}
}

type mappedExample struct {
	Domain          int    `json:"domain_parameter_id"`
	CardAccess      string `json:"card_access"`
	NonceKey        string `json:"nonce_key"`
	MapTerminal     string `json:"map_terminal_private"`
	TerminalPrivate string `json:"ka_terminal_private"`
	Data            string `json:"chip_auth_data"`
	Static          string `json:"static_public_key"`
	Exchanges       [][2]string
}

// TestPACEOfAChipWithCAM replays a German chip: the terminal sends what was sent, and
// takes the proof for the chip's key and for no other.
func TestPACEOfAChipWithCAM(t *testing.T) {
	var file struct{ Cases []mappedExample }
	load(t, testdata.Vectors(t, "worked/pace-cam-ecdh-recording.json"), &file)
	for _, e := range file.Cases {
		infos, err := lds.ParseCardAccess(unhex(t, e.CardAccess))
		if err != nil {
			t.Fatal(err)
		}
		var v paceVariant
		for _, info := range infos.PACE {
			if info.OID.Equal(arc(oidPACE, 6, 2)) {
				if v, err = newPACEVariant(info); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := &script{t: t, exchanges: e.Exchanges[:5]}
		run := paceRun{t: s, v: v, key: unhex(t, e.NonceKey), fresh: paceFresh{mapping: unhex(t, e.MapTerminal), agreement: unhex(t, e.TerminalPrivate)}}
		runSteps(t, &run)
		if !bytes.Equal(run.proof, unhex(t, e.Data)) {
			t.Errorf("chip authentication data %X", run.proof)
		}
		r := &PACEResult{Info: v.info, MappingKey: run.mapping, mapped: true, proof: run.proof}
		static, err := dh.BrainpoolP256r1().ParsePoint(unhex(t, e.Static))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := r.Mapped(lds.ChipAuthKey{Public: static}); err != nil || p.Key.Public != dh.Element(static) {
			t.Errorf("the chip's own key: %v", err)
		}
		if _, err := r.Mapped(lds.ChipAuthKey{Public: dh.BrainpoolP256r1().Generator()}); !errors.Is(err, ErrSignature) {
			t.Errorf("another key: %v", err)
		}
		if _, err := r.Mapped(lds.ChipAuthKey{Public: dh.P256().Generator()}); !errors.Is(err, ErrUnsupported) {
			t.Errorf("another curve: %v", err)
		}
	}
}

// TestMappedLyingChip gives wrong proofs. PACE itself goes on: the channel is good, and
// who is at its other end is not proven.
func TestMappedLyingChip(t *testing.T) {
	info := lds.PACEInfo{OID: arc(oidPACE, 6, 2), Version: 2, ParameterID: 13}
	static, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	other, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"absent":    func(b []byte) []byte { return b[:2+2+8] },
		"damaged":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":       func(b []byte) []byte { b = b[:len(b)-16]; b[2+2+8+1] -= 16; return b },
		"other key": func(b []byte) []byte { return b },
	} {
		key := static
		if name == "other key" {
			key = other
		}
		chip, err := NewPACEChip([]lds.PACEInfo{info}, map[byte][]byte{RefCAN: []byte("123456")}, key)
		if err != nil {
			t.Fatal(err)
		}
		p := &process{chip: lastAnswer{chip, change}}
		r, err := PACE(t.Context(), p, CAN("123456"), info)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := r.Mapped(lds.ChipAuthKey{Public: static.Point()}); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A chip that sends the proof in generic mapping breaks the protocol.
	plain := lds.PACEInfo{OID: arc(oidPACE, 2, 2), Version: 2, ParameterID: 13}
	chip, err := NewPACEChip([]lds.PACEInfo{plain}, map[byte][]byte{RefCAN: []byte("123456")})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{chip: lastAnswer{chip, func(b []byte) []byte {
		return tlv.Encode(tagDynamic, b[2:], tlv.Encode(tagChipAuth, make([]byte, 48)))
	}}}
	if _, err := PACE(t.Context(), p, CAN("123456"), plain); !errors.Is(err, ErrProtocol) {
		t.Errorf("a proof in generic mapping: %v", err)
	}
}

// lastAnswer changes the answer of PACE's last step, which has its template to itself.
type lastAnswer struct {
	chip   *PACEChip
	change func([]byte) []byte
}

func (l lastAnswer) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	r, keys := l.chip.Process(c)
	if keys != nil {
		b := l.change(r.Data)
		b[1] = byte(len(b) - 2)
		r.Data = b
	}
	return r, keys
}

func hexOf(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
