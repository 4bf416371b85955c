package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

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
	guard func(ctx context.Context, tx pgx.Tx) error // asked once the log is locked; nil: nothing is asked
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
// Errors besides those of the interface: ledger.ErrReadOnly without the right to write, ErrFull, ErrBusy, ErrDamaged, and ErrCopy if the checkpoint of the last append could
// not be copied and still cannot: after any of them nothing was added. ErrAway: the server did
// not come back in time; the entries may have been added, and to append them again tells.
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

// pause is between two tries.
const pause = 50 * time.Millisecond

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
	for until := time.Now().Add(l.o.Busy); ; time.Sleep(pause) {
		c, bad, err := l.try(ctx, taken)
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
		if !passing(err) || time.Now().After(until) {
			return bad, err
		}
	}
}

// refused reports whether the server itself ended the transaction and still listens.
func refused(err error) bool { return state(err) != "" && !away(err) }

// try is the transaction of appends that waited side by side. Each is judged after those
// before it, as if it came alone. The transaction is undone at the first that does not hold,
// whose place is bad. It returns the checkpoint that it committed, nil if all entries were in
// the ledger already.
func (l *Ledger) try(ctx context.Context, group []*waiting) (c *ledger.Checkpoint, bad int, err error) {
	conn, err := l.writer.connection(ctx)
	if err != nil {
		return nil, -1, err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, -1, err
	}
	defer rollback(tx)
	h, err := lockHead(ctx, tx)
	if err == nil {
		err = l.refresh(ctx, tx, h)
	}
	if err != nil {
		return nil, -1, err
	}
	w := &writing{l: l, tx: tx, head: h}
	bad, err = w.judge(ctx, group)
	if err == nil {
		bad, err = w.write(ctx)
	}
	if whose, signed := w.signatures(); signed != nil && err == nil {
		bad, err = whose, signed
	}
	if err == nil && len(w.rows) > 0 {
		c, err = w.sign(ctx)
	}
	if err != nil {
		return nil, bad, err
	}
	return c, -1, acknowledge(ctx, tx)
}

// acknowledge commits, also where nothing was written: what was found there may be of a
// transaction that is on this server's disk only, and the lock of the log's row makes the
// commit wait until all before it is where it must be.
func acknowledge(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }

// repeated reports whether the entries are in the ledger already, octet for octet. If the
// first is, the others must be too. If it is not, none may be; the key of identities refuses
// any that is.
func (w *writing) repeated(ctx context.Context, rows []issuance.Encoded) (bool, error) {
	ids := make([][]byte, len(rows))
	for i := range rows {
		ids[i] = rows[i].Entry.ID[:]
	}
	there, err := w.found(ctx, ids)
	if err != nil || len(there) == 0 {
		return false, err
	}
	for i, id := range ids {
		switch leaf := there[string(id)]; {
		case leaf == nil:
			return false, fmt.Errorf("%d of %d entries are there: %w", len(there), len(rows), issuance.ErrConflict)
		case !bytes.Equal(leaf, rows[i].Leaf):
			return false, fmt.Errorf("entry %x is another: %w", id, issuance.ErrConflict)
		}
	}
	return true, nil
}

// found returns the leaves of the entries of those identities that are in the ledger, those
// of this transaction's earlier appends among them.
func (w *writing) found(ctx context.Context, ids [][]byte) (map[string][]byte, error) {
	leaves := map[string][]byte{}
	for _, id := range ids {
		if i, ok := w.mine[[16]byte(id)]; ok {
			leaves[string(id)] = w.rows[i].Leaf
		}
	}
	rows, err := w.tx.Query(ctx, "SELECT id, idx FROM identity WHERE id = ANY($1)", ids)
	if err != nil {
		return nil, err
	}
	type place struct {
		id    []byte
		index int64
	}
	places, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p place, err error) {
		err = row.Scan(&p.id, &p.index)
		return p, err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		leaf, err := w.l.leaf(ctx, w.tx, p.index)
		if err != nil {
			return nil, err
		}
		leaves[string(p.id)] = leaf
	}
	return leaves, nil
}
