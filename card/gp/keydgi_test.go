package gp

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

func TestKeyDGI(t *testing.T) {
	ref := KeyRef{Use: Agreement, Reference: KeyCA, Curve: 13}
	scalar := bytes.Repeat([]byte{0x5B}, 32)
	c, ch := openCard(t, testKeys(16, 1), FullSecurity)
	d, err := ch.KeyDGI(ref, scalar)
	if err != nil || d.Tag != DGIKey || bytes.Contains(d.Value, scalar[:8]) {
		t.Fatalf("%04X %X, %v", d.Tag, d.Value, err)
	}
	got, back, ok := c.chip.ParseKeyDGI(d.Value)
	if !ok || got != ref || !bytes.Equal(back, scalar) {
		t.Errorf("reads %v, %X, %v", got, back, ok)
	}
	for n := range d.Value {
		if _, _, ok := c.chip.ParseKeyDGI(d.Value[:n]); ok {
			t.Errorf("reads %d octets", n)
		}
	}
	_, other := openCard(t, testKeys(16, 9), FullSecurity)
	if d, err = other.KeyDGI(ref, scalar); err != nil {
		t.Fatal(err)
	}
	if _, back, ok := c.chip.ParseKeyDGI(d.Value); ok && bytes.Equal(back, scalar) {
		t.Error("reads a key under another DEK")
	}
	ch.Close()
	if _, err := ch.KeyDGI(ref, scalar); !errors.Is(err, ErrUnsupported) {
		t.Errorf("closed: %v", err)
	}
}

// FuzzKeyDGI feeds any value to the chip's end.
func FuzzKeyDGI(f *testing.F) {
	f.Add([]byte{0xA6, 0x06, 0x84, 0x01, 0x02, 0x80, 0x01, 0x0C, 0x04, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newCard(testKeys(16, 1), 0x70)
		if _, err := Open(t.Context(), c, testKeys(16, 1), FullSecurity); err != nil {
			t.Fatal(err)
		}
		if _, scalar, ok := c.chip.ParseKeyDGI(b); ok && len(scalar) >= len(b) {
			t.Fatal("more than came")
		}
		ParsePersonalize(apdu.Command{INS: insInstall, P1: forPersonalization, Data: b})
	})
}

// FuzzLegacyAnswers feeds any octets to the host of SCP02.
func FuzzLegacyAnswers(f *testing.F) {
	f.Add(append(append(make([]byte, 10), 0x20, 0x02), make([]byte, 16)...))
	f.Fuzz(func(t *testing.T, init []byte) {
		c := newCard(testKeys(16, 1), 0x70)
		c.spoil = func(apdu.Response) apdu.Response { return apdu.Response{Data: init, Status: apdu.OK} }
		h, err := Initialize(t.Context(), c, Start{Legacy: SCP02PseudoRandom, AID: []byte{1, 2, 3, 4, 5}})
		if err != nil {
			return
		}
		if _, err := h.Authenticate(t.Context(), testKeys(16, 1), CMACEnc); err == nil {
			t.Fatal("a made-up card passes")
		}
	})
}
