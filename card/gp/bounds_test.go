package gp

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// unpadded is a block that was encrypted with the session's key and without padding.
func unpadded(s *secure, direction byte) []byte {
	out := bytes.Repeat([]byte{1}, aes.BlockSize)
	b, iv := s.iv(direction)
	cipher.NewCBCEncrypter(b, iv).CryptBlocks(out, out)
	return out
}

// TestAnswerWithoutPadding: a right code does not make up for a wrong padding.
func TestAnswerWithoutPadding(t *testing.T) {
	_, ch := openCard(t, testKeys(16, 1), FullSecurity)
	data := unpadded(&ch.secure, ivResponse)
	r := apdu.Response{Data: append(data, ch.responseMAC(data, apdu.OK)...), Status: apdu.OK}
	if _, err := ch.unwrap(r); !errors.Is(err, ErrProtection) {
		t.Error(err)
	}
}

// TestRoom: the most that a short command carries at each level (Amendment D §6.2: a code of
// 8 or 16 octets, encrypted data padded to whole blocks; Card Specification §E.4 for SCP02).
func TestRoom(t *testing.T) {
	for _, c := range []struct {
		i    byte
		l    Level
		want int
	}{
		{0x70, NoSecurity, 255},
		{0x70, CMAC, 247},
		{0x70, CMACRMAC, 247},
		{0x70, CMACEnc, 239},
		{0x70, FullSecurity, 239},
		{0x71, NoSecurity, 255},
		{0x71, CMAC, 239},
		{0x71, CMACRMAC, 239},
		{0x71, CMACEnc, 223},
		{0x71, FullSecurity, 223},
	} {
		ch, err := openWeak(t, newCard(testKeys(16, 1), c.i), testKeys(16, 1), c.l)
		if err != nil {
			t.Fatal(err)
		}
		if n := ch.MaxCommand(apdu.Limits{}); n != c.want {
			t.Errorf("i %02X level %02X: %d octets, not %d", c.i, byte(c.l), n, c.want)
		}
	}
}

// TestHandshakeLengths: an answer to INITIALIZE UPDATE is as long as its key information says,
// for a challenge as long as that.
func TestHandshakeLengths(t *testing.T) {
	answer := func(n int, protocol, i byte) []byte {
		b := make([]byte, n)
		b[11], b[12] = protocol, i
		return b
	}
	for _, c := range []struct {
		name   string
		host   int
		answer []byte
		ok     bool
	}{
		{"S8", 8, answer(29, protocol03, 0x60), true},
		{"S8 for a challenge of 16", 16, answer(29, protocol03, 0x60), false},
		{"S8 for no challenge", 0, answer(29, protocol03, 0x60), false},
		{"S16", 16, answer(45, protocol03, 0x61), true},
		{"S16 for a challenge of 8", 8, answer(45, protocol03, 0x61), false},
		{"SCP02", 8, answer(28, protocol02, 0), true},
		{"SCP02, cut", 8, answer(27, protocol02, 0), false},
		{"SCP02, longer", 8, answer(29, protocol02, 0), false},
		{"SCP02 for a challenge of 16", 16, answer(28, protocol02, 0), false},
	} {
		h := &Handshake{host: make([]byte, c.host), start: Start{Legacy: 0x55}}
		if err := h.parse(c.answer); c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// later is a queue that puts everything off.
type later struct {
	Queue
	commands []apdu.Command
}

func (l *later) Later(_ context.Context, c apdu.Command, _ apdu.Response) error {
	l.commands = append(l.commands, c)
	return nil
}

// TestForetoldHandshake: over a queue, a handshake whose answer is known waits for nothing, and
// what was foretold is what the card answers.
func TestForetoldHandshake(t *testing.T) {
	for _, i := range []byte{0x70, 0x71} {
		k := testKeys(16, 1)
		card := newCard(k, i)
		info := Info{KDD: KDD{0xA1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, KeyVersion: k.Version, I: i, Sequence: 7}
		q := &later{}
		h, err := Initialize(t.Context(), q, Start{Version: k.Version, AID: []byte{0xA0, 0, 0, 1, 0x51}, Foretold: &Foretold{Info: info, Keys: k}})
		if err != nil || len(q.commands) != 1 {
			t.Fatalf("i %02X: %d commands, %v", i, len(q.commands), err)
		}
		if err := h.Check(k); err != nil {
			t.Error(err)
		}
		if r, err := card.Transmit(t.Context(), q.commands[0]); err != nil || !bytes.Equal(r.Data, h.answer) {
			t.Errorf("i %02X: foretold %X, the card answers %X, %v", i, h.answer, r.Data, err)
		}
	}
}
