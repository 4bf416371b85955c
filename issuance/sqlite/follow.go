package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// CreateMirror makes a file that follows another log, which signs with v. It takes nothing
// but that log's own entries, see Follow. A file that exists is fs.ErrExist.
func CreateMirror(ctx context.Context, path string, v note.Verifier, o Options) (*Ledger, error) {
	if err := createFor(ctx, path, v); err != nil {
		return nil, fmt.Errorf("create the mirror %s: %w", path, err)
	}
	return OpenMirror(ctx, path, v, o)
}

// createFor makes an empty file of a log whose key is not here: an empty log names no key, so
// that any may sign that it is empty.
func createFor(ctx context.Context, path string, v note.Verifier) error {
	private, _, err := note.GenerateKey(rand.Reader, v.Name())
	if err != nil {
		return err
	}
	nobody, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	return create(ctx, path, v.Name(), nobody)
}

// OpenMirror opens a file that CreateMirror made. Errors as for Open.
func OpenMirror(ctx context.Context, path string, v note.Verifier, o Options) (*Ledger, error) {
	o.Signer, o.Verifier = nil, v
	return Open(ctx, path, o)
}

// Excerpt writes the entries from an index on, with all that belongs to them and the newest
// checkpoint, as of one moment.
func (l *Ledger) Excerpt(ctx context.Context, w io.Writer, from int64) error {
	err := l.snapshot(ctx, func(tx *sql.Tx) error {
		var signed []byte
		if err := tx.QueryRowContext(ctx, "SELECT checkpoint FROM log").Scan(&signed); err != nil {
			return err
		}
		v, err := l.verifier(ctx, tx)
		if err != nil {
			return err
		}
		c, err := ledger.ParseCheckpoint(signed, v)
		if err != nil {
			return err
		}
		x, err := ledger.NewExcerpt(w, c, from)
		if err != nil {
			return err
		}
		if err := carry(ctx, tx, from, x.Add); err != nil {
			return err
		}
		return x.Close()
	})
	if err != nil {
		return fmt.Errorf("make an excerpt: %w", typed(err))
	}
	return nil
}

func carry(ctx context.Context, tx *sql.Tx, from int64, add func(ledger.Carried) error) error {
	rows, err := tx.QueryContext(ctx, "SELECT idx, leaf, payload FROM entry WHERE idx >= ? ORDER BY idx", from)
	if err != nil {
		return err
	}
	defer rows.Close()
	attached, err := tx.PrepareContext(ctx, "SELECT name, sealed FROM attachment WHERE place BETWEEN ?1 * 32 AND ?1 * 32 + 31 ORDER BY place")
	if err != nil {
		return err
	}
	defer attached.Close()
	for rows.Next() {
		var index int64
		var c ledger.Carried
		if err := rows.Scan(&index, &c.Leaf, &c.Payload); err != nil {
			return err
		}
		if c.Attach, err = scanAttachments(attached.QueryContext(ctx, index)); err != nil {
			return err
		}
		if err := add(c); err != nil {
			return err
		}
	}
	return rows.Err()
}

func scanAttachments(rows *sql.Rows, err error) ([]issuance.Attachment, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []issuance.Attachment
	for rows.Next() {
		var a issuance.Attachment
		if err := rows.Scan(&a.Name, &a.Sealed); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// Follow adds to a mirror what an excerpt of its log brings, verbatim, and keeps that log's
// own checkpoint. It judges every entry by the rules, rebuilds the tree and holds it against
// the checkpoint; what is there already is skipped. It returns the checkpoint.
//
// All or nothing: an excerpt that does not join on is ledger.ErrBehind, one of a log that was
// rewritten ledger.ErrRolledBack, one that its log did not sign ledger.ErrCheckpoint; the rest are
// ledger.ErrExcerpt and the errors of the rules.
func (l *Ledger) Follow(ctx context.Context, x *ledger.ExcerptReader) (*ledger.Checkpoint, error) {
	if l.o.Signer != nil || l.o.Verifier == nil || l.writer == nil {
		return nil, fmt.Errorf("follow a log: %w: the file is no mirror", ledger.ErrReadOnly)
	}
	c, err := ledger.ParseCheckpoint(x.Note, l.o.Verifier)
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", l.origin, err)
	}
	conn, err := l.writer.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", l.origin, typed(err))
	}
	defer conn.Close()
	if err := l.follow(ctx, conn, x, c); err != nil {
		l.cache.drop()
		return nil, fmt.Errorf("follow %s: %w", l.origin, typed(err))
	}
	return c, nil
}

func (l *Ledger) follow(ctx context.Context, conn *sql.Conn, x *ledger.ExcerptReader, c *ledger.Checkpoint) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := l.cache.refresh(ctx, tx, l.origin); err != nil {
		return err
	}
	switch {
	case x.From > l.cache.size:
		return fmt.Errorf("%w: it begins with entry %d, the mirror has %d", ledger.ErrBehind, x.From, l.cache.size)
	case c.Size < l.cache.size:
		return fmt.Errorf("%w: the excerpt's checkpoint signs %d entries, the mirror has %d", ledger.ErrRolledBack, c.Size, l.cache.size)
	}
	had := l.cache.size
	for at := x.From; at < c.Size; {
		some, err := x.Some(c.Size - at)
		if err == nil {
			err = l.take(ctx, tx, at, some)
		}
		if err != nil {
			return fmt.Errorf("entries from %d on: %w", at, err)
		}
		at += int64(len(some))
	}
	if err := x.End(); err != nil {
		return err
	}
	if root := l.cache.tree.Root(); root != c.Root {
		return fmt.Errorf("%w: its %d entries are others than the checkpoint signs", ledger.ErrRolledBack, c.Size)
	}
	if err := l.cache.book.Complete(); err != nil {
		return err
	}
	if c.Size == had {
		return nil
	}
	if _, err := tx.StmtContext(ctx, l.cache.stmt.log).ExecContext(ctx, c.Size, c.Note); err != nil {
		return err
	}
	return tx.Commit()
}

// take adds entries, as far as they are not there, and sees that those which are there are the
// same.
func (l *Ledger) take(ctx context.Context, tx *sql.Tx, at int64, some []issuance.Encoded) error {
	for ; len(some) > 0 && at < l.cache.size; at, some = at+1, some[1:] {
		if err := sameLeaf(ctx, tx, at, some[0].Leaf); err != nil {
			return err
		}
	}
	if len(some) == 0 {
		return nil
	}
	if l.cache.book.Len() > maxStreams && l.cache.book.Complete() == nil { // what goes together stays together
		l.cache.book = issuance.NewBook(l.origin)
		l.cache.book.Founded()
	}
	err := l.cache.book.Adopt(ctx, &reader{tx.StmtContext(ctx, l.cache.stmt.read)}, some, func() ([]issuance.StreamID, error) {
		return operators(ctx, tx)
	})
	if err != nil {
		return err
	}
	return l.write(ctx, tx, some)
}

func sameLeaf(ctx context.Context, tx *sql.Tx, at int64, leaf []byte) error {
	var have []byte
	if err := tx.QueryRowContext(ctx, "SELECT leaf FROM entry WHERE idx = ?", at).Scan(&have); err != nil {
		return err
	}
	if string(have) != string(leaf) {
		return fmt.Errorf("%w: it is another than the mirror has", ledger.ErrRolledBack)
	}
	return nil
}
