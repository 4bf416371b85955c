package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

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
	if err := l.group.wait(ctx, &waiting{newTicket(), at, rows}, shared, l.work); err != nil {
		return fmt.Errorf("append to the ledger: %w", typed(err))
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
		leaf, payload, err := e.Encode()
		if err != nil {
			return nil, err
		}
		rows[i] = row{e, leaf, payload}
	}
	return rows, nil
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
//
// The signatures of the entries are verified meanwhile: wait, which must be called, tells.
func (l *Ledger) admit(ctx context.Context, tx *sql.Tx, at issuance.Head, rows []row) (wait func() error, err error) {
	book := l.cache.book
	wait = func() error { return nil }
	entries := make([]issuance.Entry, len(rows))
	leaves := make([][]byte, len(rows))
	for i, r := range rows {
		entries[i], leaves[i] = r.entry, r.leaf
		if (r.entry.Act == issuance.Init) != (l.cache.size == 0 && i == 0) {
			return wait, fmt.Errorf("%w: %s as entry %d of the log", issuance.ErrLink, r.entry.Act, l.cache.size+int64(i))
		}
		for _, a := range r.entry.Attach {
			if a.Sealed == nil {
				return wait, fmt.Errorf("%w: attachment %q comes without its octets", issuance.ErrEntry, a.Name)
			}
		}
	}
	for i := range entries { // else the key of the table of entries finds the stream taken
		if id := entries[i].Stream; entries[i].Seq == 1 && at[id] == 0 {
			book.Presume(id)
		}
	}
	about := issuance.About(entries...)
	for id := range at {
		about = append(about, id)
	}
	if err := book.Load(ctx, &reader{tx.StmtContext(ctx, l.cache.stmt.read)}, about...); err != nil {
		return wait, err
	}
	if slices.ContainsFunc(entries, func(e issuance.Entry) bool { return e.Act == issuance.Pair }) {
		if err := l.loadOperators(ctx, tx, book); err != nil {
			return wait, err
		}
	}
	for id, want := range at {
		if _, seq, _ := book.Stands(id); seq != want {
			return wait, fmt.Errorf("%s stands at entry %d, not %d: %w", id, seq, want, issuance.ErrConflict)
		}
	}
	if wait, err = book.Judge(entries, leaves); err != nil {
		return wait, err
	}
	return wait, book.Complete()
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
