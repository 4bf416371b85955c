package sqlite

import (
	"context"
	"slices"

	"github.com/tamthe/tamthe/issuance"
)

// waiting is an append on its way.
type waiting struct {
	ticket
	at   issuance.Head
	rows []row
}

// maxGroup is how many entries share a transaction, one append's own apart.
const maxGroup = 512

// shared is how many appends share a transaction, and so one checkpoint.
func shared(queue []*waiting) (n int) {
	entries := 0
	for n < len(queue) && (n == 0 || entries+len(queue[n].rows) <= maxGroup) {
		entries += len(queue[n].rows)
		n++
	}
	return n
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
