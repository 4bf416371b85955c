package gp

import (
	"bytes"
	"context"
	"crypto/aes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/testdata"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) error {
	*h = make([]byte, hex.DecodedLen(len(b)))
	_, err := hex.Decode(*h, b)
	return err
}

type scpCase struct {
	ID               string
	AID              hexBytes
	Enc              hexBytes `json:"key_enc"`
	MAC              hexBytes `json:"key_mac"`
	DEK              hexBytes `json:"key_dek"`
	HostChallenge    hexBytes `json:"host_challenge"`
	InitUpdate       hexBytes `json:"initialize_update"`
	InitUpdateAnswer hexBytes `json:"initialize_update_response"`
	SEnc             hexBytes `json:"session_key_enc"`
	SMAC             hexBytes `json:"session_key_mac"`
	SRMAC            hexBytes `json:"session_key_rmac"`
	CardCryptogram   hexBytes `json:"card_cryptogram"`
	HostCryptogram   hexBytes `json:"host_cryptogram"`
	Level            hexBytes `json:"security_level"`
	ExtAuth          hexBytes `json:"external_authenticate"`
	Exchanges        []struct {
		Plain, Wrapped  hexBytes
		WrappedResponse hexBytes `json:"wrapped_response"`
		PlainResponse   hexBytes `json:"plain_response"`
		Status          hexBytes
	}
}

func (c scpCase) keys() Keys {
	return Keys{Version: c.InitUpdateAnswer[10], Enc: c.Enc, MAC: c.MAC, DEK: c.DEK}
}

// foreign are the sessions that another implementation made.
//
//go:embed testdata/scp.json
var foreign []byte

// scpCases are the sessions of SCP03 in testdata, which meet every key size, mode, kind of
// challenge and level but 00, where nothing follows that could be compared, and those of the shared vectors where they are here.
func scpCases(t *testing.T) []scpCase {
	t.Helper()
	out := sessions(t, foreign)
	if n := 3 * 2 * 5 * 2; len(out) != n {
		t.Fatalf("%d cases, not %d", len(out), n)
	}
	if os.Getenv("TAMTHE_VECTORS") != "" {
		out = append(out, sessions(t, testdata.Vectors(t, "globalplatform/scp.json"))...)
	}
	return out
}

func sessions(t *testing.T, b []byte) (out []scpCase) {
	t.Helper()
	var f struct{ Cases []scpCase }
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		if strings.HasPrefix(c.ID, "scp03") {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		t.Fatal("no SCP03 cases")
	}
	return out
}

// size is that of challenges and codes, and tail the counter of a pseudo-random challenge.
func (c scpCase) size() int { return len(c.HostChallenge) }

func (c scpCase) sequence() (uint32, bool) {
	tail := c.InitUpdateAnswer[13+2*c.size():]
	if len(tail) != 3 {
		return 0, false
	}
	return uint32(tail[0])<<16 | uint32(tail[1])<<8 | uint32(tail[2]), true
}

// application is the one that answered: in the shared vectors the ISD-R.
func (c scpCase) application() []byte {
	if c.AID != nil {
		return c.AID
	}
	return []byte{0xA0, 0, 0, 5, 0x59, 0x10, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0, 0, 1, 0}
}

// transcript is a card that expects exactly these commands.
type transcript struct {
	t     *testing.T
	turns []turn
}

type turn struct{ command, answer []byte }

func (x *transcript) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	x.t.Helper()
	if len(x.turns) == 0 {
		x.t.Fatalf("unexpected %s", c.Name())
	}
	b, err := c.Encode(false)
	if err != nil {
		x.t.Fatal(err)
	}
	next := x.turns[0]
	x.turns = x.turns[1:]
	if !bytes.Equal(b, next.command) {
		x.t.Fatalf("sent\n%X instead of\n%X", b, next.command)
	}
	return apdu.ParseResponse(next.answer)
}

func TestSessionsOfVectors(t *testing.T) {
	for _, c := range scpCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			s := newSession(c.keys(), c.HostChallenge, c.InitUpdateAnswer[13:13+c.size()])
			for _, k := range []struct {
				name      string
				got, want []byte
			}{
				{"S-ENC", s.enc, c.SEnc},
				{"S-MAC", s.mac, c.SMAC},
				{"S-RMAC", s.rmac, c.SRMAC},
				{"card cryptogram", s.card, c.CardCryptogram},
				{"host cryptogram", s.host, c.HostCryptogram},
			} {
				if !bytes.Equal(k.got, k.want) {
					t.Errorf("%s %X instead of %X", k.name, k.got, k.want)
				}
			}
		})
	}
}

func TestHostSpeaksVectors(t *testing.T) {
	for _, c := range scpCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			x := &transcript{t: t, turns: []turn{
				{c.InitUpdate, append(bytes.Clone(c.InitUpdateAnswer), 0x90, 0)},
				{c.ExtAuth, []byte{0x90, 0}},
			}}
			ctx := t.Context()
			h, err := Initialize(ctx, x, Start{
				Version: c.InitUpdate[2], Challenge: c.HostChallenge, AID: c.application(), Weak: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := c.sequence(); h.Info().I != c.InitUpdateAnswer[12] || h.Info().Sequence != n {
				t.Errorf("info %+v", h.Info())
			}
			ch, err := h.Authenticate(ctx, c.keys(), Level(c.Level[0]))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range c.Exchanges {
				plain, err := apdu.ParseCommand(e.Plain)
				if err != nil {
					t.Fatal(err)
				}
				last := e.WrappedResponse == nil && ch.level.rmac()
				x.turns = []turn{{e.Wrapped, append(bytes.Clone(e.WrappedResponse), 0x90, 0)}}
				if last { // the vectors leave these answers out: an error has no code to check
					x.turns[0].answer = []byte{0x6A, 0x88}
				}
				r, err := ch.Transmit(ctx, plain)
				if err != nil {
					t.Fatal(err)
				}
				if !last && !bytes.Equal(r.Data, e.PlainResponse) {
					t.Errorf("answer %X instead of %X", r.Data, e.PlainResponse)
				}
			}
		})
	}
}

