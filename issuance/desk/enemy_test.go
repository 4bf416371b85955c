package desk

import (
	"bytes"
	"context"
	"testing"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// TestSwappedPublicKeyMakesNoSOD has a reader put a key of its own into the chip's answer
// to GENERATE, or to the reading of the key after it. Nothing may be prepared over it, let
// alone signed; the honest reader that comes next issues the card.
func TestSwappedPublicKeyMakesNoSOD(t *testing.T) {
	t.Parallel()
	own := must(dh.P256().Generate())(t)
	forged := gp.EncodePublicKey(own.Point().Bytes())
	r := newRig(t)
	for name, swap := range map[string]func(answer []byte) []byte{
		"in the clear":           func([]byte) []byte { return append(bytes.Clone(forged), 0x90, 0x00) },
		"with a code made up":    func(a []byte) []byte { return append(append(bytes.Clone(forged), make([]byte, 8)...), a[len(a)-2:]...) },
		"with the code there is": func(a []byte) []byte { return append(bytes.Clone(forged), a[len(a)-10:]...) },
		"in place of the cryptogram": func(a []byte) []byte {
			b := bytes.Clone(a)
			copy(b, forged[:min(len(forged), len(b)-10)])
			return b
		},
		"one bit": func(a []byte) []byte { b := bytes.Clone(a); b[7] ^= 1; return b },
	} {
		for at := 1; at <= 4; at++ { // two pairs are made, two are read
			app, c := r.approved(t, enrolment(int(r.size(t)))), blank()
			s, n := insert(c), 0
			s.exchange = func(ctx context.Context, _ int, b []byte) ([]byte, error) {
				a, err := c.Exchange(ctx, b)
				if err == nil && b[0] == 0x84 && b[1] == 0x46 {
					if n++; n == at {
						a = swap(a)
					}
				}
				return a, err
			}
			card, err := r.an.Personalise(t.Context(), app, s, r.plan())
			if err == nil {
				t.Fatalf("%s, answer %d: a card was made", name, at)
			}
			r.wantPhase(t, issuance.Card(card), issuance.Rotating)
			r.wantNoSOD(t, card)
			if got := r.personalised(t, app, c, r.plan()); got != card {
				t.Errorf("card %s, not %s", got, card)
			}
			r.issuedOnce(t, app, card, c)
		}
	}
}

// wantNoSOD looks for a card's security object in the ledger's attachments, unsealed, and for
// any in clear in every file that the desk has.
func (r *rig) wantNoSOD(t *testing.T, card string) {
	t.Helper()
	oid := []byte{0x06, 0x06, 0x67, 0x81, 0x08, 0x01, 0x01, 0x01} // id-icao-mrtd-security-ldsSecurityObject
	for _, name := range []string{preparedName, contentName} {
		var v any
		wantError(t, name, second(r.an.openLast(t.Context(), issuance.Card(card), name, &v)), ErrUnknown)
	}
	eachFile(t, r.dir, func(path string, b []byte) {
		if bytes.Contains(b, oid) {
			t.Errorf("%s holds a security object", path)
		}
	})
}

// TestReaderThatChangesAnswers has a reader change one octet of any answer: at worst the
// card has to be put in again, and what is issued is what was approved.
func TestReaderThatChangesAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	step := 9
	if soak() {
		step = 1
	}
	for at := 1; ; at += step {
		app, c := r.approved(t, enrolment(int(r.size(t)))), blank()
		s := insert(c)
		s.exchange = func(ctx context.Context, n int, b []byte) ([]byte, error) {
			a, err := c.Exchange(ctx, b)
			if err == nil && n == at {
				a[random(len(a))] ^= byte(1 + random(255))
			}
			return a, err
		}
		card, err := r.an.Personalise(t.Context(), app, s, r.plan())
		if s.n < at {
			break
		}
		if err != nil {
			card = r.personalised(t, app, c, r.plan())
		}
		if r.issuedOnce(t, app, card, c); t.Failed() {
			t.Fatalf("answer %d", at)
		}
	}
	r.sound(t)
}

// TestTamperedChip: a file that changed on the chip after it was read back is found by the
// desk's own look at the card, and by the inspector's.
func TestTamperedChip(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, c := r.approved(t, enrolment(1)), blank()
	s := insert(c)
	resets := 0
	s.resets = func() error {
		resets++
		return c.Tamper(lds.DG2, 300, 1)
	}
	card, err := r.an.Personalise(t.Context(), app, s, r.plan())
	wantType[*RefusedError](t, "the desk's own look", err)
	r.wantPhase(t, issuance.Card(card), issuance.Locked)
	r.transition(t, "delivered", r.binh.Deliver(t.Context(), card, Handover{}))
	check(t, c.Tamper(lds.DG2, 300, 1))
	r.checked(t, card, c)
	if resets != 1 {
		t.Errorf("%d resets", resets)
	}
}
