package gp

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

type legacyCase struct {
	scpCase
	I           hexBytes
	DEKSession  hexBytes `json:"session_key_dek"`
	PutKeyBlock hexBytes `json:"put_key_block"`
	PutKeyPlain hexBytes `json:"put_key_plain"`
}

func legacyCases(t *testing.T) []legacyCase {
	t.Helper()
	var f struct{ SCP02 []legacyCase }
	if err := json.Unmarshal(foreign, &f); err != nil || len(f.SCP02) != 6 {
		t.Fatalf("%d cases, %v", len(f.SCP02), err)
	}
	return f.SCP02
}

// TestSCP02Vectors has both ends speak sessions that another implementation made.
func TestSCP02Vectors(t *testing.T) {
	for _, c := range legacyCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			s := newLegacy(c.keys(), 0x17, c.HostChallenge, c.InitUpdateAnswer[14:20])
			for name, k := range map[string][2][]byte{
				"S-ENC": {s.enc, c.SEnc}, "S-MAC": {s.mac, c.SMAC}, "DEK": {s.dek, c.DEKSession},
				"card cryptogram": {s.card, c.CardCryptogram}, "host cryptogram": {s.host, c.HostCryptogram},
				"block of PUT KEY": {desKeyBlock(s.dek, c.PutKeyPlain)[2:18], c.PutKeyBlock},
			} {
				if !bytes.Equal(k[0], k[1]) {
					t.Errorf("%s %X instead of %X", name, k[0], k[1])
				}
			}
			x := &transcript{t: t, turns: []turn{{c.InitUpdate, append(bytes.Clone(c.InitUpdateAnswer), 0x90, 0)}, {c.ExtAuth, []byte{0x90, 0}}}}
			start := Start{Version: 0x20, Challenge: c.HostChallenge, Legacy: Legacy(c.I[0])}
			if start.Legacy == SCP02PseudoRandom {
				start.AID = c.AID
			}
			h, err := Initialize(t.Context(), x, start)
			if err != nil {
				t.Fatal(err)
			}
			ch, err := h.Authenticate(t.Context(), c.keys(), Level(c.Level[0]))
			if err != nil {
				t.Fatal(err)
			}
			chip := NewChip(ChipOptions{
				KDD: KDD(c.InitUpdateAnswer[:10]), Legacy: start.Legacy, AID: c.AID,
				Keys: func(byte) (Keys, bool) { return c.keys(), true }, Sequence: func() (uint32, bool) { return 0x17, true },
			})
			r := chip.Initialize(command(t, c.InitUpdate))
			if start.Legacy == SCP02PseudoRandom && !bytes.Equal(r.Data, c.InitUpdateAnswer) {
				t.Fatalf("INITIALIZE UPDATE: %X instead of %X", r.Data, []byte(c.InitUpdateAnswer))
			}
			chip.legacy = newLegacy(c.keys(), 0x17, c.HostChallenge, c.InitUpdateAnswer[14:20])
			if r := chip.Authenticate(command(t, c.ExtAuth)); r.Status != apdu.OK {
				t.Fatalf("EXTERNAL AUTHENTICATE: %v", r.Status)
			}
			for _, e := range c.Exchanges {
				x.turns = []turn{{e.Wrapped, append(bytes.Clone(e.WrappedResponse), 0x90, 0)}}
				if _, err := ch.Transmit(t.Context(), command(t, e.Plain)); err != nil {
					t.Fatal(err)
				}
				got, err := chip.Open(command(t, e.Wrapped))
				if b, _ := got.Encode(false); err != nil || !bytes.Equal(b, e.Plain) {
					t.Fatalf("opened %X instead of %X, %v", b, []byte(e.Plain), err)
				}
			}
		})
	}
}

// legacyCard is a card that speaks SCP02.
func legacyCard(i Legacy) *card {
	c := newCard(testKeys(16, 1), 0)
	c.chip.o.Legacy = i
	return c
}

func openLegacy(t *testing.T, c *card, start Start, l Level) (*Channel, error) {
	t.Helper()
	h, err := Initialize(t.Context(), c, start)
	if err != nil {
		return nil, err
	}
	return h.Authenticate(t.Context(), testKeys(16, 1), l)
}

