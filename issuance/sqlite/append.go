package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/turns"
)

// Append implements [issuance.Ledger]. When it returns nil the entries are on the disk,
// under a checkpoint that signs them. ctx is heeded while waiting for other appends; an
// append that has begun is finished, so that its outcome is never in doubt.
//
// Errors besides those of the interface: ledger.ErrReadOnly without a log key or where the file
// cannot be written, ledger.ErrFull, ledger.ErrBusy, ledger.ErrDamaged, and ledger.ErrCopy if the checkpoint of the
// last append could not be copied and still cannot. After any of them nothing was added.
func (l *Ledger) Append(ctx context.Context, at issuance.Head, entries ...issuance.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if l.writer == nil || l.o.Signer == nil {
		return fmt.Errorf("append to the ledger: %w: it was opened without the log key", ledger.ErrReadOnly)
	}
	rows, err := issuance.EncodeAll(entries)
	if err != nil {
		return fmt.Errorf("append to the ledger: %w", err)
	}
	if err := l.group.Wait(ctx, &waiting{turns.NewTicket(), at, rows}, shared, l.work); err != nil {
		return fmt.Errorf("append to the ledger: %w", typed(err))
	}
	return nil
}

// append is the transaction of appends that waited side by side. Each is judged after
// those before it, as if it came alone. The transaction is undone at the first that does
// not hold, whose place is bad. It returns the checkpoint that it
// committed, nil if all entries were in the ledger already.
func (l *Ledger) append(ctx context.Context, conn *sql.Conn, group []*waiting) (c *ledger.Checkpoint, bad int, err error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, -1, err
	}
	defer tx.Rollback()
	if err := l.cache.refresh(ctx, tx, l.origin); err != nil {
		l.cache.drop()
		return nil, -1, err
	}
	before := l.cache.size
	bad = -1
	for i, w := range group {
		if err = l.appendOne(ctx, tx, w); err != nil {
			bad = i
			break
		}
	}
	if err == nil && l.cache.size > before {
		if c, err = l.sign(ctx, tx); err == nil {
			err = tx.Commit()
		}
	}
	if err != nil {
		l.cache.drop()
		return nil, bad, err
	}
	return c, -1, nil
}

// appendOne writes one append's rows while their signatures are verified.
func (l *Ledger) appendOne(ctx context.Context, tx *sql.Tx, w *waiting) error {
	there, err := l.repeated(ctx, tx, w.rows)
	if err != nil || there {
		return err
	}
	wait, err := l.admit(ctx, tx, w.at, w.rows)
	if err == nil {
		err = l.write(ctx, tx, w.rows)
	}
	if signed := wait(); err == nil {
		err = signed
	}
	return err
}

// repeated reports whether the entries are in the ledger already, octet for octet. If
// the first is, the others must be too. If it is not, none may be; the index on
// identities refuses any that is.
func (l *Ledger) repeated(ctx context.Context, tx *sql.Tx, rows []issuance.Encoded) (bool, error) {
	found := 0
	for _, r := range rows {
		var leaf []byte
		err := tx.StmtContext(ctx, l.cache.stmt.byID).QueryRowContext(ctx, r.Entry.ID[:]).Scan(&leaf)
		switch {
		case errors.Is(err, sql.ErrNoRows) && found == 0:
			return false, nil
		case errors.Is(err, sql.ErrNoRows):
			return false, fmt.Errorf("%d of %d entries are there: %w", found, len(rows), issuance.ErrConflict)
		case err != nil:
			return false, err
		case !slices.Equal(leaf, r.Leaf):
			return false, fmt.Errorf("entry %x is another: %w", r.Entry.ID, issuance.ErrConflict)
		}
		found++
	}
	return true, nil
}

// admit asks whether the decision still rests on what the ledger says, and whether the rules
// allow it, see [issuance.Book.Admit].
func (l *Ledger) admit(ctx context.Context, tx *sql.Tx, at issuance.Head, rows []issuance.Encoded) (wait func() error, err error) {
	r := &reader{tx.StmtContext(ctx, l.cache.stmt.read)}
	return l.cache.book.Admit(ctx, r, l.cache.size, at, rows, func() ([]issuance.StreamID, error) { return operators(ctx, tx) })
}

// operators lists every operator's stream.
func operators(ctx context.Context, tx *sql.Tx) ([]issuance.StreamID, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id FROM stream WHERE kind = ?", string(issuance.KindOperator))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []issuance.StreamID
	for rows.Next() {
		id := issuance.StreamID{Kind: issuance.KindOperator}
		if err := rows.Scan(&id.ID); err != nil {
			return nil, err
		}
		all = append(all, id)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// sign puts the checkpoint over all that was written.
func (l *Ledger) sign(ctx context.Context, tx *sql.Tx) (*ledger.Checkpoint, error) {
	tree := l.cache.tree
	c, err := ledger.SignCheckpoint(l.origin, tree.Size(), tree.Root(), l.o.Signer)
	if err != nil {
		return nil, err
	}
	_, err = tx.StmtContext(ctx, l.cache.stmt.log).ExecContext(ctx, c.Size, c.Note)
	return c, err
}
