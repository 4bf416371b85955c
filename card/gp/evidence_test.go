package gp

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// evidenceOf has a chip answer a request for its public key with a point.
func evidenceOf(t *testing.T, i byte, l Level, point []byte) *Evidence {
	t.Helper()
	c := newCard(testKeys(16, 1), i)
	c.answer = func(apdu.Command) apdu.Response {
		return apdu.Response{Data: EncodePublicKey(point), Status: apdu.OK}
	}
	ch, err := openWeak(t, c, testKeys(16, 1), l)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.KDD(t.Context()); !errors.Is(err, ErrAnswer) { // any command before
		t.Fatal(err)
	}
	if _, err := ch.PublicKey(t.Context(), KeyRef{Use: Signature, Reference: KeyAA, Curve: 12}); err != nil {
		t.Fatal(err)
	}
	e, err := ch.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEvidence(t *testing.T) {
	point := append([]byte{4}, bytes.Repeat([]byte{9}, 64)...)
	ref := KeyRef{Use: Signature, Reference: KeyAA, Curve: 12}
	for _, i := range []byte{0x60, 0x70, 0x61, 0x71} {
		for _, l := range []Level{CMACRMAC, CMACEncRMAC, FullSecurity} {
			b, err := evidenceOf(t, i, l, point).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			e, err := ParseEvidence(b)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := e.PublicKey(testKeys(16, 1), ref); err != nil || !bytes.Equal(got, point) {
				t.Errorf("i %02X level %02X: %X, %v", i, byte(l), got, err)
			}
			if d, err := e.KDD(); err != nil || d != (KDD{0xA1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
				t.Errorf("KDD %v, %v", d, err)
			}
			if _, err := e.PublicKey(testKeys(16, 2), ref); !errors.Is(err, ErrCryptogram) {
				t.Errorf("other keys: %v", err)
			}
			for _, other := range []KeyRef{{Agreement, KeyAA, 12}, {Signature, KeyCA, 12}, {Signature, KeyAA, 13}} {
				if _, err := e.PublicKey(testKeys(16, 1), other); !errors.Is(err, ErrAnswer) {
					t.Errorf("another key's evidence: %v", err)
				}
			}
		}
	}
}

// TestAlteredEvidence turns every bit of an evidence, and puts parts of two together.
func TestAlteredEvidence(t *testing.T) {
	ref := KeyRef{Use: Signature, Reference: KeyAA, Curve: 12}
	point := bytes.Repeat([]byte{4}, 65)
	one := evidenceOf(t, 0x70, FullSecurity, point)
	good, err := one.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	// What no code covers: the chip's name, version and options, the counter behind the
	// challenge, and Le. The keys that were derived from the name do, and the challenge.
	kdd, le := bytes.Index(good, one.Initialize), bytes.Index(good, one.Command)+len(one.Command)-1
	free := func(n int) bool {
		return n >= kdd && n < kdd+11 || n == kdd+12 || n >= kdd+29 && n < kdd+32 || n == le
	}
	for n := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[n] ^= 1 << bit
			e, err := ParseEvidence(b)
			if err != nil {
				continue
			}
			if _, err := e.PublicKey(testKeys(16, 1), ref); err == nil && !free(n) {
				t.Errorf("octet %d, bit %d passes", n, bit)
			}
		}
	}
	two := evidenceOf(t, 0x70, FullSecurity, bytes.Repeat([]byte{5}, 65))
	for name, mix := range map[string]func(*Evidence){
		"answer":    func(e *Evidence) { e.Answer = two.Answer },
		"command":   func(e *Evidence) { e.Command = two.Command },
		"chain":     func(e *Evidence) { e.Chain = two.Chain },
		"handshake": func(e *Evidence) { e.Challenge, e.Initialize = two.Challenge, two.Initialize },
		"no answer": func(e *Evidence) { e.Answer = []byte{0x6A, 0x88} },
		"no level":  func(e *Evidence) { e.Level = CMACEnc },
	} {
		e := *one
		mix(&e)
		if _, err := e.PublicKey(testKeys(16, 1), ref); err == nil {
			t.Errorf("with another %s it passes", name)
		}
		if _, _, err := e.open(testKeys(16, 1)); err == nil {
			t.Errorf("with another %s it passes as an answer", name)
		}
	}
	for n := range good {
		if _, err := ParseEvidence(good[:n]); !errors.Is(err, ErrAnswer) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	if _, err := ParseEvidence(append(bytes.Clone(good), 0)); !errors.Is(err, ErrAnswer) {
		t.Errorf("an octet more: %v", err)
	}
}

func TestNoEvidence(t *testing.T) {
	c, ch := openCard(t, testKeys(16, 1), FullSecurity)
	if _, err := ch.Evidence(); !errors.Is(err, ErrUnsupported) {
		t.Errorf("before any command: %v", err)
	}
	if _, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: insGetData, Le: 256}); err != nil {
		t.Fatal(err)
	}
	c.answer = func(apdu.Command) apdu.Response { return apdu.Response{Status: apdu.ReferenceNotFound} }
	if _, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: insGetData, Le: 256}); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Evidence(); !errors.Is(err, ErrUnsupported) {
		t.Errorf("after a refusal: %v", err)
	}
	_, ch = openCard(t, testKeys(16, 1), CMACEnc)
	if _, err := ch.Transmit(t.Context(), apdu.Command{CLA: 0x80, INS: insGetData, Le: 256}); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Evidence(); !errors.Is(err, ErrUnsupported) {
		t.Errorf("without an R-MAC: %v", err)
	}
}

