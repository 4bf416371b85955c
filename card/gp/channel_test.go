package gp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// card is a chip with one key set that echoes what it is sent and counts what a card
// counts.
type card struct {
	chip     *Chip
	keys     Keys
	sent     []string
	failures int
	seen     []apdu.Command // as opened
	answer   func(apdu.Command) apdu.Response
	spoil    func(apdu.Response) apdu.Response // on the way back
}

func newCard(k Keys, i byte) *card {
	c := &card{keys: k.Clone()}
	c.chip = NewChip(ChipOptions{
		KDD: KDD{0xA1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, I: i, AID: []byte{0xA0, 0, 0, 1, 0x51},
		Keys:     func(v byte) (Keys, bool) { return c.keys, v == 0 || v == c.keys.Version },
		Sequence: func() (uint32, bool) { return 7, true },
	})
	c.answer = func(p apdu.Command) apdu.Response { return apdu.Response{Data: p.Data, Status: apdu.OK} }
	return c
}

func (c *card) Transmit(_ context.Context, cmd apdu.Command) (apdu.Response, error) {
	b, err := cmd.Encode(len(cmd.Data) > apdu.MaxShort || cmd.Le > apdu.MaxShortLe)
	if err != nil {
		return apdu.Response{}, err
	}
	if cmd, err = apdu.ParseCommand(b); err != nil {
		return apdu.Response{}, err
	}
	c.sent = append(c.sent, cmd.Name())
	r := c.process(cmd)
	if c.spoil != nil {
		r = c.spoil(r)
	}
	return r, nil
}

func (c *card) process(cmd apdu.Command) apdu.Response {
	switch {
	case cmd.INS == insInitializeUpdate && !c.chip.Opened():
		return c.chip.Initialize(cmd)
	case cmd.INS == insExternalAuth && !c.chip.Opened():
		r := c.chip.Authenticate(cmd)
		if r.Status == apdu.AuthenticationFailed {
			c.failures++
		}
		return r
	}
	plain, err := c.chip.Open(cmd)
	if err != nil {
		return apdu.Response{Status: apdu.SecurityStatus}
	}
	c.seen = append(c.seen, plain)
	r, err := c.chip.Seal(c.answer(plain))
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}
	}
	return r
}

func testKeys(size int, first byte) Keys {
	key := func(b byte) []byte { return bytes.Repeat([]byte{b}, size) }
	return Keys{Version: 0x30, Enc: key(first), MAC: key(first + 1), DEK: key(first + 2)}
}

var allLevels = []Level{NoSecurity, CMAC, CMACEnc, CMACRMAC, CMACEncRMAC, FullSecurity}

// openWeak is Open for all levels.
func openWeak(t *testing.T, c apdu.Transmitter, k Keys, l Level) (*Channel, error) {
	t.Helper()
	h, err := Initialize(t.Context(), c, Start{Version: k.Version, AID: []byte{0xA0, 0, 0, 1, 0x51}, Weak: true})
	if err != nil {
		return nil, err
	}
	return h.Authenticate(t.Context(), k, l)
}

func TestEveryLevelCarriesEveryLength(t *testing.T) {
	for _, size := range []int{16, 24, 32} {
		for _, i := range []byte{0x60, 0x70, 0x61, 0x71} {
			for _, l := range allLevels {
				t.Run(fmt.Sprintf("aes%d/i%02X/%02X", size*8, i, byte(l)), func(t *testing.T) {
					c := newCard(testKeys(size, 1), i)
					ch, err := openWeak(t, c, testKeys(size, 1), l)
					if err != nil {
						t.Fatal(err)
					}
					defer ch.Close()
					for _, n := range []int{0, 1, 15, 16, 17, 223, ch.MaxCommand(apdu.Limits{}), 1000, 2048} {
						data := bytes.Repeat([]byte{0x5A}, n)
						r, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xE2, Data: data, Le: 256})
						if err != nil || !bytes.Equal(r.Data, data) || r.Status != apdu.OK {
							t.Fatalf("%d octets: %d back, %v, %v", n, len(r.Data), r.Status, err)
						}
					}
				})
			}
		}
	}
}

