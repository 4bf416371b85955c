package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// cache is what the writer keeps from one append to the next: the tree's edge and the streams
// it has read and checked. It is good as long as the log has the epoch and the size that it
// was left with, for nothing but an append changes the log, and whoever else appends takes a
// new epoch.
type cache struct {
	holder string // this program
	epoch  int64  // that this program appended in; 0: in none
	size   int64
	tree   *ledger.Tree // nil if nothing is cached
	book   *issuance.Book
	month  span // that the last entry was taken in; zero if it is not known
}

// maxStreams is how many streams the cache holds before it begins anew: some 40 MB.
const maxStreams = 1 << 15

// newHolder names this program, for people too.
func newHolder() string {
	var b [8]byte
	rand.Read(b[:])
	host, _ := os.Hostname()
	return fmt.Sprintf("%.64s/%d/%s", host, os.Getpid(), hex.EncodeToString(b[:]))
}

// drop makes the next append read everything anew.
func (c *cache) drop() { c.size, c.tree, c.book, c.month = -1, nil, nil, span{} }

// head is the row of the log as this program left it.
func (c *cache) head() head { return head{c.size, c.epoch, c.holder, c.month, true} }

// head is the row of the log as the append found and locked it.
type head struct {
	size, epoch int64
	holder      string
	month       span // that an entry would be taken in now
	opened      bool // the month has a row
}

const (
	lockLog = "SELECT size, epoch, holder FROM log FOR UPDATE"
	// The month is that of the server's clock, once the log is locked, and never goes back.
	thisMonth = `SELECT greatest(date_trunc('month', statement_timestamp())::date, max(month)),
		coalesce(max(month) >= date_trunc('month', statement_timestamp())::date, false) FROM month`
)

// begin begins a transaction and locks the log: nobody else appends until it ends. It looks
// up which of some identities are in the ledger, and where.
func begin(ctx context.Context, conn *pgx.Conn, ids [][]byte) (h head, there map[[16]byte]int64, err error) {
	begun(conn)
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	b.Queue(lockLog).QueryRow(func(row pgx.Row) error { return row.Scan(&h.size, &h.epoch, &h.holder) })
	b.Queue(thisMonth).QueryRow(func(row pgx.Row) error { return row.Scan(&h.month.month, &h.opened) })
	if len(ids) > 0 {
		b.Queue("SELECT id, idx FROM identity WHERE id = ANY($1)", ids).Query(func(rows pgx.Rows) (err error) {
			there, err = indexes(rows)
			return err
		})
	}
	err = conn.SendBatch(ctx, b).Close()
	h.month.first = h.size // unless it has begun
	if errors.Is(err, pgx.ErrNoRows) {
		return h, nil, fmt.Errorf("%w: the table of the log is empty", ledger.ErrDamaged)
	}
	return h, there, err
}

func indexes(rows pgx.Rows) (map[[16]byte]int64, error) {
	there := map[[16]byte]int64{}
	for rows.Next() {
		var id []byte
		var index int64
		if err := rows.Scan(&id, &index); err != nil {
			return nil, err
		}
		if len(id) != 16 {
			return nil, fmt.Errorf("%w: an identity of %d octets", ledger.ErrDamaged, len(id))
		}
		there[[16]byte(id)] = index
	}
	return there, rows.Err()
}

// end ends a transaction of begin. It commits also where nothing was written: what was found
// may be of a transaction that is on this server's disk only, and the lock of the log's row
// makes the commit wait until all before it is where it must be.
const end = "COMMIT"

// abandon ends a transaction that is not to hold, whatever became of the caller.
func abandon(conn *pgx.Conn) {
	if conn.IsClosed() {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), goodbye)
	defer stop()
	_, _ = conn.Exec(ctx, "ROLLBACK") // outside a transaction it is a warning, no more
}

// fresh reports whether the cache is that of the log as it was locked.
func (c *cache) fresh(h head) bool {
	return c.tree != nil && c.size == h.size && c.epoch == h.epoch && c.holder == h.holder && c.book.Len() < maxStreams
}

// refresh makes the cache that of the log as the transaction sees it.
func (l *Ledger) refresh(ctx context.Context, q querier, h head) error {
	c := &l.writer.cache
	if c.fresh(h) {
		return nil
	}
	tree, err := l.treeAt(ctx, q, h.size)
	if err != nil {
		return err
	}
	c.size, c.tree, c.book, c.month = h.size, tree, issuance.NewBook(l.origin), span{}
	if h.size > 0 {
		c.book.Founded()
	}
	return nil
}
