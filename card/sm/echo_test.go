package sm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/suite"
)

var suites = []suite.Cipher{suite.TDES, suite.AES128, suite.AES192, suite.AES256}

// echoCard is a Wire to a card that answers command data with themselves. It collects
// chained commands under secure messaging, and keeps back behind 61xx what its limits
// don't let through at once.
type echoCard struct {
	chip   *Chip
	limits apdu.Limits
	chain  []byte
	rest   []byte
	count  int
}

func (e *echoCard) Exchange(_ context.Context, b []byte) ([]byte, error) {
	e.count++
	c, err := apdu.ParseCommand(b)
	if err != nil {
		return nil, err
	}
	if size, _ := e.limits.Sizes(); len(b) > size {
		return nil, fmt.Errorf("command of %d octets within %d", len(b), size)
	}
	if c.INS == 0xC0 {
		return e.part(), nil
	}
	plain, err := e.chip.Open(c)
	if err != nil {
		return nil, err
	}
	e.chain = append(e.chain, plain.Data...)
	answer := apdu.Response{Status: apdu.OK}
	if plain.CLA&0x10 == 0 {
		answer.Data, e.chain = e.chain, nil
	}
	sealed, err := e.chip.Seal(answer)
	if err != nil {
		return nil, err
	}
	if _, size := e.limits.Sizes(); len(sealed.Data)+2 <= size {
		return sealed.Bytes(), nil
	}
	e.rest = sealed.Data
	return e.part(), nil
}

func (e *echoCard) part() []byte {
	_, size := e.limits.Sizes()
	n := min(len(e.rest), size-2, 256)
	r := apdu.Response{Data: e.rest[:n], Status: apdu.OK}
	e.rest = e.rest[n:]
	if len(e.rest) > 0 {
		r.Status = apdu.BytesRemaining | apdu.Status(min(len(e.rest), 255))
	}
	return r.Bytes()
}

// TestEcho sends 10 to 2,048 octets and back through every suite, even and odd INS,
// short and extended encoding.
func TestEcho(t *testing.T) {
	for _, c := range suites {
		for _, l := range []apdu.Limits{{}, {Command: 1520, Response: 1520}, {Command: 65544, Response: 65538}} {
			for _, ins := range []byte{0xD6, 0xD7} {
				t.Run(fmt.Sprintf("%v/%d/%02X", c, l.Command, ins), func(t *testing.T) {
					card := &echoCard{chip: NewChip(Derive([]byte("secret"), c)), limits: l}
					h := New(apdu.Over(card, l), Derive([]byte("secret"), c))
					through := apdu.Chain(h, h.MaxCommand(l))
					for n := 10; n <= 2048; n += 1 + n/37 {
						data := make([]byte, n)
						for i := range data {
							data[i] = byte(rand.Uint32())
						}
						r, err := through.Transmit(t.Context(), apdu.Command{INS: ins, Data: data, Le: min(n, h.MaxResponse(l))})
						if err != nil || !bytes.Equal(r.Data, data) {
							t.Fatalf("%d octets: %d come back, %v", n, len(r.Data), err)
						}
					}
				})
			}
		}
	}
}

// TestRoom checks the sizes that a channel promises at their edges: what fits is let
// through by the link, and one octet more is not.
func TestRoom(t *testing.T) {
	for _, c := range suites {
		for _, l := range []apdu.Limits{{}, {Command: 280, Response: 300}, {Command: 1520, Response: 1520}, {Command: 4096, Response: 4096}, {Command: 65544, Response: 65538}} {
			secret := []byte("secret")
			h := New(nil, Derive(secret, c))
			room, answer := h.MaxCommand(l), h.MaxResponse(l)
			le := min(answer, 300)
			for over := range 2 {
				p, err := New(nil, Derive(secret, c)).end.protect(apdu.Command{INS: 0xD6, Data: make([]byte, room+over), Le: le})
				if err != nil {
					t.Fatal(err)
				}
				size, _ := l.Sizes()
				b, err := p.Encode(size > 261)
				fits := err == nil && len(b) <= size && (size > 261 || len(p.Data) <= apdu.MaxShort)
				if fits != (over == 0) {
					t.Errorf("%v within %d: command data of %d octets fit: %v", c, size, room+over, fits)
				}
				sealed, err := NewChip(Derive(secret, c)).Seal(apdu.Response{Data: make([]byte, answer+over), Status: apdu.OK})
				if err != nil {
					t.Fatal(err)
				}
				if _, size := l.Sizes(); (len(sealed.Data)+2 <= size) != (over == 0) {
					t.Errorf("%v within %d: %d octets of answer become %d", c, size, answer+over, len(sealed.Data)+2)
				}
			}
		}
	}
	short := apdu.Limits{}
	if n := New(nil, Derive(nil, suite.AES128)).MaxResponse(short); n != 223 {
		t.Errorf("AES: %d octets in a short answer, want 223", n)
	}
	if n := New(nil, Derive(nil, suite.TDES)).MaxResponse(short); n != 231 {
		t.Errorf("3DES: %d octets in a short answer, want 231", n)
	}
}

