package desk

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
)

// soak says whether everything is to be tried, however long it takes.
func soak() bool { return os.Getenv("TAMTHE_SOAK") != "" }

// accident is what happens to one run of Personalise.
type accident struct {
	removal int  // at this command the card is taken out …
	lost    bool // … after the command reached the chip
	tear    int  // in this write to the chip's memory the power fails
	append  int  // this append fails …
	after   bool // … after it was written
	read    int  // this reading of the ledger fails
}

// strike arranges the accident.
func (a accident) strike(r *rig, s *slot) *Office {
	s.exchange = func(ctx context.Context, n int, b []byte) ([]byte, error) {
		if a.removal > 0 && (n > a.removal || n == a.removal && !a.lost) {
			return nil, apdu.ErrRemoved
		}
		answer, err := s.chip.Exchange(ctx, b)
		if a.removal > 0 && n == a.removal {
			return nil, apdu.ErrRemoved
		}
		if bytes.Equal(answer, []byte{0x63, 0x00}) {
			return nil, errors.New("a failed EXTERNAL AUTHENTICATE")
		}
		return answer, err
	}
	s.resets = func() error {
		if a.removal > 0 && s.n >= a.removal {
			return apdu.ErrRemoved
		}
		return nil
	}
	if a.tear > 0 {
		s.chip.OnWrite(func(n int) bool { return n < a.tear })
	}
	return r.through(&unread{Store: &faulty{Store: r.store, at: a.append, after: a.after}, at: a.read})
}

// unread is a ledger whose at-th reading fails.
type unread struct {
	Store
	at, n int
}

func (u *unread) fails() error {
	if u.n++; u.n == u.at {
		return errFault
	}
	return nil
}

func (u *unread) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	if err := u.fails(); err != nil {
		return nil, err
	}
	return u.Store.Stream(ctx, s)
}

func (u *unread) Attachment(ctx context.Context, entry [16]byte, name string) ([]byte, error) {
	if err := u.fails(); err != nil {
		return nil, err
	}
	return u.Store.Attachment(ctx, entry, name)
}

func (u *unread) List(ctx context.Context, k issuance.Kind, p ...issuance.Phase) ([]issuance.Summary, error) {
	if err := u.fails(); err != nil {
		return nil, err
	}
	return u.Store.List(ctx, k, p...)
}

// order is what card the accidents happen to.
type order struct {
	grain         int // of the portrait
	bacOnly, noAA bool
}

// suffer has accidents happen one after the other to the making of one card, and then
// makes it. It reports whether the first happened at all.
func (r *rig) suffer(t *testing.T, want order, row ...accident) (happened bool) {
	t.Helper()
	e, p := enrolment(int(r.size(t))), r.plan()
	e.Portrait = portrait(want.grain)
	p.BACOnly, p.NoAA = want.bacOnly, want.noAA
	app, c := r.approved(t, e), blank()
	for _, a := range row {
		s := insert(c)
		_, err := a.strike(r, s).Personalise(t.Context(), app, s, p)
		c.OnWrite(nil)
		if err == nil {
			break
		}
		happened = true
		if errors.Is(err, perso.ErrGiveUp) {
			break
		}
		if !errors.Is(err, apdu.ErrRemoved) && !errors.Is(err, errFault) {
			t.Errorf("%+v: %v", a, err)
		}
	}
	s := insert(c)
	card, err := accident{}.strike(r, s).Personalise(t.Context(), app, s, p)
	if errors.Is(err, perso.ErrGiveUp) && len(row) > 2 {
		r.spoiledAndRenewed(t, app, card, p)
		return happened
	}
	if err != nil {
		t.Errorf("%+v: resume: %v", row, err)
		return happened
	}
	r.issuedOnce(t, app, card, c)
	if t.Failed() {
		t.Fatalf("after %+v", row)
	}
	return happened
}

// spoiledAndRenewed gives a card up that was taken up again too often, and makes another.
func (r *rig) spoiledAndRenewed(t *testing.T, app, card string, p Personalisation) {
	t.Helper()
	check(t, r.an.Spoil(t.Context(), card, "stuck"))
	if again := r.personalised(t, app, blank(), p); again == card {
		t.Errorf("%s is made again", card)
	}
}

