package postgres

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
)

// read runs f on one connection: whatever stands between us and several servers, f speaks
// with one of them. It runs f anew where that one went away.
func (l *Ledger) read(ctx context.Context, f func(querier) error) error {
	return again(ctx, l.o.Busy, func() error {
		conn, err := l.readers.Pool.Acquire(ctx)
		if err != nil {
			return typed(err)
		}
		defer conn.Release()
		return typed(f(conn))
	})
}

// Stream implements [issuance.Ledger]. A row that is not a leaf is ErrDamaged, and so are
// rows that do not end where the table of streams says.
func (l *Ledger) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	found, err := l.Read(ctx, s)
	return found[s], err
}

// Read implements [issuance.BatchReader]: what it returns is of one moment. Errors are
// those of Stream.
func (l *Ledger) Read(ctx context.Context, ids ...issuance.StreamID) (found map[issuance.StreamID][]issuance.Entry, err error) {
	if l.behind != nil {
		return nil, fmt.Errorf("read the ledger: %w", l.behind)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	err = l.read(ctx, func(q querier) error {
		found, err = (&reader{l, q}).Read(ctx, ids...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return found, nil
}

// leaf reads one leaf; pgx.ErrNoRows if there is none.
func (l *Ledger) leaf(ctx context.Context, q querier, index int64) (leaf []byte, err error) {
	err = l.months.probe(ctx, q, index, func(m span) error {
		return q.QueryRow(ctx, "SELECT leaf FROM "+m.part("entry")+" WHERE idx = $1", index).Scan(&leaf)
	})
	return leaf, err
}
