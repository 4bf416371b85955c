//go:build linux && cgo

package desktest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/verify"
)

// TestOthersWait: who wants the card while it is inspected has to wait, and so can't
// disturb the inspection.
func TestOthersWait(t *testing.T) {
	t.Parallel()
	h, o, who := issued(t)
	w := &tap{Card: h.inserted()}
	asked := 0
	w.act = func(n int) error {
		if n != 2 && n != 20 {
			return nil
		}
		asked++
		_, err := pcsc.Open(t.Context(), h.name, pcsc.Options{EstablishTimeout: 100 * time.Millisecond})
		wantError(t, "a second one", err, pcsc.ErrBusy)
		return nil
	}
	report := must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN()))))(t)
	wantVerdict(t, report, verify.Accept)
	check(t, w.Close())
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	again := h.open(pcsc.Options{})
	report = must(verify.Inspect(t.Context(), apdu.Over(again, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN()))))(t)
	wantVerdict(t, report, verify.Accept)
}

// resetBy resets the card before the n-th command and tells it as a system does whose
// transactions do not hold others off.
func resetBy(t *testing.T, n int) func(*tap, int) error {
	return func(w *tap, k int) error {
		if k != n {
			return nil
		}
		check(t, w.Reset(t.Context()))
		return fmt.Errorf("transmit: %w", apdu.ErrReset)
	}
}

// TestResetWhileInspected: a card that another program resets is inspected anew.
func TestResetWhileInspected(t *testing.T) {
	t.Parallel()
	h, o, who := issued(t)
	w := &tap{Card: h.inserted()}
	for _, n := range []int{1, 4, 9, 30} {
		w.n, w.act = 0, func(k int) error { return resetBy(t, n)(w, k) }
		report, err := verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN())))
		if wantError(t, fmt.Sprint("reset before command ", n), err, apdu.ErrReset); report != nil {
			t.Error("a report")
		}
		w.act = nil
		check(t, w.Reset(t.Context()))
		report = must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN()))))(t)
		wantVerdict(t, report, verify.Accept)
		check(t, w.Reset(t.Context()))
	}
}

// TestResetWhileMade: the next run goes on with a card that was reset in its making.
func TestResetWhileMade(t *testing.T) {
	t.Parallel()
	daemon(t)
	o := newOffice(t, usualKeys)
	t.Run("at", func(t *testing.T) {
		for _, n := range []int{2, 5, 8, 20, 45, 60} {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				m := newMaking(t, o)
				_, _, err := m.personalise(t, resetBy(t, n))
				wantError(t, "personalise", err, apdu.ErrReset)
				m.remove()
				m.resume(t)
			})
		}
	})
	o.sound(t)
}