// TestEvidenceForm: what is too large is not written, and of all encodings one is read.
func TestEvidenceForm(t *testing.T) {
	e := evidenceOf(t, 0x70, FullSecurity, bytes.Repeat([]byte{4}, 65))
	good, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	large := *e
	large.Answer = make([]byte, maxEvidence)
	if b, err := large.MarshalBinary(); b != nil || !errors.Is(err, apdu.ErrTooLong) {
		t.Errorf("%d octets, %v", len(b), err)
	}
	// The length of the whole, and of its first part, with an octet more than they need.
	if good[0] != tagEvidence || good[1] != 0x81 || good[3] != tagOctets || good[4] != 26 {
		t.Fatalf("the evidence begins with %X", good[:6])
	}
	size := len(good) - 3
	for name, b := range map[string][]byte{
		"a length of two octets":   append([]byte{tagEvidence, 0x82, 0, byte(size)}, good[3:]...),
		"a part's length of two":   append([]byte{tagEvidence, 0x81, byte(size + 1), tagOctets, 0x81, 26}, good[5:]...),
		"a part behind the others": append([]byte{tagEvidence, 0x81, byte(size + 2)}, append(bytes.Clone(good[3:]), tagOctets, 0)...),
	} {
		if e, err := ParseEvidence(b); e != nil || !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEvidenceOfBadPadding: a holder of the session's keys cannot have a command taken as
// evidence that no chip would have taken.
func TestEvidenceOfBadPadding(t *testing.T) {
	c := newCard(testKeys(16, 1), 0x70)
	ch, err := openWeak(t, c, testKeys(16, 1), FullSecurity)
	if err != nil {
		t.Fatal(err)
	}
	before := ch.chain
	ch.counter++
	command := ch.sign(apdu.Command{CLA: claPlain, INS: insGenerate, P1: readExisting, Data: unpadded(&ch.secure, ivCommand), Le: 256})
	h := &Channel{secure: ch.secure, level: FullSecurity}
	answer := h.sealed(apdu.Response{Data: []byte("made up"), Status: apdu.OK}, FullSecurity)
	e := ch.proof
	e.Level, e.Chain, e.Counter = FullSecurity, before, ch.counter
	if e.Command, err = command.Encode(false); err != nil {
		t.Fatal(err)
	}
	e.Answer = answer.Bytes()
	if command, answer, err := e.open(testKeys(16, 1)); !errors.Is(err, ErrProtection) {
		t.Errorf("%v, %v, %v", command, answer, err)
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add([]byte{0x30, 0x00})
	e := &Evidence{Challenge: make([]byte, 8), Initialize: append(make([]byte, 11), 3, 0x60), Level: FullSecurity, Command: []byte{0x84, 0x46, 0x81, 0}, Answer: []byte{0x90, 0}}
	if b, err := e.MarshalBinary(); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvidence(b)
		if err != nil {
			return
		}
		if _, _, err := e.open(testKeys(16, 1)); err == nil {
			t.Fatal("a made-up evidence passes")
		}
		again, err := e.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%X becomes %X, %v", b, again, err)
		}
	})
}
