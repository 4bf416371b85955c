package monitor_test

import (
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