// TestSwitch goes over to new keys at both ends, and refuses a chip that stays behind.
func TestSwitch(t *testing.T) {
	old, next := []byte("old"), []byte("next")
	ok := func(apdu.Command) apdu.Response { return apdu.Response{Data: []byte("data"), Status: apdu.OK} }
	card := &overChip{NewChip(Derive(old, suite.AES128)), ok}
	h := New(card, Derive(old, suite.AES128))
	read := apdu.Command{INS: 0xB0, Le: 4}
	if _, err := h.Transmit(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	card.chip = NewChip(Derive(next, suite.AES256))
	fresh, r, err := h.Switch(t.Context(), Derive(next, suite.AES256), read)
	if err != nil || string(r.Data) != "data" {
		t.Fatalf("%v, %v", r, err)
	}
	if _, err := h.Transmit(t.Context(), read); !errors.Is(err, ErrClosed) {
		t.Errorf("the channel before: %v, want ErrClosed", err)
	}
	if _, err := fresh.Transmit(t.Context(), read); err != nil {
		t.Errorf("the channel after: %v", err)
	}

	k := Derive(next, suite.AES128) // the chip does not follow
	if _, _, err := fresh.Switch(t.Context(), k, read); !errors.Is(err, ErrProtection) {
		t.Errorf("%v, want ErrProtection", err)
	}
	if _, err := fresh.Transmit(t.Context(), read); !errors.Is(err, ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	k = Derive(next, suite.AES128)
	if _, _, err := fresh.Switch(t.Context(), k, read); !errors.Is(err, ErrClosed) || !bytes.Equal(k.Enc, make([]byte, 16)) {
		t.Errorf("%v, want ErrClosed and wiped keys", err)
	}
}

// TestChipRefusesEachFault changes a protected command in one place at a time.
func TestChipRefusesEachFault(t *testing.T) {
	good := func() apdu.Command {
		e := newEnd(Derive([]byte("secret"), suite.AES128))
		p, err := e.protect(apdu.Command{INS: 0xD6, Data: []byte("data"), Le: 5})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	refused := func(what string, p apdu.Command, want apdu.Status) {
		t.Helper()
		chip := NewChip(Derive([]byte("secret"), suite.AES128))
		if _, err := chip.Open(p); !errors.Is(err, ErrProtection) || !errors.Is(err, want) {
			t.Errorf("%s: %v, want ErrProtection and %v", what, err, want)
		}
		if _, err := chip.Open(good()); !errors.Is(err, ErrClosed) {
			t.Errorf("%s leaves the channel open: %v", what, err)
		}
	}
	for i := range good().Data {
		for bit := range 8 {
			p := good()
			p.Data[i] ^= 1 << bit
			refused(fmt.Sprintf("bit %d of octet %d", bit, i), p, apdu.SMIncorrect)
		}
	}
	for n := range good().Data {
		p := good()
		p.Data = p.Data[:n]
		refused("cut command", p, apdu.SMIncorrect)
	}
	for name, change := range map[string]func(*apdu.Command){
		"P1":  func(p *apdu.Command) { p.P1++ },
		"P2":  func(p *apdu.Command) { p.P2++ },
		"INS": func(p *apdu.Command) { p.INS = 0xB0 },
		"chain": func(p *apdu.Command) {
			p.CLA |= 0x10
		},
		"trailing": func(p *apdu.Command) { p.Data = append(p.Data, 0) },
	} {
		p := good()
		change(&p)
		refused(name, p, apdu.SMIncorrect)
	}
	p := good()
	p.CLA = 0
	refused("plain command", p, apdu.SMMissing)
	p.CLA = 0x84
	refused("foreign class", p, apdu.SMMissing)
}

// FuzzAnswer holds that nothing is taken that the chip's keys did not make. They made two
// answers among the seeds, one of which says 6A82 inside and 9000 outside.
func FuzzAnswer(f *testing.F) {
	s := damaged(f)
	for _, r := range s.Responses {
		f.Add(unhex(f, r.Response))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := apdu.ParseResponse(b)
		if err != nil {
			return
		}
		h := New(&script{answers: []apdu.Response{r}}, s.keys(t))
		got, err := h.Transmit(t.Context(), command(t, s.PlainCommand))
		if err == nil && (got.Status != apdu.OK && got.Status != apdu.FileNotFound || !bytes.Equal(got.Data, unhex(t, "60145F01"))) {
			t.Errorf("%X is taken as %X %v", b, got.Data, got.Status)
		}
		if _, after := h.Transmit(t.Context(), apdu.Command{INS: 0x6A}); err != nil && !errors.Is(after, ErrClosed) {
			t.Errorf("%X leaves the channel open: %v", b, after)
		}
	})
}

// FuzzCommand is FuzzAnswer for the chip's end.
func FuzzCommand(f *testing.F) {
	s := damaged(f)
	f.Add(unhex(f, s.ProtectedCommand))
	for _, e := range appendixD(f).Exchanges {
		f.Add(unhex(f, e.ProtectedCommand))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := apdu.ParseCommand(b)
		if err != nil {
			return
		}
		c, err := NewChip(s.keys(t)).Open(p)
		if err == nil && fmt.Sprint(c) != fmt.Sprint(command(t, s.PlainCommand)) && fmt.Sprint(c) != fmt.Sprint(command(t, "00A4020C02011E")) {
			t.Errorf("%X is taken as %v", b, c)
		}
	})
}
