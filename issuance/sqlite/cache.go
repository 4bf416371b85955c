package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// cache is what the writer keeps from one append to the next: the tree's edge, the
// streams it has read and checked, and its statements. It is good as long as the log
// has the size that it was left with, for nothing but an append changes the file.
type cache struct {
	size int64
	tree *ledger.Tree
	book *issuance.Book
	stmt statements

	lists map[string]int64 // numbers of lists of card status
}

// maxStreams is how many streams the cache holds before it begins anew.
const maxStreams = 4096

type statements struct {
	size, node, byID, read                 *sql.Stmt
	release, claimed, held, log            *sql.Stmt
	entry, attachment, stream, claim, hold bulk
	status                                 bulk
}

func newCache(ctx context.Context, db *sql.DB) (*cache, error) {
	c := &cache{size: -1}
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&c.stmt.size, "SELECT size FROM log"},
		{&c.stmt.node, "SELECT substr(nodes, ?, 32) FROM entry WHERE idx = ?"},
		{&c.stmt.byID, "SELECT leaf FROM entry WHERE id = ?"},
		{&c.stmt.read, selectStream},
		{&c.stmt.release, "DELETE FROM hold WHERE kind = ? AND value = ? AND stream_kind = ? AND stream = ?"},
		{&c.stmt.claimed, selectClaim},
		{&c.stmt.held, selectHold},
		{&c.stmt.log, "UPDATE log SET size = ?, checkpoint = ?"},
	} {
		stmt, err := db.PrepareContext(ctx, s.text)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		*s.to = stmt
	}
	const forward = ` ON CONFLICT (kind, id) DO
		UPDATE SET seq = excluded.seq, last = excluded.last, phase = coalesce(nullif(excluded.phase, ''), phase), since = excluded.since`
	for _, s := range []struct {
		to       *bulk
		table    string
		columns  int
		conflict string
	}{
		{&c.stmt.entry, "entry", 10, ""},
		{&c.stmt.attachment, "attachment", 3, ""},
		{&c.stmt.stream, "stream", 7, forward},
		{&c.stmt.claim, "claim", 5, ""},
		{&c.stmt.hold, "hold", 5, ""},
		{&c.stmt.status, "status", 4, forwardStatus},
	} {
		var err error
		if *s.to, err = newBulk(ctx, db, s.table, s.columns, s.conflict); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *cache) close() error {
	s := c.stmt
	var err error
	for _, stmt := range []*sql.Stmt{s.size, s.node, s.byID, s.read, s.release, s.claimed, s.held, s.log} {
		if stmt != nil {
			err = errors.Join(err, stmt.Close())
		}
	}
	for _, b := range []bulk{s.entry, s.attachment, s.stream, s.claim, s.hold, s.status} {
		err = errors.Join(err, b.close())
	}
	return err
}

// drop makes the next append read everything anew.
func (c *cache) drop() { c.size, c.tree, c.book, c.lists = -1, nil, nil, nil }

// refresh makes the cache that of the file as the transaction sees it.
func (c *cache) refresh(ctx context.Context, tx *sql.Tx, origin string) error {
	var size int64
	if err := tx.StmtContext(ctx, c.stmt.size).QueryRowContext(ctx).Scan(&size); err != nil {
		return err
	}
	if size == c.size && c.book.Len() < maxStreams {
		return nil
	}
	edge := make([]tlog.Hash, 0, 64)
	for _, n := range ledger.Edge(size) {
		var hash []byte
		err := tx.StmtContext(ctx, c.stmt.node).QueryRowContext(ctx, n.Level*tlog.HashSize+1, n.Completed()).Scan(&hash)
		if err != nil || len(hash) != tlog.HashSize {
			return fmt.Errorf("%w: node %d of level %d is not there: %w", ledger.ErrDamaged, n.Index, n.Level, err)
		}
		edge = append(edge, tlog.Hash(hash))
	}
	tree, err := ledger.RestoreTree(size, edge)
	if err != nil {
		return err
	}
	c.size, c.tree, c.book = size, tree, issuance.NewBook(origin)
	if size > 0 {
		c.book.Founded()
	}
	return nil
}
