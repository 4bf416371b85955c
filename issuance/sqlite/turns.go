package sqlite

import (
	"context"
	"slices"
	"sync"
)

// turns lets work that waits for the writer at the same time share one transaction, and so
// one wait for the disk. Whoever comes first does the work of all that have come by then;
// there is no goroutine of its own. The zero value is ready.
type turns[W work] struct {
	once sync.Once
	turn chan struct{} // holds a token while somebody does the work

	mu    sync.Mutex
	queue []W
}

// work is what waits for its turn: a pointer to what embeds a ticket.
type work interface {
	comparable
	outcome() *ticket
}

// ticket is how one's work ends.
type ticket struct {
	done chan struct{} // closed once err is known
	err  error
}

func (t *ticket) outcome() *ticket { return t }

func newTicket() ticket { return ticket{done: make(chan struct{})} }

// wait waits until the work is done, by this caller or another. ctx is heeded until somebody
// has begun with it: what has begun is finished, so that its outcome is never in doubt. share
// says how many of those that wait, the first first, are done together; do does them, and
// closes each one's ticket.
func (g *turns[W]) wait(ctx context.Context, w W, share func([]W) int, do func([]W)) error {
	g.once.Do(func() { g.turn = make(chan struct{}, 1) })
	g.mu.Lock()
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	mine := w.outcome()
	for {
		select {
		case <-mine.done:
			return mine.err
		case <-ctx.Done():
			if g.withdraw(w) {
				return ctx.Err()
			}
			<-mine.done
			return mine.err
		case g.turn <- struct{}{}:
			if ctx.Err() == nil && g.waits(w) {
				do(g.take(share))
			}
			<-g.turn
		}
	}
}

// waits reports whether nobody has begun with it.
func (g *turns[W]) waits(w W) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.queue, w)
}

// withdraw takes it out of the queue; false if somebody has begun with it.
func (g *turns[W]) withdraw(w W) bool {
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
func (g *turns[W]) take(share func([]W) int) []W {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := share(g.queue)
	taken := slices.Clone(g.queue[:n])
	g.queue = slices.Delete(g.queue, 0, n)
	return taken
}
