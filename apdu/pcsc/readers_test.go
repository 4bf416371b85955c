//go:build linux && cgo && !nopcsc

package pcsc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// running says whether the watcher's goroutine lives.
func (w *watcher) alive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

func find(t *testing.T, name string) Reader {
	t.Helper()
	readers, err := Readers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readers {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("%q is not among %v", name, readers)
	return Reader{}
}

func TestReadersSeeCards(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	if r := find(t, name); r.Card || r.ATR != nil {
		t.Errorf("empty: %+v", r)
	}
	chip := insert(t, name, addr, ok)
	if r := find(t, name); !r.Card || !bytes.Equal(r.ATR, testATR) {
		t.Errorf("with a card: %+v", r)
	}
	card := open(t, name, Options{Exclusive: true})
	held := func() bool { return find(t, name).Busy }
	for end := time.Now().Add(2 * slice); !held(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("an exclusive holder is not seen")
		}
	}
	card.Close()
	if _, err := Pick(t.Context(), name); err != nil {
		t.Error("pick:", err)
	}
	chip.remove()
	gone := func() bool { r := find(t, name); return !r.Card && r.ATR == nil }
	for end := time.Now().Add(2 * time.Second); !gone(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the card is still seen")
		}
	}
	if _, err := Pick(t.Context(), name); !errors.Is(err, ErrNoCard) {
		t.Error("pick:", err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	if err := Wait(t.Context(), "no such reader"); !errors.Is(err, ErrNoReader) {
		t.Error("no reader:", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := Wait(ctx, name); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("no card:", err)
	}
	if d := time.Since(start); d > 5*time.Second { // a hang, not a busy machine
		t.Error("cancelling took", d)
	}
	insert(t, name, addr, ok)
	if err := Wait(t.Context(), ""); err != nil {
		t.Error("any reader:", err)
	}
}

// TestManyWatch: the binding must see one caller only, however many wait.
func TestManyWatch(t *testing.T) {
	name, addr := slot(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := Wait(t.Context(), name); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			for range 50 {
				if r, err := Readers(t.Context()); err != nil || len(r) != rig.daemon.Slots() {
					t.Error(len(r), err)
				}
			}
		})
	}
	insert(t, name, addr, ok)
	all.Wait()
	for end := time.Now().Add(4 * slice); theWatcher.alive(); time.Sleep(slice / 10) {
		if time.Now().After(end) {
			t.Fatal("the watcher outlives its subscribers")
		}
	}
}

// TestMuteCard: what gives no proper answer to reset is no card, or one that is refused.
func TestMuteCard(t *testing.T) {
	for _, atr := range [][]byte{{}, {0x3B}, {0x00, 0x00}, bytes.Repeat([]byte{0x3B}, 34)} {
		t.Run(fmt.Sprintf("%X", atr), func(t *testing.T) {
			t.Parallel()
			name, addr := slot(t)
			c := &chip{t: t, addr: addr, atr: atr, answer: ok}
			c.connect()
			defer c.remove()
			time.Sleep(600 * time.Millisecond)
			if r := find(t, name); len(r.ATR) > 33 || r.Mute && r.ATR != nil {
				t.Errorf("%+v", r)
			}
			_, err := Open(t.Context(), name, Options{})
			if !errors.Is(err, ErrUnresponsive) && !errors.Is(err, ErrNoCard) {
				t.Error(err)
			}
		})
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	name, addr := slot(t)
	chip := insert(t, name, addr, ok)
	d := Diagnose(t.Context())
	if d.Service != nil || d.Library == "" || len(d.Readers) != rig.daemon.Slots() {
		t.Fatalf("%+v", d)
	}
	for _, r := range d.Readers {
		if r.Name == name && (r.Protocol != T1 || r.Error != nil || r.Extended != ExtendedYes || r.CardRate != 0) {
			t.Errorf("%+v", r)
		}
	}
	if chip.seen() != 0 {
		t.Error("it sent commands")
	}
}
