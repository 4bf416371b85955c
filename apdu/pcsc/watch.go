//go:build cgo && !nopcsc

package pcsc

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ebfe/scard"
)

// sight is what the watcher saw: the readers, or why it ended.
type sight struct {
	readers []Reader
	err     error
}

// watcher is the one place of a process that asks for readers' states: the binding keeps
// one C string for each reader name and frees it under a second caller's call. Its
// goroutine has a service context of its own, since a waiting call blocks all others on
// its context. It starts with the first subscriber and ends at most a slice after the
// last, or with the service.
type watcher struct {
	mu      sync.Mutex
	running bool
	last    *sight // of the running goroutine, nil before its first look
	next    chan struct{}
	wanted  int // subscribers
}

// theWatcher is a variable of the package because the flaw that it works around belongs
// to the process.
var theWatcher watcher

// slice is how long one call waits, and so how old the list of readers may be. Presence
// of cards comes at once.
const slice = 250 * time.Millisecond

// watch calls see with what is seen, now and after each change, until see returns true,
// ctx is done or the service ends. The service has d for its first answer.
func (w *watcher) watch(ctx context.Context, d time.Duration, see func([]Reader) bool) error {
	w.join()
	defer w.leave()
	timer := time.NewTimer(d)
	defer timer.Stop()
	late := timer.C
	for {
		last, next := w.look()
		if last != nil {
			if last.err != nil {
				return last.err
			}
			if see(last.readers) {
				return nil
			}
			late = nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return ErrNoService
		}
	}
}

func (w *watcher) join() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted++
	if !w.running {
		w.running, w.last, w.next = true, nil, make(chan struct{})
		go w.run()
	}
}

func (w *watcher) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted--
}

// look returns the last sight and a channel that is closed at the next one.
func (w *watcher) look() (*sight, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.next
}

// show publishes s and says whether anybody still wants more; if not, or if s is an end,
// the goroutine must end.
func (w *watcher) show(s sight) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = &s
	close(w.next)
	w.next = make(chan struct{})
	w.running = s.err == nil && w.wanted > 0
	return w.running
}

func (w *watcher) run() {
	c, err := scard.EstablishContext()
	if err != nil {
		w.show(sight{err: refusal(err)})
		return
	}
	defer c.Release()
	var known []scard.ReaderState
	for {
		known, err = glance(c, known)
		if err != nil {
			w.show(sight{err: problem(err)})
			return
		}
		if !w.show(sight{readers: readersOf(known)}) {
			return
		}
	}
}

// glance waits for a change to what is known, a slice at most, and returns what is then
// known. The first time, and for new readers, it doesn't wait.
func glance(c *scard.Context, known []scard.ReaderState) ([]scard.ReaderState, error) {
	names, err := c.ListReaders()
	switch {
	case errors.Is(err, scard.ErrNoReadersAvailable):
		if known != nil { // nothing was there before either
			time.Sleep(slice)
		}
		return []scard.ReaderState{}, nil
	case errors.Is(err, scard.ErrInsufficientBuffer): // one more came between its two calls
		return glance(c, known)
	case err != nil:
		return nil, err
	}
	slices.Sort(names)
	names = slices.Compact(names) // twice the same name in one call would free it in use
	states := make([]scard.ReaderState, len(names))
	for i, name := range names {
		states[i].Reader = name
		for _, k := range known {
			if k.Reader == name {
				states[i] = k
				states[i].CurrentState = k.EventState &^ scard.StateChanged
			}
		}
		states[i].Atr = nil // sent to the service for nothing otherwise
	}
	switch err := c.GetStatusChange(states, slice); {
	case errors.Is(err, scard.ErrTimeout):
		return known, nil
	case errors.Is(err, scard.ErrUnknownReader), errors.Is(err, scard.ErrReaderUnavailable):
		return glance(c, known) // one left between the two calls
	case err != nil:
		return nil, err
	}
	return states, nil
}

// readersOf says what the states mean. Readers that the service just lost are left out;
// the ATR is read only where a card is, because it stays behind when the card goes.
func readersOf(states []scard.ReaderState) []Reader {
	readers := make([]Reader, 0, len(states))
	for _, s := range states {
		has := func(f scard.StateFlag) bool { return s.EventState&f != 0 }
		if has(scard.StateUnknown) || has(scard.StateIgnore) {
			continue
		}
		r := Reader{Name: s.Reader, Card: has(scard.StatePresent), Mute: has(scard.StateMute), Busy: has(scard.StateExclusive)}
		if r.Card && !r.Mute {
			r.ATR = slices.Clone(s.Atr)
		}
		readers = append(readers, r)
	}
	return readers
}
