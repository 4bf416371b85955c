package sqlite

import (
	"cmp"
	"context"
	"errors"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/turns"
)

// waiting is an append on its way.
type waiting struct {
	turns.Ticket
	at   issuance.Head
	rows []issuance.Encoded
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

// work appends what was taken.
func (l *Ledger) work(taken []*waiting) { turns.Together(taken, l.commit) }

// commit runs one transaction; what has begun is finished, so that its outcome is never
// in doubt. bad is the append that did not hold, -1 if none is to blame.
func (l *Ledger) commit(taken []*waiting) (bad int, err error) {
	ctx := context.Background()
	conn, err := l.writer.Conn(ctx)
	if err != nil {
		return -1, err
	}
	defer conn.Close()
	if err := l.copies.Settled(); err != nil {
		return -1, err
	}
	c, bad, err := l.append(ctx, conn, taken)
	if errors.Is(typed(err), ledger.ErrDamaged) { // a trigger refused it
		err = cmp.Or(moved(ctx, conn), err)
	}
	if err == nil && c != nil { // else they were there
		l.copies.Put(c.Note)
	}
	return bad, err
}
