package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Load makes a ledger in a database from an excerpt that has all of a log, as it was in another
// store: the same entries with what is kept beside them, under the same checkpoint. v is the
// log's verifier. Every entry is judged by the rules and the tree is rebuilt; whoever wants to
// know that the database says the same opens it and asks Verify.
//
// An entry comes into the partition of the month of its time, as far as months do not go back.
// A ledger that is there is fs.ErrExist. It is one transaction: after any error nothing of it is
// there.
func Load(ctx context.Context, dsn string, v note.Verifier, x *ledger.ExcerptReader) (*ledger.Checkpoint, error) {
	c, err := config(dsn)
	if err != nil {
		return nil, fmt.Errorf("load the ledger: %w", err)
	}
	signed, err := ledger.ParseCheckpoint(x.Note, v)
	if err == nil && (x.From != 0 || signed.Size == 0) {
		err = fmt.Errorf("%w: it does not begin with the first entry", ledger.ErrBehind)
	}
	if err == nil {
		err = load(ctx, c.ConnConfig, signed, x)
	}
	if err != nil {
		return nil, fmt.Errorf("load the ledger %s: %w", name(c), typed(err))
	}
	return signed, nil
}

func load(ctx context.Context, c *pgx.ConnConfig, signed *ledger.Checkpoint, x *ledger.ExcerptReader) error {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := settle(ctx, conn, patience); err != nil {
		return err
	}
	if err := makeRoles(ctx, conn); err != nil {
		return err
	}
	l := &Ledger{origin: signed.Origin, writer: &writer{conn: conn}}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := makeSchema(ctx, tx, signed.Origin, signed.Note); err != nil {
			return err
		}
		return (&loading{l: l, conn: conn}).all(ctx, signed, x)
	})
	if err != nil {
		return err
	}
	// Else the first who ask are answered as if the tables were empty.
	_, err = conn.Exec(ctx, "ANALYZE entry, attachment, identity, stream, claim, hold, month, status, status_list")
	return err
}

// loading is the transaction in which a ledger comes from another store.
type loading struct {
	l    *Ledger
	conn *pgx.Conn

	now    time.Time // the month in which it comes
	month  time.Time // of the entries that came last
	opened bool      // it has its partitions
}

func (d *loading) all(ctx context.Context, c *ledger.Checkpoint, x *ledger.ExcerptReader) error {
	if err := d.conn.QueryRow(ctx, "SELECT date_trunc('month', now())::date").Scan(&d.now); err != nil {
		return err
	}
	if err := d.l.refresh(ctx, d.conn, head{}); err != nil {
		return err
	}
	for at := int64(0); at < c.Size; {
		some, err := x.Some(c.Size - at)
		for len(some) > 0 && err == nil {
			n := d.sameMonth(some)
			err = d.take(ctx, at, some[:n], c.Note)
			at, some = at+int64(n), some[n:]
		}
		if err != nil {
			return fmt.Errorf("entries from %d on: %w", at, err)
		}
	}
	if err := x.End(); err != nil {
		return err
	}
	if d.l.writer.cache.tree.Root() != c.Root {
		return fmt.Errorf("%w: its %d entries are others than the checkpoint signs", ledger.ErrRolledBack, c.Size)
	}
	return d.l.writer.cache.book.Complete()
}

// sameMonth goes to the month of the first entry and says how many there are of it.
func (d *loading) sameMonth(some []issuance.Encoded) (n int) {
	for n < len(some) {
		at := some[n].Entry.Time.UTC()
		month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		if month.After(d.now) {
			month = d.now
		}
		if month.After(d.month) {
			if n > 0 {
				return n
			}
			d.month, d.opened = month, false
		}
		n++
	}
	return n
}

// take adds entries of one month.
func (d *loading) take(ctx context.Context, at int64, some []issuance.Encoded, note []byte) error {
	c := &d.l.writer.cache
	if c.book.Len() > maxStreams && c.book.Complete() == nil { // what goes together stays together
		c.book = issuance.NewBook(d.l.origin)
		c.book.Founded()
	}
	err := c.book.Adopt(ctx, &reader{d.l, d.conn}, some, func() ([]issuance.StreamID, error) { return operators(ctx, d.conn) })
	if err != nil {
		return err
	}
	w := &writing{l: d.l, conn: d.conn, head: head{size: at, month: span{d.month, at}, opened: d.opened}, rows: some, whose: make([]int, len(some))}
	take := takings{w: w}
	if _, err := take.plan(); err != nil {
		return err
	}
	b := &pgx.Batch{}
	if err := w.queueRows(ctx, b, &take); err != nil {
		return err
	}
	b.Queue("UPDATE log SET size = $1, checkpoint = $2", at+int64(len(some)), note)
	if err := d.conn.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	d.opened = true
	return nil
}

// Discard deletes what Create or Load has just made and nobody uses yet.
func Discard(ctx context.Context, dsn string) error {
	c, err := config(dsn)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, c.ConnConfig)
	if err == nil {
		_, err = conn.Exec(ctx, "DROP SCHEMA "+schema+" CASCADE")
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		return fmt.Errorf("delete what was made in %s: %w", name(c), typed(err))
	}
	return nil
}
