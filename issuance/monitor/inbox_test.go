package monitor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/monitor"
)

// handed is a rig to which anybody may hand in security objects, few of them.
func handed(t *testing.T) (*rig, *authority, *signer) {
	t.Helper()
	r, a, s := signed(t)
	r.box(t)
	return r, a, s
}

func (r *rig) box(t *testing.T) {
	t.Helper()
	inbox, err := monitor.OpenInbox(r.path("drop"))
	if err != nil {
		t.Fatal(err)
	}
	inbox.Narrow(4, 2)
	r.o.Inbox = inbox
	r.start()
	if err := r.m.Recall(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) hand(t *testing.T, octets []byte) {
	t.Helper()
	if err := r.m.Hand(octets); err != nil {
		t.Fatal(err)
	}
}

// waiting wants so many files, and the count to be theirs.
func (r *rig) waiting(t *testing.T, ours, strange int) {
	t.Helper()
	a, b, _ := r.o.Inbox.Waiting()
	if a != ours || b != strange {
		t.Errorf("%d and %d wait, want %d and %d", a, b, ours, strange)
	}
	for folder, n := range map[string]int{"ours": ours, "strange": strange} {
		if list, err := os.ReadDir(filepath.Join(r.path("drop"), folder)); err != nil || len(list) != n {
			t.Errorf("%s: %v, %v", folder, list, err)
		}
	}
}

// TestHandedFlood: somebody fills the drop with cards that they signed with keys of their own:
// minted cards are seen all the same, by a known signer and by one that a CSCA of the log
// certified past it.
func TestHandedFlood(t *testing.T) {
	r, a, s := handed(t)
	_, other, stranger := signed(t)
	flood := func() {
		for range 5 {
			r.hand(t, other.mint(t, stranger))
		}
	}
	flood()
	r.hand(t, a.mint(t, s))
	r.hand(t, a.mint(t, a.signer(t, "ds-666", false)))
	flood()
	r.waiting(t, 2, 2)
	r.quiet(t)
	flood()
	r.box(t) // begun anew, with what lies there
	flood()
	r.now = r.now.Add(25 * time.Hour)
	r.alarms(t, monitor.Unlogged, monitor.StrangeObject)
	r.waiting(t, 0, 2) // the strange ones that came last are waited for
	r.now = r.now.Add(25 * time.Hour)
	r.quiet(t)
	r.waiting(t, 0, 0)
}

// TestHandedOnce: one card is one file, whoever changes what is not the card's own; what was
// judged makes room, and a full drop says so before it is full.
func TestHandedOnce(t *testing.T) {
	r, a, s := handed(t)
	again := func() []byte { return issue(t, s.key)(a.drafted(t, s, nil).Draft, nil) }
	a.cards++
	r.hand(t, again())
	r.hand(t, again())
	r.waiting(t, 1, 0)
	for range 3 {
		r.hand(t, a.card(t, s, s.name))
	}
	if err := r.m.Hand(a.mint(t, s)); !errors.Is(err, monitor.ErrFull) {
		t.Errorf("a full drop: %v", err)
	}
	r.alarms(t, monitor.DropFull)
	r.export(t)
	r.now = r.office.Pass(25 * time.Hour)
	r.alarms(t, monitor.Unlogged)
	r.waiting(t, 0, 0)
	r.hand(t, again())
	r.quiet(t)
}

// failingState cannot change anything some of the times.
type failingState struct {
	monitor.State
	fails int
}

func (s *failingState) Change(ctx context.Context, f func(monitor.Tx) error) error {
	if s.fails > 0 {
		s.fails--
		return errBusy
	}
	return s.State.Change(ctx, f)
}

var errBusy = errors.New("busy")

// TestHandedAndBusy: what was handed in is judged though the memory, or a file, could not be used
// when it was taken.
func TestHandedAndBusy(t *testing.T) {
	r, a, s := handed(t)
	state := &failingState{State: r.watch}
	r.o.State = state
	r.start()
	if err := r.m.Recall(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.quiet(t)
	r.hand(t, a.mint(t, s))
	r.hand(t, a.mint(t, s))
	list, err := filepath.Glob(r.path("drop/ours/*"))
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	state.fails = 1
	if _, err := r.m.Check(t.Context()); !errors.Is(err, errBusy) {
		t.Errorf("a busy memory: %v", err)
	}
	octets, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(list[0]), os.Mkdir(list[0], 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.m.Check(t.Context()); err == nil {
		t.Error("a file that cannot be read is no error")
	}
	if err := os.Remove(list[0]); err != nil {
		t.Fatal(err)
	}
	put(t, list[0], octets)
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	if list := r.alarms(t, monitor.Unlogged); len(list) != 2 {
		t.Errorf("%v", list)
	}
	r.waiting(t, 0, 0)
}

// TestHandedAndSeen: a card that was handed in lies in a folder too: what becomes of the one does
// nothing to the other, and it is one alarm.
func TestHandedAndSeen(t *testing.T) {
	r, a, s := handed(t)
	_, other, stranger := signed(t)
	first, second := a.mint(t, a.signer(t, "ds-666", false)), a.mint(t, s)
	put(t, r.path("seen/1"), first)
	put(t, r.path("seen/2"), second)
	r.quiet(t)
	r.hand(t, first)
	r.hand(t, second)
	third := other.mint(t, stranger)
	r.hand(t, third)
	r.quiet(t)
	put(t, r.path("seen/3"), third)
	r.quiet(t)
	for range 5 { // it gives way to them
		r.hand(t, other.mint(t, stranger))
	}
	r.quiet(t)
	r.waiting(t, 2, 2)
	if n := len(r.sights(t)); n != 7 {
		t.Errorf("%d sights", n)
	}
	r.now = r.now.Add(25 * time.Hour)
	r.only(t, r.check(t), monitor.StrangeObject, monitor.Unlogged)
	r.waiting(t, 0, 0)
	if n := len(r.sights(t)); n != 0 {
		t.Errorf("%d sights", n)
	}
}

// sights are those that were not judged.
func (r *rig) sights(t *testing.T) (list []monitor.Sight) {
	t.Helper()
	err := r.watch.Change(t.Context(), func(tx monitor.Tx) (err error) { list, err = tx.Sights(); return err })
	if err != nil {
		t.Fatal(err)
	}
	return list
}
