package sqlite

import (
	"context"
	"slices"
	"sync"

	"github.com/tamthe/tamthe/issuance"
)

// group lets appends that wait for the writer at the same time share one transaction, and
// so one wait for the disk and one checkpoint. Whoever comes first does the work of all
// that have come by then; there is no goroutine of its own.
type group struct {
	once sync.Once
	turn chan struct{} // holds a token while somebody does the work

	mu    sync.Mutex
	queue []*waiting
}

// waiting is an append on its way.
type waiting struct {
	at   issuance.Head
	rows []row
	done chan struct{} // closed once err is known
	err  error
}

// maxGroup is how many entries share a transaction, one append's own apart.
const maxGroup = 512

// append waits until the work is done, by this caller or another. ctx is heeded until
// somebody has begun with it.
func (g *group) append(ctx context.Context, l *Ledger, w *waiting) error {
	g.once.Do(func() { g.turn = make(chan struct{}, 1) })
	g.mu.Lock()
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	for {
		select {
		case <-w.done:
			return w.err
		case <-ctx.Done():
			if g.withdraw(w) {
				return ctx.Err()
			}
			<-w.done
			return w.err
		case g.turn <- struct{}{}:
			if ctx.Err() == nil && g.waits(w) {
				l.work(g.take())
			}
			<-g.turn
		}
	}
}

// waits reports whether nobody has begun with it.
func (g *group) waits(w *waiting) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.queue, w)
}

// withdraw takes it out of the queue; false if somebody has begun with it.
func (g *group) withdraw(w *waiting) bool {
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
func (g *group) take() []*waiting {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, entries := 0, 0
	for n < len(g.queue) && (n == 0 || entries+len(g.queue[n].rows) <= maxGroup) {
		entries += len(g.queue[n].rows)
		n++
	}
	taken := slices.Clone(g.queue[:n])
	g.queue = slices.Delete(g.queue, 0, n)
	return taken
}

// work appends what was taken in one transaction. One that does not hold is left out and
// tried alone afterwards, so that nobody fails for another's fault.
func (l *Ledger) work(taken []*waiting) {
	var alone []*waiting
	for len(taken) > 1 {
		bad, err := l.commit(taken)
		if err == nil {
			for _, w := range taken {
				close(w.done)
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
		_, w.err = l.commit([]*waiting{w})
		close(w.done)
	}
}

// maxFaults is how many appends are left out of a transaction before all that are left go
// one by one.
const maxFaults = 16

// commit runs one transaction; what has begun is finished, so that its outcome is never
// in doubt. bad is the append that did not hold, -1 if none is to blame.
func (l *Ledger) commit(taken []*waiting) (bad int, err error) {
	ctx := context.Background()
	conn, err := l.writer.Conn(ctx)
	if err != nil {
		return -1, err
	}
	defer conn.Close()
	if err := l.copies.settled(); err != nil {
		return -1, err
	}
	c, bad, err := l.append(ctx, conn, taken)
	if err == nil && c != nil { // else they were there
		l.copies.put(c.Note)
	}
	return bad, err
}