func TestChipSpeaksVectors(t *testing.T) {
	for _, c := range scpCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			chip := NewChip(ChipOptions{
				KDD: KDD(c.InitUpdateAnswer[:10]), I: c.InitUpdateAnswer[12],
				AID:      c.application(),
				Keys:     func(byte) (Keys, bool) { return c.keys(), true },
				Sequence: c.sequence,
			})
			if _, foretold := c.sequence(); foretold {
				if r := chip.Initialize(command(t, c.InitUpdate)); !bytes.Equal(r.Data, c.InitUpdateAnswer) {
					t.Fatalf("INITIALIZE UPDATE: %X instead of %X", r.Data, []byte(c.InitUpdateAnswer))
				}
			} else { // the case's random challenge, in place of the chip's own
				chip.keys = c.keys().Clone()
				chip.secure = secure{session: newSession(c.keys(), c.HostChallenge, c.InitUpdateAnswer[13:13+c.size()])}
				if !bytes.Equal(chip.session.card, c.CardCryptogram) {
					t.Fatal("card cryptogram")
				}
			}
			if r := chip.Authenticate(command(t, c.ExtAuth)); r.Status != apdu.OK {
				t.Fatalf("EXTERNAL AUTHENTICATE: %v", r.Status)
			}
			for _, e := range c.Exchanges {
				got, err := chip.Open(command(t, e.Wrapped))
				if err != nil {
					t.Fatal(err)
				}
				if b, _ := got.Encode(false); !bytes.Equal(b, e.Plain) {
					t.Fatalf("opened %X instead of %X", b, []byte(e.Plain))
				}
				r, err := chip.Seal(apdu.Response{Data: e.PlainResponse, Status: apdu.OK})
				if err != nil {
					t.Fatal(err)
				}
				if e.WrappedResponse != nil && !bytes.Equal(r.Data, e.WrappedResponse) {
					t.Errorf("sealed %X instead of %X", r.Data, []byte(e.WrappedResponse))
				}
			}
		})
	}
}

func command(t *testing.T, b []byte) apdu.Command {
	t.Helper()
	c, err := apdu.ParseCommand(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDiversifyVectors(t *testing.T) {
	var f struct {
		Cases []struct {
			ID, Template string
			Master       hexBytes `json:"master_key"`
			KDD          hexBytes `json:"diversification_data"`
			Enc          hexBytes `json:"kcv_enc"`
			MAC          hexBytes `json:"kcv_mac"`
			DEK          hexBytes `json:"kcv_dek"`
		}
		Extra struct {
			Master hexBytes `json:"kdf3_master"`
			KDD    hexBytes `json:"diversification_data"`
			Enc    hexBytes `json:"derived_enc"`
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "globalplatform/diversification.json"), &f); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range f.Cases {
		rule, master := KDF3, Master(AESMaster(c.Master))
		if c.Template != "kdf3" {
			rule, master = map[string]Rule{"emv": EMV, "visa2": VISA2}[c.Template], DESMaster(c.Master)
		}
		k, err := rule.Keys(t.Context(), master, KDD(c.KDD), 0x31, 16)
		if err != nil {
			t.Fatal(err)
		}
		kcv, err := k.CheckValues()
		if err != nil {
			t.Fatal(err)
		}
		if rule != KDF3 {
			kcv = [3][3]byte{desCheckValue(k.Enc), desCheckValue(k.MAC), desCheckValue(k.DEK)}
		}
		for i, want := range [][]byte{c.Enc, c.MAC, c.DEK} {
			if !bytes.Equal(kcv[i][:], want) {
				t.Errorf("%s: check value %d is %X instead of %X", c.ID, i, kcv[i], want)
			}
		}
		seen[c.Template] = true
	}
	if len(seen) != 3 {
		t.Errorf("rules %v", seen)
	}
	k, err := Diversify(f.Extra.Master, KDD(f.Extra.KDD), 0x31)
	if err != nil || !bytes.Equal(k.Enc, f.Extra.Enc) {
		t.Errorf("Enc %X instead of %X, %v", k.Enc, []byte(f.Extra.Enc), err)
	}
}

func TestKDFVectors(t *testing.T) {
	var f struct {
		Cases []struct {
			Bits       int `json:"counter_bits"`
			Key        hexBytes
			Fixed      hexBytes `json:"fixed_input"`
			OutputBits int      `json:"output_bits"`
			Output     hexBytes
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "crypto/kbkdf-cmac.json"), &f); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range f.Cases {
		if c.Bits != 8 {
			continue
		}
		b, err := aes.NewCipher(c.Key)
		if err != nil {
			t.Fatal(err)
		}
		if got := counterKDF(b, nil, c.Fixed, c.OutputBits/8); !bytes.Equal(got, c.Output) {
			t.Errorf("%X instead of %X", got, []byte(c.Output))
		}
		n++
	}
	if n == 0 {
		t.Fatal("no cases")
	}
	t.Logf("%d cases", n)
}
