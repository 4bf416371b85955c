package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Append implements [issuance.Ledger]. When it returns nil the entries are on the disk,
// under a checkpoint that signs them. ctx is heeded while waiting for other appends; an
// append that has begun is finished, so that its outcome is never in doubt.
//
// Errors besides those of the interface: ErrReadOnly without a log key or where the file
// cannot be written, ErrFull, ErrBusy, ErrDamaged, and ErrCopy if the checkpoint of the
// last append could not be copied and still cannot. After any of them nothing was added.
func (l *Ledger) Append(ctx context.Context, at issuance.Head, entries ...issuance.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if l.writer == nil || l.o.Signer == nil {
		return fmt.Errorf("append to the ledger: %w: it was opened without the log key", ErrReadOnly)
	}
	rows, err := encode(entries)
	if err != nil {
		return fmt.Errorf("append to the ledger: %w", err)
	}
	conn, err := l.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("append to the ledger: %w", typed(err))
	}
	defer conn.Close()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append to the ledger: %w", err)
	}
	if err := l.copies.settled(); err != nil {
		return fmt.Errorf("append to the ledger: %w", err)
	}
	c, err := l.append(context.WithoutCancel(ctx), conn, at, rows)
	if err != nil {
		return fmt.Errorf("append to the ledger: %w", typed(err))
	}
	if c != nil { // else they were there
		l.copies.put(c.Note)
	}
	return nil
}

// row is an entry on its way into the file.
type row struct {
	entry         issuance.Entry
	leaf, payload []byte
}

func encode(entries []issuance.Entry) ([]row, error) {
	rows := make([]row, len(entries))
	for i, e := range entries {
		leaf, err := e.Leaf()
		if err != nil {
			return nil, err
		}
		payload, err := e.Payload()
		if err != nil {
			return nil, err
		}
		rows[i] = row{e, leaf, payload}
	}
	return rows, nil
}

// append is the transaction. It returns the checkpoint that it committed, nil if the
// entries were in the ledger already.
func (l *Ledger) append(ctx context.Context, conn *sql.Conn, at issuance.Head, rows []row) (c *ledger.Checkpoint, err error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	if err := l.cache.refresh(ctx, tx, l.origin); err != nil {
		l.cache.drop()
		return nil, err
	}
	there, err := l.repeated(ctx, tx, rows)
	if err != nil || there {
		return nil, err
	}
	err = l.admit(ctx, tx, at, rows)
	if err == nil {
		c, err = l.write(ctx, tx, rows)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		l.cache.drop()
		return nil, err
	}
	l.cache.size = c.Size
	return c, nil
}

// repeated reports whether the entries are in the ledger already, octet for octet. If
// the first is, the others must be too. If it is not, none may be; the index on
// identities refuses any that is.
func (l *Ledger) repeated(ctx context.Context, tx *sql.Tx, rows []row) (bool, error) {
	found := 0
	for _, r := range rows {
		var leaf []byte
		err := tx.StmtContext(ctx, l.cache.stmt.byID).QueryRowContext(ctx, r.entry.ID[:]).Scan(&leaf)
		switch {
		case errors.Is(err, sql.ErrNoRows) && found == 0:
			return false, nil
		case errors.Is(err, sql.ErrNoRows):
			return false, fmt.Errorf("%d of %d entries are there: %w", found, len(rows), issuance.ErrConflict)
		case err != nil:
			return false, err
		case !slices.Equal(leaf, r.leaf):
			return false, fmt.Errorf("entry %x is another: %w", r.entry.ID, issuance.ErrConflict)
		}
		found++
	}
	return true, nil
}

// admit asks whether the decision still rests on what the ledger says, and whether the
// rules allow it.
func (l *Ledger) admit(ctx context.Context, tx *sql.Tx, at issuance.Head, rows []row) error {
	book := l.cache.book
	entries := make([]issuance.Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.entry
		if (r.entry.Act == issuance.Init) != (l.cache.size == 0 && i == 0) {
			return fmt.Errorf("%w: %s as entry %d of the log", issuance.ErrLink, r.entry.Act, l.cache.size+int64(i))
		}
		for _, a := range r.entry.Attach {
			if a.Sealed == nil {
				return fmt.Errorf("%w: attachment %q comes without its octets", issuance.ErrEntry, a.Name)
			}
		}
	}
	about := issuance.About(entries...)
	for id := range at {
		about = append(about, id)
	}
	if err := book.Load(ctx, &reader{tx.StmtContext(ctx, l.cache.stmt.read)}, about...); err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e issuance.Entry) bool { return e.Act == issuance.Pair }) {
		if err := l.loadOperators(ctx, tx, book); err != nil {
			return err
		}
	}
	for id, want := range at {
		if _, seq, _ := book.Stands(id); seq != want {
			return fmt.Errorf("%s stands at entry %d, not %d: %w", id, seq, want, issuance.ErrConflict)
		}
	}
	if err := book.Apply(entries...); err != nil {
		return err
	}
	return book.Complete()
}

// loadOperators reads every operator's stream, for the one act that rests on there being no
// other.
func (l *Ledger) loadOperators(ctx context.Context, tx *sql.Tx, book *issuance.Book) error {
	rows, err := tx.QueryContext(ctx, "SELECT id FROM stream WHERE kind = ?", string(issuance.KindOperator))
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []issuance.StreamID
	for rows.Next() {
		id := issuance.StreamID{Kind: issuance.KindOperator}
		if err := rows.Scan(&id.ID); err != nil {
			return err
		}
		all = append(all, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if err := book.Load(ctx, &reader{tx.StmtContext(ctx, l.cache.stmt.read)}, all...); err != nil {
		return err
	}
	book.Whole(issuance.KindOperator)
	return nil
}

// write adds the rows, lets the tree grow and signs it.
func (l *Ledger) write(ctx context.Context, tx *sql.Tx, rows []row) (*ledger.Checkpoint, error) {
	tree := l.cache.tree
	for i, r := range rows {
		index := l.cache.size + int64(i)
		hash := tlog.Hash(issuance.LeafHash(r.leaf))
		if err := l.writeEntry(ctx, tx, index, r, hash, tree.Append(hash)); err != nil {
			return nil, err
		}
		if err := l.writeClaims(ctx, tx, index, r.entry); err != nil {
			return nil, err
		}
	}
	c, err := ledger.SignCheckpoint(l.origin, tree.Size(), tree.Root(), l.o.Signer)
	if err != nil {
		return nil, err
	}
	_, err = tx.StmtContext(ctx, l.cache.stmt.log).ExecContext(ctx, c.Size, c.Note)
	return c, err
}