func TestSCP02BetweenBothEnds(t *testing.T) {
	for _, i := range []Legacy{SCP02Random, SCP02PseudoRandom} {
		for _, l := range []Level{NoSecurity, CMAC, CMACEnc} {
			c := legacyCard(i)
			ch, err := openLegacy(t, c, Start{Legacy: i}, l)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{0, 1, 7, 8, 9, 223, ch.MaxCommand(apdu.Limits{})} {
				data := bytes.Repeat([]byte{0x5A}, n)
				r, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xE2, Data: data, Le: 256})
				if err != nil || r.Status != apdu.OK || !bytes.Equal(r.Data, data) {
					t.Errorf("i %02X level %02X, %d octets: %v, %v", byte(i), byte(l), n, r.Status, err)
				}
			}
			var got Keys
			c.answer = func(p apdu.Command) apdu.Response {
				_, k, answer, err := c.chip.PutKeys(p)
				if err != nil {
					t.Fatal(err)
				}
				got = k
				return apdu.Response{Data: answer, Status: apdu.OK}
			}
			if err := ch.PutKeys(t.Context(), 0x30, testKeys(16, 0x40)); err != nil || !bytes.Equal(got.DEK, testKeys(16, 0x40).DEK) {
				t.Errorf("PUT KEY: %v", err)
			}
			if err := ch.PutKeys(t.Context(), 0x30, testKeys(32, 0x40)); !errors.Is(err, ErrKeys) {
				t.Errorf("keys of AES-256: %v", err)
			}
			if _, err := ch.Generate(t.Context(), KeyRef{}); !errors.Is(err, ErrUnsupported) {
				t.Errorf("a bare public key: %v", err)
			}
		}
	}
}

func TestSCP02HasToBeAskedFor(t *testing.T) {
	c := legacyCard(SCP02Random)
	if _, err := openLegacy(t, c, Start{}, CMACEnc); !errors.Is(err, ErrUnsupported) || len(c.sent) != 1 {
		t.Errorf("%v, sent %v", err, c.sent)
	}
	for _, l := range []Level{CMACRMAC, CMACEncRMAC, FullSecurity, 0x02} {
		c := legacyCard(SCP02Random)
		if _, err := openLegacy(t, c, Start{Legacy: SCP02Random}, l); !errors.Is(err, ErrUnsupported) || len(c.sent) != 1 {
			t.Errorf("level %02X: %v, sent %v", byte(l), err, c.sent)
		}
	}
}

func TestSCP02WrongKeysSendNothing(t *testing.T) {
	c := legacyCard(SCP02PseudoRandom)
	c.keys = testKeys(16, 9)
	if _, err := openLegacy(t, c, Start{Legacy: SCP02PseudoRandom}, CMACEnc); !errors.Is(err, ErrCryptogram) || len(c.sent) != 1 {
		t.Errorf("%v, sent %v", err, c.sent)
	}
	c = legacyCard(SCP02PseudoRandom)
	if _, err := openLegacy(t, c, Start{Legacy: SCP02PseudoRandom, AID: []byte{1}}, CMACEnc); !errors.Is(err, ErrCryptogram) || len(c.sent) != 1 {
		t.Errorf("another application's challenge: %v, sent %v", err, c.sent)
	}
}

// TestSCP02RefusesAlteredCommands turns every bit of a command on its way to the chip.
func TestSCP02RefusesAlteredCommands(t *testing.T) {
	for bit := range 8 * (5 + 16 + 8) {
		c := legacyCard(SCP02Random)
		ch, err := openLegacy(t, c, Start{Legacy: SCP02Random}, CMACEnc)
		if err != nil {
			t.Fatal(err)
		}
		w := ch.wrap(apdu.Command{CLA: 0x80, INS: 0xE2, Data: make([]byte, 10)})
		b, err := w.Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		b[bit/8] ^= 1 << (bit % 8)
		if altered, err := apdu.ParseCommand(b); err == nil {
			if _, err := c.chip.Open(altered); !errors.Is(err, ErrProtection) {
				t.Errorf("bit %d: %v", bit, err)
			}
		}
	}
}
