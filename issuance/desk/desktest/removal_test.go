//go:build linux && cgo

package desktest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
)

// making is a card that an accident happens to while it is made.
type making struct {
	*office
	*hand
	who vn.Person
	app string
}

func newMaking(t *testing.T, o *office) *making {
	t.Helper()
	who := o.person()
	return &making{o, newReader(t).hold(blank()), who, o.approved(t, who, portrait(0))}
}

// personalise is one run at the reader, in which act happens before each command.
func (m *making) personalise(t *testing.T, act func(w *tap, n int) error) (card string, commands int, err error) {
	t.Helper()
	w := &tap{Card: m.inserted()}
	if act != nil {
		w.act = func(n int) error { return act(w, n) }
	}
	card, err = m.desk(m.an).Personalise(t.Context(), m.app, w, m.plan())
	if err := w.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return card, w.n, err
}

// resume puts the card in again and goes on to its end, once.
func (m *making) resume(t *testing.T) {
	t.Helper()
	m.suffered(t, m.chip, m.who)
	card, _, err := m.personalise(t, nil)
	if err != nil {
		wrong(t, &fates.stuck, "resume: %v", err)
		t.FailNow()
	}
	issuedOnce(t, m.office, m.app, card, m.chip)
}

// issuedOnce holds what must be so after every accident and its repair. That the chip has
// the files that were signed, and the keys in them, the desk's own look at it has shown.
func issuedOnce(t *testing.T, o *office, app, card string, c *virtual.Chip) {
	t.Helper()
	entries := must(o.store.Stream(t.Context(), issuance.Card(card)))(t)
	n := map[issuance.Act]int{}
	for _, e := range entries {
		if n[e.Act]++; n[e.Act] > 1 {
			wrong(t, &fates.double, "%s is there %d times", e.Act, n[e.Act])
		}
	}
	delete(n, issuance.Attempt) // of which an accident leaves one
	if len(n) != 9 || entries[len(entries)-1].Act != issuance.LockDone {
		wrong(t, &fates.lost, "acts %v", n)
	}
	kdd := c.KDD()
	claim := issuance.Claim{Kind: issuance.ClaimChip, Value: hex.EncodeToString(kdd[:])}
	if got := must(o.store.Claimed(t.Context(), claim))(t); got != issuance.Card(card) {
		wrong(t, &fates.lost, "the chip is that of %s", got)
	}
	begun := 0
	for _, e := range must(o.store.Stream(t.Context(), issuance.Application(app)))(t) {
		if e.Act == issuance.Personalise {
			begun++
		}
	}
	if begun != 1 || !c.InUse() {
		wrong(t, &fates.double, "begun %d times, the chip is locked: %v", begun, c.InUse())
	}
}

// TestRemovedWhileMade pulls the card out at points spread over all commands of its making,
// the desk's last look at it included. The next run goes on with the card, and it is
// issued exactly once.
func TestRemovedWhileMade(t *testing.T) {
	t.Parallel()
	daemon(t)
	if testing.Short() {
		removedWhileMade(t, 8)
		return
	}
	removedWhileMade(t, 24)
}

func TestRemovedWhileMadeSoak(t *testing.T) {
	needSoak(t)
	t.Parallel()
	daemon(t)
	removedWhileMade(t, 1<<16)
}

// removedWhileMade takes at most so many accidents: before and after commands in turn.
func removedWhileMade(t *testing.T, points int) {
	o := newOffice(t, usualKeys)
	m := newMaking(t, o)
	card, total, err := m.personalise(t, nil)
	check(t, err)
	issuedOnce(t, o, m.app, card, m.chip)
	points = min(points, 2*total)
	t.Logf("%d accidents in %d commands", points, total)
	t.Run("at", func(t *testing.T) {
		for i := range points {
			n := 1 + i*(total-1)/max(points-1, 1)
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				m := newMaking(t, o)
				accident := m.removedBefore
				if i%2 == 1 {
					accident = m.answerLost
				}
				err := accident(t, n)
				if err == nil && n > total*9/10 {
					return // this card took fewer commands than the first, and was finished before
				}
				wantError(t, "personalise", err, apdu.ErrRemoved)
				m.resume(t)
			})
		}
	})
	o.sound(t)
}

