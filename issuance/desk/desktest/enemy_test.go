//go:build linux && cgo

package desktest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// plainATR is that of a contactless card without historical octets.
var plainATR = []byte{0x3B, 0x80, 0x80, 0x01, 0x01}

// known are the errors that somebody at a desk gets something to do for.
var known = []error{
	apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout, apdu.ErrAbandoned, apdu.ErrMalformed, apdu.ErrTooLong,
	pcsc.ErrUnresponsive, pcsc.ErrBusy, pcsc.ErrNoCard,
	card.ErrNoAccess, card.ErrNoApplication, card.ErrFileBroken, card.ErrFileTooLarge, card.ErrNoPassword,
	auth.ErrWrongPassword, auth.ErrBlocked, auth.ErrProtocol, auth.ErrUnsupported,
	gp.ErrProtection, gp.ErrAnswer, gp.ErrCryptogram, gp.ErrUnsupported, perso.ErrKeys, perso.ErrInUse, perso.ErrUsed,
}

func typed(err error) bool {
	var refused *apdu.StatusError
	if errors.As(err, &refused) {
		return true
	}
	for _, k := range known {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}

// always answers the same.
func always(answer ...byte) func([]byte) ([]byte, bool) {
	return func([]byte) ([]byte, bool) { return answer, true }
}

// noisy answers with up to so many random octets, and a status of which this mask is random.
func noisy(seed uint64, most int, mask uint16) func([]byte) ([]byte, bool) {
	grains := rand.New(rand.NewPCG(seed, seed))
	return func([]byte) ([]byte, bool) {
		b := make([]byte, grains.IntN(most))
		for i := range b {
			b[i] = byte(grains.Uint32())
		}
		return binary.BigEndian.AppendUint16(b, uint16(grains.Uint32())&mask|0x9000&^mask), true
	}
}

// enemies are cards that answer garbage or nothing.
func enemies() map[string]func([]byte) ([]byte, bool) {
	return map[string]func([]byte) ([]byte, bool){
		"nothing":         always(),
		"one octet":       always(0x90),
		"OK to all":       always(0x90, 0x00),
		"unknown error":   always(0x6F, 0x00),
		"more for ever":   always(0x61, 0xFF),
		"other Le":        always(0x6C, 0x10),
		"as a file":       always(0x61, 0x03, 0x01, 0x02, 0x03, 0x90, 0x00),
		"endless file":    always(bytes.Repeat([]byte{0x77, 0x82, 0x7F, 0xFF}, 64)...),
		"64 KiB":          func([]byte) ([]byte, bool) { return append(make([]byte, 65533), 0x90, 0x00), true },
		"empty set":       always(0x31, 0x00, 0x90, 0x00),
		"echo":            func(b []byte) ([]byte, bool) { return append(bytes.Clone(b), 0x90, 0x00), true },
		"noise":           noisy(1, 300, 0),
		"noisy statuses":  noisy(2, 20, 0x0FFF),
		"any statuses":    noisy(3, 20, 0xFFFF),
		"leaves at once":  func([]byte) ([]byte, bool) { return nil, false },
		"file, then none": sequence([]byte{0x31, 0x14, 0x30, 0x90, 0x00}, nil),
	}
}

// sequence gives the answers in turn, and the last for ever.
func sequence(answers ...[]byte) func([]byte) ([]byte, bool) {
	k := 0
	return func([]byte) ([]byte, bool) {
		a := answers[min(k, len(answers)-1)]
		k++
		return a, true
	}
}

// TestEnemies has cards that answer garbage, or nothing, inspected and personalised. Each
// is an error that says what it is, and no end of waiting; none is accepted or begun.
func TestEnemies(t *testing.T) {
	t.Parallel()
	daemon(t)
	o := newOffice(t, usualKeys)
	before := must(o.store.Checkpoint(t.Context()))(t).Size
	cards := enemies()
	t.Run("cards", func(t *testing.T) {
		for name, answer := range cards {
			app := o.approved(t, o.person(), portrait(0)) // of its own: who works on one has its lease
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				o.meet(t, answer, app)
			})
		}
	})
	if size := must(o.store.Checkpoint(t.Context()))(t).Size; size != before+3*int64(len(cards)) { // the person, the application, its approval
		t.Errorf("%d acts after %d and %d approved applications", size, before, len(cards))
	}
	o.sound(t)
}

// meet has both ends of the house use such a card.
func (o *office) meet(t *testing.T, answer func([]byte) ([]byte, bool), app string) {
	r := newReader(t)
	for what, do := range map[string]func(context.Context, *pcsc.Card) error{
		"inspect": func(ctx context.Context, w *pcsc.Card) error {
			report, err := verify.Inspect(ctx, apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN("123456"), auth.MRZ("x")))
			if err == nil && report.Verdict == verify.Accept {
				t.Errorf("accepted")
			}
			return err
		},
		"personalise": func(ctx context.Context, w *pcsc.Card) error {
			begun, err := o.desk(o.an).Personalise(ctx, app, w, o.plan())
			if begun != "" {
				t.Errorf("card %s was begun", begun)
			}
			return err
		},
	} {
		c := r.put(plainATR, answer)
		w := r.open(pcsc.Options{Timeout: 400 * time.Millisecond})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := do(ctx, w)
		cancel()
		if err != nil && !typed(err) {
			t.Errorf("%s: %v", what, err)
		}
		check(t, w.Close())
		c.take()
		r.empty()
	}
}

// TestSilence: a genuine card stops answering in the midst of a session.
func TestSilence(t *testing.T) {
	t.Parallel()
	h, o, who := issued(t)
	for _, n := range []int{1, 4, 8, 25} {
		h.empty()
		k := 0
		h.chip.Reset()
		c := h.put(h.chip.ATR(), func(b []byte) ([]byte, bool) {
			if k++; k >= n {
				return nil, true
			}
			answer, err := h.chip.Exchange(context.Background(), b)
			return answer, err == nil
		})
		w := h.open(pcsc.Options{Timeout: 300 * time.Millisecond})
		start := time.Now()
		_, err := verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN())))
		wantError(t, "inspect", err, apdu.ErrTimeout)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("silent at command %d: %v", n, d)
		}
		_, err = w.Exchange(t.Context(), []byte{0, 0xB0, 0, 0, 0})
		wantError(t, "after that", err, apdu.ErrAbandoned)
		check(t, w.Close())
		c.take()
	}
	report := must(verify.Inspect(t.Context(), apdu.Over(h.inserted(), apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN()))))(t)
	wantVerdict(t, report, verify.Accept)
}