// issuedOnce holds what must be so after every accident and its repair. That the chip has
// the files that were signed, and the keys in them, the desk's own look at it has shown.
func (r *rig) issuedOnce(t *testing.T, app, card string, c *virtual.Chip) {
	t.Helper()
	entries := must(r.store.Stream(t.Context(), issuance.Card(card)))(t)
	n := map[issuance.Act]int{}
	for _, e := range entries {
		n[e.Act]++
	}
	if n[issuance.Attempt] > 2 {
		t.Errorf("taken up again %d times", n[issuance.Attempt])
	}
	delete(n, issuance.Attempt)
	for act := range n {
		if n[act] != 1 {
			t.Errorf("%s is there %d times", act, n[act])
		}
	}
	if len(n) != 9 || entries[len(entries)-1].Act != issuance.LockDone {
		t.Errorf("acts %v", n)
	}
	kdd := c.KDD()
	claim := issuance.Claim{Kind: issuance.ClaimChip, Value: hex.EncodeToString(kdd[:])}
	if got := must(r.store.Claimed(t.Context(), claim))(t); got != issuance.Card(card) {
		t.Errorf("the chip is that of %s", got)
	}
	begun := 0
	for _, e := range must(r.store.Stream(t.Context(), issuance.Application(app)))(t) {
		if e.Act == issuance.Personalise {
			begun++
		}
	}
	if begun != 1 || !c.InUse() {
		t.Errorf("begun %d times, the chip is locked: %v", begun, c.InUse())
	}
}

// every has an accident of a kind happen at 1, 1+stride, … until one comes too late, and
// counts them.
func every(t *testing.T, r *rig, o order, stride int, kind func(n int) accident) int {
	t.Helper()
	points := 0
	for n := 1; r.suffer(t, o, kind(n)); n += stride {
		points++
	}
	return points
}

// everyAccident takes the card out at every command, before it and after it, has the power
// fail in every write to the chip, and the ledger fail at every append, before it and after
// it, and at every reading: each time the next run issues the card, exactly once. With a
// stride it takes some of the commands and readings.
func everyAccident(t *testing.T, stride int, o order) {
	for _, k := range []struct {
		name          string
		stride, least int
		kind          func(n int) accident
	}{
		{"removed before the command", stride, 80, func(n int) accident { return accident{removal: n} }},
		{"removed after the command", stride, 80, func(n int) accident { return accident{removal: n, lost: true} }},
		{"torn write", 1, 30, func(n int) accident { return accident{tear: n} }},
		{"append fails", 1, 9, func(n int) accident { return accident{append: n} }},
		{"append fails after it was written", 1, 9, func(n int) accident { return accident{append: n, after: true} }},
		{"reading fails", stride, 50, func(n int) accident { return accident{read: n} }},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := every(t, r, o, k.stride, k.kind)
			if n*k.stride < k.least {
				t.Errorf("only %d", n)
			}
			r.sound(t)
			t.Logf("%d points", n)
		})
	}
}

func TestEveryAccident(t *testing.T) { everyAccident(t, 5, order{}) }

func TestEveryAccidentSoak(t *testing.T) {
	needSoak(t)
	for name, o := range map[string]order{
		"small": {}, "as large as real ones": {grain: 120}, "BAC only": {bacOnly: true}, "without AA": {noAA: true},
	} {
		t.Run(name, func(t *testing.T) { everyAccident(t, 1, o) })
	}
}

// needSoak skips what takes minutes.
func needSoak(t *testing.T) {
	t.Helper()
	if !soak() {
		t.Skip("TAMTHE_SOAK is not set: this takes minutes")
	}
}

func TestRowsOfAccidents(t *testing.T) {
	t.Parallel()
	rowsOfAccidents(t, 15)
}

func TestRowsOfAccidentsSoak(t *testing.T) {
	t.Parallel()
	needSoak(t)
	rowsOfAccidents(t, 1000)
}

// rowsOfAccidents has several accidents in a row happen to one card.
func rowsOfAccidents(t *testing.T, rounds int) {
	r := newRig(t)
	for i := range rounds {
		var row []accident
		for range 2 + random(4) {
			row = append(row, [...]accident{
				{removal: 1 + random(110)},
				{removal: 1 + random(110), lost: true},
				{tear: 1 + random(30)},
				{append: 1 + random(9)},
				{append: 1 + random(9), after: true},
				{read: 1 + random(60)},
			}[random(6)])
		}
		if r.suffer(t, order{}, row...); t.Failed() {
			t.Fatalf("row %d", i)
		}
	}
	r.sound(t)
}

// TestAttemptLeavesThePhase: a card that is taken up again is still listed where it stands.
func TestAttemptLeavesThePhase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, c := r.approved(t, enrolment(0)), blank()
	for _, at := range []int{3, 2} { // of Generate, and then of the attempt's first act
		card, err := r.through(&faulty{Store: r.store, at: at}).Personalise(t.Context(), app, insert(c), r.plan())
		wantError(t, "cut", err, errFault)
		list := must(r.store.List(t.Context(), issuance.KindCard, issuance.Rotating))(t)
		if len(list) != 1 || list[0].Stream != issuance.Card(card) {
			t.Errorf("rotating: %v", list)
		}
	}
	entries := must(r.store.Stream(t.Context(), issuance.Card(must(r.an.Personalise(t.Context(), app, insert(c), r.plan()))(t))))(t)
	var acts []string
	for _, e := range entries {
		if e.Act == issuance.Attempt {
			acts = append(acts, e.Fields["attempt"])
		}
	}
	if !slices.Equal(acts, []string{"1", "2"}) {
		t.Errorf("attempts %v", acts)
	}
}