// removedBefore pulls the card just before the n-th command.
func (m *making) removedBefore(t *testing.T, n int) error {
	t.Helper()
	_, _, err := m.personalise(t, func(_ *tap, k int) error {
		if k == n {
			m.yank()
		}
		return nil
	})
	return err
}

// answerLost has the chip do the n-th command and leave before the answer is out.
func (m *making) answerLost(t *testing.T, n int) error {
	t.Helper()
	m.vacant()
	c := m.put(m.chip.ATR(), leaving(m.chip, n))
	w := m.open(pcsc.Options{})
	_, err := m.desk(m.an).Personalise(t.Context(), m.app, w, m.plan())
	check(t, w.Close())
	c.take()
	m.chip.Reset()
	return err
}

// TestRemovedBeforeItsLook pulls the card out when it is finished, and the desk powers it
// down to look at it as a stranger.
func TestRemovedBeforeItsLook(t *testing.T) {
	t.Parallel()
	daemon(t)
	o := newOffice(t, usualKeys)
	m := newMaking(t, o)
	_, n, err := m.personalise(t, func(w *tap, _ int) error {
		w.atReset = m.yank
		return nil
	})
	if wantError(t, "personalise", err, apdu.ErrRemoved); n < 20 {
		t.Errorf("reset after %d commands", n)
	}
	m.resume(t)
	o.sound(t)
}

// TestPowerFailsWhileMade tears writes to the chip's memory, which takes the card off the
// reader in the midst of a command.
func TestPowerFailsWhileMade(t *testing.T) {
	t.Parallel()
	daemon(t)
	o := newOffice(t, usualKeys)
	t.Run("in write", func(t *testing.T) {
		for n := 1; n <= 31; n += 6 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				m := newMaking(t, o)
				m.chip.OnWrite(func(k int) bool { return k < n })
				_, _, err := m.personalise(t, nil)
				wantError(t, "personalise", err, apdu.ErrRemoved)
				m.chip.OnWrite(nil)
				m.resume(t)
			})
		}
	})
	o.sound(t)
}

// TestOtherChipIsRefused: the card that was pulled out is not the one that comes back.
func TestOtherChipIsRefused(t *testing.T) {
	t.Parallel()
	daemon(t)
	o := newOffice(t, usualKeys)
	m := newMaking(t, o)
	wantError(t, "personalise", m.removedBefore(t, 40), apdu.ErrRemoved)
	m.empty()
	other := m.reader.hold(blank())
	w := other.inserted()
	_, err := o.desk(o.an).Personalise(t.Context(), m.app, w, o.plan())
	if err == nil || !strings.Contains(err.Error(), "is not chip") {
		t.Errorf("another chip: %v", err)
	}
	check(t, w.Close())
	other.remove()
	m.resume(t)
	o.sound(t)
}

// TestRemovedWhileInspected pulls an issued card out while it is read.
func TestRemovedWhileInspected(t *testing.T) {
	t.Parallel()
	h, o, who := issued(t)
	for _, n := range []int{1, 3, 7, 12, 30} {
		w := &tap{Card: h.inserted()}
		w.act = func(k int) error {
			if k == n {
				h.yank()
			}
			return nil
		}
		report, err := verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN())))
		if !errors.Is(err, apdu.ErrRemoved) || report != nil {
			t.Errorf("removed before command %d: %v, report %v", n, err, report != nil)
		}
		check(t, w.Close())
	}
	w := h.inserted()
	report := must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN()))))(t)
	wantVerdict(t, report, verify.Accept)
}