func TestMaxFitsShortAPDUs(t *testing.T) {
	for _, l := range allLevels {
		c := newCard(testKeys(16, 1), 0x70)
		ch, err := openWeak(t, apdu.Over(wire{c}, apdu.Limits{}), testKeys(16, 1), l)
		if err != nil {
			t.Fatal(err)
		}
		n := ch.MaxCommand(apdu.Limits{})
		if _, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xE2, Data: make([]byte, n)}); err != nil {
			t.Errorf("level %02X: %d octets: %v", byte(l), n, err)
		}
		c.answer = func(apdu.Command) apdu.Response {
			return apdu.Response{Data: make([]byte, c.chip.MaxResponse(256)), Status: apdu.OK}
		}
		r, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xCA, Le: 256})
		if err != nil || len(r.Data) != ch.MaxResponse(apdu.Limits{}) {
			t.Errorf("level %02X: answer of %d octets, %v", byte(l), len(r.Data), err)
		}
		if l == FullSecurity && (n != 239 || len(r.Data) != 239) {
			t.Errorf("level 33 carries %d and %d octets instead of 239", n, len(r.Data))
		}
	}
}

// wire serves a card over encoded commands in short encoding only.
type wire struct{ c *card }

func (w wire) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	c, err := apdu.ParseCommand(b)
	if err != nil || len(b) > 261 {
		return []byte{0x67, 0}, nil
	}
	r, err := w.c.Transmit(ctx, c)
	if len(r.Data) > 256 {
		return []byte{0x6F, 0}, nil
	}
	return r.Bytes(), err
}

func TestWrongKeysSendNothing(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x70)
	if _, err := Open(t.Context(), c, testKeys(16, 9), FullSecurity); !errors.Is(err, ErrCryptogram) {
		t.Errorf("error %v", err)
	}
	if got := strings.Join(c.sent, " "); got != "INITIALIZE UPDATE" {
		t.Errorf("sent %s", got)
	}
	h, err := Initialize(t.Context(), c, Start{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := h.Held(testKeys(16, 9), testKeys(24, 1), testKeys(16, 1))
	if err != nil || k.Enc[0] != 1 || len(k.Enc) != 16 {
		t.Errorf("held %v, %v", k, err)
	}
	if _, err := h.Held(testKeys(16, 9)); !errors.Is(err, ErrCryptogram) {
		t.Errorf("error %v", err)
	}
	if _, err := h.Held(Keys{}); !errors.Is(err, ErrKeys) {
		t.Errorf("error %v", err)
	}
}

func TestOneExternalAuthenticateForAHandshake(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x70)
	h, err := Initialize(t.Context(), c, Start{})
	if err != nil {
		t.Fatal(err)
	}
	c.spoil = func(apdu.Response) apdu.Response { return apdu.Response{Status: 0x6300} }
	for i, want := range []error{apdu.AuthenticationFailed, ErrSpent, ErrSpent} {
		if _, err := h.Authenticate(t.Context(), testKeys(16, 1), FullSecurity); !errors.Is(err, want) {
			t.Errorf("attempt %d: %v", i, err)
		}
	}
	if len(c.sent) != 2 {
		t.Errorf("sent %v", c.sent)
	}
}

func TestLevelsThatTheCardLacks(t *testing.T) {
	for _, c := range []struct {
		i    byte
		most Level
	}{{0x00, CMACEnc}, {0x10, CMACEnc}, {0x20, CMACEncRMAC}, {0x60, FullSecurity}} {
		for _, l := range append(allLevels, 0x23, 0x02, 0xFF) {
			k := newCard(testKeys(16, 1), c.i)
			_, err := openWeak(t, k, testKeys(16, 1), l)
			if ok := l.Valid() && l <= c.most; ok != (err == nil) || !ok && !errors.Is(err, ErrUnsupported) {
				t.Errorf("i %02X level %02X: %v", c.i, byte(l), err)
			}
			if err != nil && len(k.sent) != 1 {
				t.Errorf("i %02X level %02X: sent %v", c.i, byte(l), k.sent)
			}
		}
	}
}

