package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// verifier is that of the log key: the one given at opening, else the one that the log's
// first entry names.
func (l *Ledger) verifier(ctx context.Context, q querier) (note.Verifier, error) {
	if l.o.Verifier != nil {
		return l.o.Verifier, nil
	}
	leaf, err := l.leaf(ctx, q, 0)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%w: the log has no first entry that would name its key", ledger.ErrCheckpoint)
	}
	if err != nil {
		return nil, err
	}
	e, _, err := issuance.ParseLeaf(leaf)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	v, err := note.NewVerifier(e.Fields["logkey"])
	if err != nil {
		return nil, fmt.Errorf("%w: the log key of its first entry: %w", ledger.ErrDamaged, err)
	}
	return v, nil
}

// continuesKept returns the database's checkpoint, or ErrRolledBack if the database does not
// continue a checkpoint that is kept outside it. in runs a transaction.
func (l *Ledger) continuesKept(ctx context.Context, in func(context.Context, func(querier) error) error) (now []byte, err error) {
	known := l.outside().Read()
	err = in(ctx, func(q querier) error {
		var size int64
		if err := q.QueryRow(ctx, "SELECT size, checkpoint FROM log").Scan(&size, &now); err != nil {
			return err
		}
		v, err := l.verifier(ctx, q)
		if err != nil && !(size == 0 && errors.Is(err, ledger.ErrCheckpoint)) { // an empty log names no key
			return err
		}
		if err := ledger.SignsFor(l.o.Signer, size, v); err != nil {
			return err
		}
		return ledger.Continues(known, size, v, func(size int64) (tlog.Hash, error) { return l.rootAt(ctx, q, size) })
	})
	return now, err
}

// settled runs f while nobody appends, and says so only when all that f saw is where it must
// be: what one server alone has may be gone after it.
func (l *Ledger) settled(ctx context.Context, f func(querier) error) error {
	conn, err := l.writer.connection(ctx)
	if err != nil {
		return err
	}
	if _, _, err = begin(ctx, conn, nil); err == nil {
		err = f(conn)
	}
	if err == nil {
		_, err = conn.Exec(ctx, end)
	}
	if err == nil {
		err = acknowledged(conn)
	}
	if err != nil {
		abandon(conn)
	}
	return err
}

// looked runs f in one read transaction.
func (l *Ledger) looked(ctx context.Context, f func(querier) error) error {
	return l.snapshot(ctx, func(tx pgx.Tx) error { return f(tx) })
}

// rootAt is the root that the tree had at an earlier size.
func (l *Ledger) rootAt(ctx context.Context, q querier, size int64) (tlog.Hash, error) {
	tree, err := l.treeAt(ctx, q, size)
	if err != nil {
		return tlog.Hash{}, err
	}
	return tree.Root(), nil
}

// treeAt is the tree as it was at a size.
func (l *Ledger) treeAt(ctx context.Context, q querier, size int64) (*ledger.Tree, error) {
	edge, err := nodes{ctx, q, &l.months}.at(ledger.Edge(size))
	if err != nil {
		return nil, err
	}
	return ledger.RestoreTree(size, edge)
}
