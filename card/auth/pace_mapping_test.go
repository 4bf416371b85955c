package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
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

type integratedExample struct {
	ID              string
	Domain          int    `json:"domain_parameter_id"`
	NonceKey        string `json:"nonce_key"`
	Encrypted       string `json:"encrypted_nonce"`
	Nonce           string
	TerminalNonce   string `json:"terminal_nonce"`
	Mapped          string `json:"mapped_generator"`
	TerminalPrivate string `json:"ka_terminal_private"`
	TerminalPublic  string `json:"ka_terminal_public"`
	ChipPublic      string `json:"ka_chip_public"`
	Enc             string `json:"session_key_enc"`
	MAC             string `json:"session_key_mac"`
	TerminalToken   string `json:"terminal_token"`
	ChipToken       string `json:"chip_token"`
}

// TestPACEOfAppendixH1 runs Doc 9303-11 App. H.1 at the terminal's end: what is sent, and
// the keys at the end.
func TestPACEOfAppendixH1(t *testing.T) {
	var file struct{ Cases []integratedExample }
	load(t, testdata.Read(t, "worked/pace-im-ecdh.json"), &file)
	for _, e := range file.Cases {
		group, err := dh.GroupByID(e.Domain)
		if err != nil {
			t.Fatal(err)
		}
		info := lds.PACEInfo{OID: arc(oidPACE, 4, 2), Version: 2, ParameterID: e.Domain}
		v, err := newPACEVariant(info)
		if err != nil {
			t.Fatal(err)
		}
		if z, err := v.cipher.Decrypt(unhex(t, e.NonceKey), nil, unhex(t, e.Encrypted)); err != nil || !bytes.Equal(z, unhex(t, e.Nonce)) {
			t.Errorf("nonce %X, %v", z, err)
		}
		if g, err := v.mapIntegrated(unhex(t, e.Nonce), unhex(t, e.TerminalNonce)); err != nil || !bytes.Equal(g.Bytes(), unhex(t, e.Mapped)) {
			t.Errorf("mapped generator: %v", err)
		}
		exchange := func(tag tlv.Tag, value string) string {
			return hexOf(tlv.Encode(tagDynamic, tlv.Encode(tag, unhex(t, value))))
		}
		answers := []string{"", exchange(tagNonce, e.Encrypted), "7C028200", exchange(tagAgreeChip, e.ChipPublic), exchange(tagTokenChip, e.ChipToken)}
		wants := []string{"800A04007F00070202040402830101" + "84010D", "7C00", exchange(tagMapOwn, e.TerminalNonce), exchange(tagAgreeOwn, e.TerminalPublic), exchange(tagTokenOwn, e.TerminalToken)}
		keys := sm.Keys{Cipher: suite.AES128, Enc: unhex(t, e.Enc), MAC: unhex(t, e.MAC)}
		var exchanges [][2]string
		for i := range wants {
			c := apdu.Command{CLA: 0x10, INS: 0x86, Data: unhex(t, wants[i]), Le: 256}
			switch i {
			case 0:
				c = apdu.Command{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: unhex(t, wants[i])}
			case 4:
				c.CLA = 0
			}
			b, err := c.Encode(false)
			if err != nil {
				t.Fatal(err)
			}
			exchanges = append(exchanges, [2]string{hexOf(b), answers[i] + "9000"})
		}
		card := &handover{script{t: t, exchanges: exchanges}, process{keys: &keys}}
		fresh := paceFresh{mapping: unhex(t, e.TerminalNonce), agreement: unhex(t, e.TerminalPrivate)}
		run := paceRun{t: card, v: v, key: unhex(t, e.NonceKey), fresh: fresh}
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
		if !bytes.Equal(run.keys.Enc, keys.Enc) || !bytes.Equal(run.keys.MAC, keys.MAC) || group != run.v.group {
			t.Errorf("keys %X, %X", run.keys.Enc, run.keys.MAC)
		}
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
