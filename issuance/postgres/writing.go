package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// writing is the transaction of one group of appends.
type writing struct {
	l     *Ledger
	conn  *pgx.Conn
	head  head
	there map[[16]byte]int64 // identities that are in the ledger, and where
	how   manner

	rows  []issuance.Encoded // of all appends, in the order of the log
	whose []int              // for each row the place of its append in the group
	mine  map[[16]byte]int   // rows by their identity

	verifying []verifying
}

// verifying are the signatures of an append, which are verified meanwhile.
type verifying struct {
	append int
	wait   func() error
}

// judge asks the rules about each append after those before it. What is in the ledger
// already is left out. bad is the place of the first that does not hold.
func (w *writing) judge(ctx context.Context, group []*waiting) (bad int, err error) {
	c := &w.l.writer.cache
	w.mine = map[[16]byte]int{}
	var asked guard
	for i, a := range group {
		if a.guard != nil && a.guard != asked {
			if err := a.guard.admit(ctx, w.conn); err != nil {
				return i, err
			}
			asked = a.guard
		}
		there, err := w.repeated(ctx, a.rows)
		if err != nil {
			return i, err
		}
		if there {
			continue
		}
		size := w.head.size + int64(len(w.rows))
		wait, err := c.book.Admit(ctx, &reader{w.l, w.conn}, size, a.at, a.rows, func() ([]issuance.StreamID, error) { return operators(ctx, w.conn) })
		w.verifying = append(w.verifying, verifying{i, wait})
		if err != nil {
			return i, err
		}
		for _, r := range a.rows {
			if _, twice := w.mine[r.Entry.ID]; twice {
				return i, fmt.Errorf("entry %x is there twice: %w", r.Entry.ID, issuance.ErrConflict)
			}
			w.mine[r.Entry.ID] = len(w.rows)
			w.rows, w.whose = append(w.rows, r), append(w.whose, i)
		}
	}
	return -1, nil
}

// signatures waits until all are verified, and returns the place and the error of the first
// append that has a wrong one; nil if none has. It is to be called whatever happened before.
func (w *writing) signatures() (whose int, wrong error) {
	for _, v := range w.verifying {
		if err := v.wait(); err != nil && wrong == nil {
			whose, wrong = v.append, err
		}
	}
	w.verifying = nil
	return whose, wrong
}

// many is from how many rows on they are copied in.
const many = 64

// write adds the rows, lets the tree grow, and commits. bad is the append that did not hold,
// -1 if none is to blame. It returns no checkpoint if there is nothing to write.
func (w *writing) write(ctx context.Context) (c *ledger.Checkpoint, bad int, err error) {
	b := &pgx.Batch{}
	take := takings{w: w}
	if len(w.rows) > 0 {
		var row int
		if row, err = take.plan(); err != nil {
			bad = w.blame(row)
		} else {
			c, err = w.queue(ctx, b, &take)
			bad = -1
		}
	}
	if whose, signed := w.signatures(); signed != nil && err == nil {
		bad, err = whose, signed
	}
	if err != nil {
		return nil, bad, err
	}
	if w.how == careful {
		if err := w.conn.SendBatch(ctx, b).Close(); err != nil {
			return nil, -1, err
		}
		if row, err := take.settled(ctx); err != nil {
			return nil, w.blame(row), err
		}
		b = &pgx.Batch{}
	}
	if w.how == hopeful {
		begun(w.conn)
	}
	b.Queue(end)
	err = w.conn.SendBatch(ctx, b).Close()
	if err == nil {
		err = acknowledged(w.conn)
	}
	if err != nil {
		return nil, -1, err
	}
	if len(w.rows) > 0 {
		w.l.writer.cache.size += int64(len(w.rows))
		w.l.writer.cache.month = w.head.month
		w.l.writer.acked = w.l.writer.cache.size
	}
	return c, -1, nil
}

// queue puts all that is to be written into the batch, and returns the checkpoint over it.
func (w *writing) queue(ctx context.Context, b *pgx.Batch, take *takings) (*ledger.Checkpoint, error) {
	if err := w.queueRows(ctx, b, take); err != nil {
		return nil, err
	}
	if w.how != hopeful {
		return w.sign(b)
	}
	first := &pgx.Batch{} // what changes the row of the log locks it
	first.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	c, err := w.sign(first)
	b.QueuedQueries = append(first.QueuedQueries, b.QueuedQueries...)
	return c, err
}

// queueRows puts all into the batch but the row of the log, and lets the tree grow.
func (w *writing) queueRows(ctx context.Context, b *pgx.Batch, take *takings) error {
	if err := w.openMonth(ctx); err != nil {
		return err
	}
	hashes := make([]tlog.Hash, len(w.rows))
	for i := range w.rows {
		hashes[i] = tlog.Hash(issuance.LeafHash(w.rows[i].Leaf))
	}
	if err := w.entries(ctx, b, hashes); err != nil {
		return err
	}
	w.identities(b)
	w.streams(b, hashes)
	take.queue(b)
	w.places(b)
	return nil
}

// blame is the append that a row belongs to, -1 of no row.
func (w *writing) blame(row int) int {
	if row < 0 {
		return -1
	}
	return w.whose[row]
}

// openMonth makes the partitions of a month that begins.
func (w *writing) openMonth(ctx context.Context) error {
	if w.head.opened {
		return nil
	}
	if _, err := w.conn.Exec(ctx, "SELECT open_month($1)", w.head.month.month); err != nil {
		return err
	}
	_, err := w.conn.Exec(ctx, "INSERT INTO month VALUES ($1, $2)", w.head.month.month, w.head.size)
	return err
}

// sign puts the checkpoint over all that was written, if the log still is as it was locked:
// else its size would be one that the table does not take, and the transaction fails.
func (w *writing) sign(b *pgx.Batch) (*ledger.Checkpoint, error) {
	cache := &w.l.writer.cache
	c, err := ledger.SignCheckpoint(w.l.origin, cache.tree.Size(), cache.tree.Root(), w.l.o.Signer)
	if err != nil {
		return nil, err
	}
	cache.epoch = w.head.epoch
	if w.head.holder != cache.holder {
		cache.epoch++
	}
	b.Queue(`UPDATE log SET size = CASE WHEN epoch = $5 AND holder = $6 AND size = $7 AND date_trunc('month', now()) <= $8::date
			THEN $1 ELSE -1 END, checkpoint = $2, epoch = $3, holder = $4, since = clock_timestamp()`,
		c.Size, c.Note, cache.epoch, cache.holder, w.head.epoch, w.head.holder, w.head.size, w.head.month.month)
	return c, nil
}

// operators lists every operator's stream.
func operators(ctx context.Context, q querier) ([]issuance.StreamID, error) {
	rows, err := q.Query(ctx, "SELECT id FROM stream WHERE kind = $1", string(issuance.KindOperator))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (issuance.StreamID, error) {
		id := issuance.StreamID{Kind: issuance.KindOperator}
		err := row.Scan(&id.ID)
		return id, err
	})
}
