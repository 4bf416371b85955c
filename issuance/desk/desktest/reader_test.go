//go:build linux && cgo

package desktest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/card/virtual"
)

// patience is how long anything may take that takes a second at most, on a machine that has
// more to do.
const patience = time.Minute

// reader is a slot of the service that one test has for itself.
type reader struct {
	t          testing.TB
	name, addr string
}

// newReader waits for a slot, or skips the test.
func newReader(t testing.TB) *reader {
	t.Helper()
	d := daemon(t)
	n := <-service.free
	t.Cleanup(func() { service.free <- n })
	return readerOf(t, d, n)
}

// readerOf is a slot that will be empty after the test.
func readerOf(t testing.TB, d *private.Daemon, n int) *reader {
	r := &reader{t: t, name: d.ReaderName(n), addr: d.Addr(n)}
	t.Cleanup(r.empty)
	return r
}

// present waits until the service sees a card.
func (r *reader) present() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := pcsc.Wait(ctx, r.name); err != nil {
		r.t.Fatalf("%s: %v", r.name, err)
	}
}

// empty waits until the service sees no card. One that is put back earlier than the
// service looks is to it the same card, never gone.
func (r *reader) empty() {
	r.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		list, err := pcsc.Readers(context.Background())
		if err != nil {
			r.t.Fatal(err)
		}
		if !slices.ContainsFunc(list, func(o pcsc.Reader) bool { return o.Name == r.name && o.Card }) {
			return
		}
	}
	r.t.Fatalf("%s: the card is still there", r.name)
}

// look is a little longer than it takes the service to look for cards again. When it fails
// to reset a card it says at once that there is none, but a card that comes before its
// next look it takes for the one it had, and does not announce it.
const look = 450 * time.Millisecond

// vacant waits until the service has looked and seen no card, so that it announces the next.
func (r *reader) vacant() {
	r.t.Helper()
	r.empty()
	time.Sleep(look)
}

// open opens the card in the reader.
func (r *reader) open(o pcsc.Options) *pcsc.Card {
	r.t.Helper()
	c, err := pcsc.Open(r.t.Context(), r.name, o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

// hand holds a chip, at first beside the reader.
type hand struct {
	*reader
	chip    *virtual.Chip
	control chan virtual.Event
	ready   chan struct{}
}

// hold gives the chip into a hand that lets go of it at the test's end.
func (r *reader) hold(chip *virtual.Chip) *hand {
	h := &hand{r, chip, make(chan virtual.Event), make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- virtual.Serve(context.Background(), chip, virtual.ServeOptions{
			Addr: r.addr, Out: true, Control: h.control, Ready: func() { h.ready <- struct{}{} },
		})
	}()
	r.t.Cleanup(func() {
		close(h.control)
		if err := <-ended; err != nil {
			r.t.Errorf("serve: %v", err)
		}
	})
	return h
}

// insert puts the chip in and waits until the service sees it.
func (h *hand) insert() {
	h.t.Helper()
	h.empty()
	h.control <- virtual.Insert
	select {
	case <-h.ready:
	case <-time.After(patience):
		h.t.Fatalf("%s: nobody asked for the ATR", h.name)
	}
	h.present()
}

// inserted opens the chip after putting it in.
func (h *hand) inserted() *pcsc.Card {
	h.t.Helper()
	h.insert()
	return h.open(pcsc.Options{})
}

// yank takes the chip out, whatever is going on, before anybody notices.
func (h *hand) yank() { h.control <- virtual.Remove }

// remove takes the chip out and waits until the service sees it.
func (h *hand) remove() {
	h.t.Helper()
	h.yank()
	h.empty()
}

// tap is an open card whose commands are counted; act, if not nil, happens before each, and
// atReset before a reset.
type tap struct {
	*pcsc.Card
	n       int
	act     func(n int) error
	atReset func()
}

func (w *tap) Reset(ctx context.Context) error {
	if w.atReset != nil {
		w.atReset()
	}
	return w.Card.Reset(ctx)
}

func (w *tap) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	w.n++
	if w.act != nil {
		if err := w.act(w.n); err != nil {
			return nil, err
		}
	}
	return w.Card.Exchange(ctx, b)
}