func TestDamagedInitializeUpdate(t *testing.T) {
	good := newCard(testKeys(16, 1), 0x70)
	h, err := Initialize(t.Context(), good, Start{Challenge: []byte{1, 0, 0, 0, 0, 0, 0, 0}})
	if err != nil || h.Info().Sequence != 7 {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func([]byte) []byte
		want  error
	}{
		{"nothing", func([]byte) []byte { return nil }, ErrAnswer},
		{"short", func(b []byte) []byte { return b[:len(b)-1] }, ErrAnswer},
		{"long", func(b []byte) []byte { return append(b, 0) }, ErrAnswer},
		{"SCP02", func(b []byte) []byte { b[11] = 2; return b }, ErrUnsupported},
		{"S16", func(b []byte) []byte { b[12] |= 1; return b }, ErrAnswer},
		{"random challenge", func(b []byte) []byte { b[12] = 0x60; return b }, ErrAnswer},
		{"other version", func(b []byte) []byte { b[10] = 0x31; return b }, ErrAnswer},
		{"challenge", func(b []byte) []byte { b[13] ^= 1; return b }, ErrCryptogram},
		{"cryptogram", func(b []byte) []byte { b[28] ^= 0x80; return b }, ErrCryptogram},
	} {
		k := newCard(testKeys(16, 1), 0x70)
		k.spoil = func(r apdu.Response) apdu.Response {
			return apdu.Response{Data: c.spoil(bytes.Clone(r.Data)), Status: r.Status}
		}
		if _, err := Open(t.Context(), k, testKeys(16, 1), FullSecurity); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(k.sent) != 1 {
			t.Errorf("%s: sent %v", c.name, k.sent)
		}
	}
}

func TestEveryDamagedAnswerClosesTheChannel(t *testing.T) {
	damages := map[string]func(apdu.Response) apdu.Response{
		"no code":         func(r apdu.Response) apdu.Response { return apdu.Response{Status: r.Status} },
		"short code":      func(r apdu.Response) apdu.Response { r.Data = r.Data[:7]; return r },
		"cut":             func(r apdu.Response) apdu.Response { r.Data = r.Data[1:]; return r },
		"other status":    func(r apdu.Response) apdu.Response { r.Status = 0x6282; return r },
		"data with error": func(r apdu.Response) apdu.Response { r.Status = 0x6A80; return r },
	}
	for bit := range 40 * 8 {
		damages[fmt.Sprintf("bit %d", bit)] = func(r apdu.Response) apdu.Response {
			r.Data[bit/8] ^= 1 << (bit % 8)
			return r
		}
	}
	for name, damage := range damages {
		c := newCard(testKeys(16, 1), 0x70)
		ch, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity)
		if err != nil {
			t.Fatal(err)
		}
		c.spoil = damage
		cmd := apdu.Command{CLA: 0x80, INS: 0xCA, Data: make([]byte, 20), Le: 256} // 32 + 8 octets come back
		if r, err := ch.Transmit(t.Context(), cmd); !errors.Is(err, ErrProtection) || len(r.Data) > 0 {
			t.Errorf("%s: %X, %v", name, r.Data, err)
		}
		c.spoil = nil
		n := len(c.sent)
		if _, err := ch.Transmit(t.Context(), cmd); !errors.Is(err, ErrClosed) || len(c.sent) != n {
			t.Errorf("%s: after it %v", name, err)
		}
	}
}

func TestReplayedAnswer(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x70)
	ch, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity)
	if err != nil {
		t.Fatal(err)
	}
	var first apdu.Response
	c.spoil = func(r apdu.Response) apdu.Response { first = r; return r }
	cmd := apdu.Command{CLA: 0x80, INS: 0xCA, Data: []byte{1}, Le: 256}
	if _, err := ch.Transmit(t.Context(), cmd); err != nil {
		t.Fatal(err)
	}
	c.spoil = func(apdu.Response) apdu.Response { return first }
	if _, err := ch.Transmit(t.Context(), cmd); !errors.Is(err, ErrProtection) {
		t.Errorf("error %v", err)
	}
}

func TestErrorStatus(t *testing.T) {
	for status, open := range map[apdu.Status]bool{
		0x6A88: true, 0x6985: true, 0x6700: true,
		0x6982: false, 0x6987: false, 0x6988: false,
	} {
		c := newCard(testKeys(16, 1), 0x70)
		ch, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity)
		if err != nil {
			t.Fatal(err)
		}
		c.answer = func(apdu.Command) apdu.Response { return apdu.Response{Status: status} }
		r, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xCA, Le: 256})
		if err != nil || r.Status != status {
			t.Errorf("%v: %v, %v", status, r.Status, err)
		}
		_, err = ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xCA, Le: 256})
		if (err == nil) != open {
			t.Errorf("%v: then %v", status, err)
		}
	}
}

