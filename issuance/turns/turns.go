// Package turns lets work that waits for one writer at the same time be done together: it is
// the group commit of the stores.
package turns

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
)

// Queue lets work that waits for the writer at the same time share one transaction, and so
// one wait for the disk. Whoever comes first does the work of all that have come by then;
// there is no goroutine of its own. The zero value is ready.
type Queue[W Work] struct {
	once sync.Once
	turn chan struct{} // holds a token while somebody does the work

	mu    sync.Mutex
	queue []W
}

// Work is what waits for its turn: a pointer to what embeds a Ticket.
type Work interface {
	comparable
	ticket() *Ticket
}

// Ticket is how one's work ends.
type Ticket struct {
	Err  error         // of the work; set before Done
	done chan struct{} // closed once Err is known
	once sync.Once
}

func (t *Ticket) ticket() *Ticket { return t }

// NewTicket returns a ticket whose work has not ended.
func NewTicket() Ticket { return Ticket{done: make(chan struct{})} }

// Done says that the work has ended.
func (t *Ticket) Done() { t.once.Do(func() { close(t.done) }) }

// ErrAbandoned means that whoever did the work for several broke off: nobody knows whether it
// was done.
var ErrAbandoned = errors.New("the work was broken off")

// Wait waits until the work is done, by this caller or another. ctx is heeded until somebody
// has begun with it: what has begun is finished, so that its outcome is never in doubt. share
// says how many of those that wait, the first first, are done together; do does them, and
// calls each one's Done.
func (g *Queue[W]) Wait(ctx context.Context, w W, share func([]W) int, do func([]W)) error {
	g.once.Do(func() { g.turn = make(chan struct{}, 1) })
	g.mu.Lock()
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	mine := w.ticket()
	for {
		select {
		case <-mine.done:
			return mine.Err
		case <-ctx.Done():
			if g.withdraw(w) {
				return ctx.Err()
			}
			<-mine.done
			return mine.Err
		case g.turn <- struct{}{}:
			g.act(func() {
				runtime.Gosched() // let those whose work has just ended come with their next
				if ctx.Err() == nil && g.waits(w) {
					finish(g.take(share), do)
				}
			})
		}
	}
}

// Alone waits for the turn and does something else in it. ctx is heeded until then.
func (g *Queue[W]) Alone(ctx context.Context, do func()) error {
	g.once.Do(func() { g.turn = make(chan struct{}, 1) })
	select {
	case <-ctx.Done():
		return ctx.Err()
	case g.turn <- struct{}{}:
	}
	g.act(do)
	return nil
}

// act gives the turn back, however what is done in it ends.
func (g *Queue[W]) act(do func()) {
	defer func() { <-g.turn }()
	do()
}

// finish does the work and lets nobody wait for what a panic left undone.
func finish[W Work](taken []W, do func([]W)) {
	all := slices.Clone(taken)
	done := false
	defer func() {
		if done {
			return
		}
		for _, w := range all {
			t := w.ticket()
			select {
			case <-t.done:
			default:
				t.Err = ErrAbandoned
				t.Done()
			}
		}
	}()
	do(taken)
	done = true
}

// waits reports whether nobody has begun with it.
func (g *Queue[W]) waits(w W) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.queue, w)
}

// withdraw takes it out of the queue; false if somebody has begun with it.
func (g *Queue[W]) withdraw(w W) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, w)
	if i < 0 {
		return false
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	return true
}

// take begins with those that came first.
func (g *Queue[W]) take(share func([]W) int) []W {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := share(g.queue)
	taken := slices.Clone(g.queue[:n])
	g.queue = slices.Delete(g.queue, 0, n)
	return taken
}

// maxFaults is how much work is left out of a transaction before all that is left is done one
// by one.
const maxFaults = 16

// Together does what was taken in one transaction. What does not hold is left out and tried
// alone afterwards, so that nobody fails for another's fault. commit does some in one
// transaction, all or none; bad is the place of what did not hold, -1 if none is to blame.
func Together[W Work](taken []W, commit func([]W) (bad int, err error)) {
	var alone []W
	for len(taken) > 1 {
		bad, err := commit(taken)
		if err == nil {
			for _, w := range taken {
				w.ticket().Done()
			}
			taken = nil
			break
		}
		if bad < 0 || len(alone) == maxFaults {
			break
		}
		alone = append(alone, taken[bad])
		taken = slices.Delete(taken, bad, bad+1)
	}
	for _, w := range append(taken, alone...) {
		_, w.ticket().Err = commit([]W{w})
		w.ticket().Done()
	}
}
