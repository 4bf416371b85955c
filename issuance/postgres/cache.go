package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

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
	month  span // that the last entry was taken in; zero if there is none
}

// maxStreams is how many streams the cache holds before it begins anew.
const maxStreams = 4096

// newHolder names this program, for people too.
func newHolder() string {
	var b [8]byte
	rand.Read(b[:])
	host, _ := os.Hostname()
	return fmt.Sprintf("%.64s/%d/%s", host, os.Getpid(), hex.EncodeToString(b[:]))
}

// drop makes the next append read everything anew.
func (c *cache) drop() { c.size, c.tree, c.book = -1, nil, nil }

// head is the row of the log as the append found and locked it.
type head struct {
	size, epoch int64
	holder      string
	month       span // that an entry would be taken in now
	opened      bool // the month has a row
}

// lockHead locks the log: nobody else appends until the transaction ends. The month is that of
// the server's clock, and never goes back.
func lockHead(ctx context.Context, tx pgx.Tx) (h head, err error) {
	err = tx.QueryRow(ctx, `SELECT size, epoch, holder,
		greatest(date_trunc('month', now())::date, (SELECT max(month) FROM month)),
		coalesce((SELECT max(month) FROM month) >= date_trunc('month', now())::date, false)
		FROM log FOR UPDATE`).Scan(&h.size, &h.epoch, &h.holder, &h.month.month, &h.opened)
	h.month.first = h.size // unless it has begun
	if errors.Is(err, pgx.ErrNoRows) {
		return h, fmt.Errorf("%w: the table of the log is empty", ledger.ErrDamaged)
	}
	return h, err
}

// fresh reports whether the cache is that of the log as it was locked.
func (c *cache) fresh(h head) bool {
	return c.tree != nil && c.size == h.size && c.epoch == h.epoch && c.holder == h.holder && c.book.Len() < maxStreams
}

// refresh makes the cache that of the log as the transaction sees it.
func (l *Ledger) refresh(ctx context.Context, tx pgx.Tx, h head) error {
	c := &l.writer.cache
	if c.fresh(h) {
		return nil
	}
	edge := make([]tlog.Hash, 0, 64)
	for _, n := range ledger.Edge(h.size) {
		hash, err := l.node(ctx, tx, n)
		if err != nil {
			return err
		}
		edge = append(edge, hash)
	}
	tree, err := ledger.RestoreTree(h.size, edge)
	if err != nil {
		return err
	}
	c.size, c.tree, c.book = h.size, tree, issuance.NewBook(l.origin)
	if h.size > 0 {
		c.book.Founded()
	}
	return nil
}

// node reads one node of the tree, which lies in the row of the leaf that completed it.
func (l *Ledger) node(ctx context.Context, q querier, n ledger.Node) (tlog.Hash, error) {
	s, ok, err := l.months.of(ctx, q, n.Completed())
	if err != nil {
		return tlog.Hash{}, err
	}
	var hash []byte
	err = pgx.ErrNoRows
	if ok {
		err = q.QueryRow(ctx, "SELECT substr(nodes, $1, 32) FROM "+s.part("entry")+" WHERE idx = $2", n.Level*tlog.HashSize+1, n.Completed()).Scan(&hash)
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return tlog.Hash{}, err
	}
	if len(hash) != tlog.HashSize {
		return tlog.Hash{}, fmt.Errorf("%w: node %d of level %d is not there", ledger.ErrDamaged, n.Index, n.Level)
	}
	return tlog.Hash(hash), nil
}
