package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/turns"
)

// waiting is an append on its way.
type waiting struct {
	turns.Ticket
	at    issuance.Head
	rows  []issuance.Encoded
	guard guard // asked once the log is locked; nil: nothing is asked
}

// guard may refuse an append in its transaction. One that stands before several appends is
// asked once.
type guard interface {
	admit(ctx context.Context, q querier) error
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

// Append implements [issuance.Ledger]. When it returns nil the entries are on the disk, and
// on that of the synchronous standby where the server has one, under a checkpoint that signs
// them. ctx is heeded while waiting for other appends; an append that has begun is finished.
//
// A server that went away is asked again, for as long as Options.Busy: what it had done by
// then is found by the entries' identities and not done twice.
//
// Without the log key the entries are handed in for a sequencer to append, see Sequence. The
// errors are the same; a ctx that ends while an outcome is waited for is ErrAway too.
//
// Errors besides those of the interface: ledger.ErrReadOnly without the right to write, ErrFull,
// ErrBusy, ErrDamaged, and ErrCopy if the checkpoint of the last append could not be copied and
// still cannot: after any of them nothing was added. ErrAway: the server did not come back in
// time; the entries may have been added, and to append them again tells.
func (l *Ledger) Append(ctx context.Context, at issuance.Head, entries ...issuance.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if l.writer == nil {
		return fmt.Errorf("append to the ledger: %w: it was opened for reading", ledger.ErrReadOnly)
	}
	if l.o.Signer == nil {
		if err := l.submit(ctx, at, entries); err != nil {
			return fmt.Errorf("append to the ledger: %w", typed(err))
		}
		return nil
	}
	rows, err := issuance.EncodeAll(entries)
	if err != nil {
		return fmt.Errorf("append to the ledger: %w", err)
	}
	if err := l.group.Wait(ctx, &waiting{Ticket: turns.NewTicket(), at: at, rows: rows}, shared, l.work); err != nil {
		return fmt.Errorf("append to the ledger: %w", typed(err))
	}
	return nil
}

// work appends what was taken.
func (l *Ledger) work(taken []*waiting) { turns.Together(taken, l.commit) }

// commit runs one transaction, again and again while what stops it passes. What has begun is
// finished or given up after Options.Busy; the caller's context ends nothing. bad is the
// append that did not hold, -1 if none is to blame.
//
// A transaction that was under way when the connection was lost ends before the next locks
// the log, or never: so that next one finds its entries, or they are not there and never will be.
func (l *Ledger) commit(taken []*waiting) (bad int, err error) {
	if err := l.copies.Settled(); err != nil {
		return -1, err
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*l.o.Busy)
	defer stop()
	err = again(ctx, l.o.Busy, func() error {
		if l.mayHope(taken) {
			if bad, err = l.once(ctx, taken, hopeful); err == nil || away(err) {
				return err
			}
		}
		bad, err = l.once(ctx, taken, locked)
		if code := state(err); code == stateUniqueViolation || code == stateDivisionByZero {
			bad, err = l.once(ctx, taken, careful) // to tell whose it is
		}
		return err
	})
	return bad, err
}

// manner is how a transaction goes about it.
type manner int

const (
	// locked takes two round trips: one locks the log and looks up what is there, one writes.
	locked manner = iota
	// careful takes one more, before the commit, to tell whose fault it is that something is taken.
	careful
	// hopeful takes one: it counts on the log being as this program left it. Where it is not,
	// or anything else does not hold, the transaction fails and tells nothing.
	hopeful
)

// mayHope reports whether it is likely that nobody else appended since, and nothing is to be
// asked while the log is locked.
func (l *Ledger) mayHope(taken []*waiting) bool {
	entries, attached := 0, 0
	for _, w := range taken {
		if w.guard != nil {
			return false
		}
		entries += len(w.rows)
		for i := range w.rows {
			attached += len(w.rows[i].Entry.Attach)
		}
	}
	c := &l.writer.cache
	return c.tree != nil && c.size > 0 && !c.month.month.IsZero() && c.book.Len() < maxStreams && entries < many && attached < many &&
		l.writer.conn != nil && !l.writer.conn.IsClosed()
}

// once tries once, and forgets after an error what may not be so any more.
func (l *Ledger) once(ctx context.Context, taken []*waiting, how manner) (bad int, err error) {
	c, bad, err := l.try(ctx, taken, how)
	if err == nil {
		if c != nil { // else they were there
			l.copies.Put(c.Note)
		}
		return -1, nil
	}
	l.writer.cache.drop()
	if bad < 0 && !refused(err) { // it is not known how the connection stands
		l.writer.hangUp()
		l.months.forget()
	}
	return bad, err
}

// refused reports whether the server itself ended the transaction and still listens.
func refused(err error) bool { return state(err) != "" && !away(err) }

// try is the transaction of appends that waited side by side. Each is judged after those
// before it, as if it came alone. The transaction is undone at the first that does not hold,
// whose place is bad. It returns the checkpoint that it committed, nil if all entries were in
// the ledger already.
func (l *Ledger) try(ctx context.Context, group []*waiting, how manner) (c *ledger.Checkpoint, bad int, err error) {
	conn, err := l.writer.connection(ctx)
	if err != nil {
		return nil, -1, err
	}
	w := &writing{l: l, conn: conn, how: how}
	if how == hopeful {
		w.head = l.writer.cache.head()
	} else {
		w.head, w.there, err = begin(ctx, conn, identities(group))
	}
	defer func() {
		if err != nil {
			abandon(conn)
		}
	}()
	if err == nil && w.head.size < l.writer.acked { // nothing is built on what a failover took back
		err = fmt.Errorf("%w: the server has %d entries, it acknowledged %d", ledger.ErrRolledBack, w.head.size, l.writer.acked)
	}
	if err == nil {
		err = l.refresh(ctx, conn, w.head)
	}
	if err != nil {
		return nil, -1, err
	}
	bad, err = w.judge(ctx, group)
	if err == nil {
		c, bad, err = w.write(ctx)
	}
	return c, bad, err
}

// identities are those of all entries that wait.
func identities(group []*waiting) [][]byte {
	var ids [][]byte
	for _, a := range group {
		for i := range a.rows {
			ids = append(ids, a.rows[i].Entry.ID[:])
		}
	}
	return ids
}

// repeated reports whether the entries are in the ledger already, octet for octet: all of
// them, or none.
func (w *writing) repeated(ctx context.Context, rows []issuance.Encoded) (bool, error) {
	found := 0
	for i := range rows {
		leaf, err := w.found(ctx, rows[i].Entry.ID)
		switch {
		case err != nil:
			return false, err
		case leaf == nil:
			continue
		case !bytes.Equal(leaf, rows[i].Leaf):
			return false, fmt.Errorf("entry %x is another: %w", rows[i].Entry.ID, issuance.ErrConflict)
		}
		found++
	}
	if found > 0 && found < len(rows) {
		return false, fmt.Errorf("%d of %d entries are there: %w", found, len(rows), issuance.ErrConflict)
	}
	return found > 0, nil
}

// found returns the leaf of the entry of an identity, which may be of an append before in this
// transaction; nil if there is none.
func (w *writing) found(ctx context.Context, id [16]byte) ([]byte, error) {
	if i, ok := w.mine[id]; ok {
		return w.rows[i].Leaf, nil
	}
	index, ok := w.there[id]
	if !ok {
		return nil, nil
	}
	leaf, err := w.l.leaf(ctx, w.conn, index)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%w: entry %x is not at %d", ledger.ErrDamaged, id, index)
	}
	return leaf, err
}