func TestNoAnswerClosesTheChannel(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x70)
	gone := errors.New("gone")
	f := &failing{card: c}
	ch, err := Open(t.Context(), f, testKeys(16, 1), FullSecurity)
	if err != nil {
		t.Fatal(err)
	}
	f.err = gone
	if _, err := ch.KDD(t.Context()); !errors.Is(err, gone) {
		t.Errorf("error %v", err)
	}
	f.err = nil
	if _, err := ch.KDD(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
}

type failing struct {
	*card
	err error
}

func (f *failing) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	if f.err != nil {
		return apdu.Response{}, f.err
	}
	return f.card.Transmit(ctx, c)
}

func TestTooLongLeavesTheChannelOpen(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x70)
	ch, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Transmit(t.Context(), apdu.Command{INS: 0xE2, Data: make([]byte, 65530)}); !errors.Is(err, apdu.ErrTooLong) {
		t.Errorf("error %v", err)
	}
	if _, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xE2, Data: []byte{1}, Le: 256}); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	k := testKeys(16, 0xAB)
	b, err := json.Marshal(struct{ K Keys }{k})
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%v %+v %#v %s %s", k, k, k, k.LogValue(), b)
	if s := fmt.Sprintf("%d", k); s != fmt.Sprint(k) {
		t.Errorf("%%d prints %s", s)
	}
	for _, leak := range []string{"abab", "ABAB", "171 171", "0xab"} {
		if strings.Contains(out, leak) {
			t.Errorf("leaks %s: %s", leak, out)
		}
	}
	k.Destroy()
	k.Destroy()
	if !errors.Is(k.Check(), ErrKeys) {
		t.Error("destroyed keys pass Check")
	}
}

func TestWeakLevelsHaveToBeAskedFor(t *testing.T) {
	for _, l := range allLevels {
		c := newCard(testKeys(16, 1), 0x70)
		_, err := Open(t.Context(), c, testKeys(16, 1), l)
		if weak := l != CMACEncRMAC && l != FullSecurity; weak != errors.Is(err, ErrWeak) || !weak && err != nil {
			t.Errorf("level %02X: %v", byte(l), err)
		}
		if err != nil && len(c.sent) != 1 {
			t.Errorf("level %02X: sent %v", byte(l), c.sent)
		}
	}
}

// TestS16IsTriedWhereS8IsTooShort and only there, and with a random challenge.
func TestS16IsTriedWhereS8IsTooShort(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x71)
	if _, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity); err != nil || len(c.sent) != 3 {
		t.Errorf("%v, sent %v", err, c.sent)
	}
	c = newCard(testKeys(16, 1), 0x71)
	if _, err := Initialize(t.Context(), c, Start{Challenge: make([]byte, 8)}); !errors.Is(err, apdu.WrongLength) || len(c.sent) != 1 {
		t.Errorf("%v, sent %v", err, c.sent)
	}
}

// TestPredictedChallenge has a chip whose challenge is not that of its counter.
func TestPredictedChallenge(t *testing.T) {
	for name, aid := range map[string][]byte{"right": {0xA0, 0, 0, 1, 0x51}, "other": {0xA0, 0, 0, 1, 0x52}} {
		c := newCard(testKeys(16, 1), 0x70)
		h, err := Initialize(t.Context(), c, Start{AID: aid})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Check(testKeys(16, 1)); (name == "right") != (err == nil) || err != nil && !errors.Is(err, ErrCryptogram) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCounterQuirk has both ends count either way, and each way fails with the other.
func TestCounterQuirk(t *testing.T) {
	for _, host := range []bool{false, true} {
		for _, chip := range []bool{false, true} {
			c := newCard(testKeys(16, 1), 0x70)
			c.chip.o.CounterOnData = chip
			h, err := Initialize(t.Context(), c, Start{CounterOnData: host})
			if err != nil {
				t.Fatal(err)
			}
			ch, err := h.Authenticate(t.Context(), testKeys(16, 1), FullSecurity)
			if err != nil {
				t.Fatal(err)
			}
			c.answer = func(p apdu.Command) apdu.Response { return apdu.Response{Data: []byte("answer"), Status: apdu.OK} }
			for n, data := range [][]byte{{1}, nil, {2}, nil} {
				r, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: 0xCA, Data: data, Le: 256})
				ok := err == nil && r.Status == apdu.OK && string(r.Data) == "answer"
				if same := host == chip; same && !ok || !same && ok != (n == 0) {
					t.Errorf("host %v, chip %v, command %d: %v, %v", host, chip, n, r, err)
				}
				if !ok {
					break
				}
			}
		}
	}
}
