package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
)

// reader reads streams in a transaction.
type reader struct {
	l    *Ledger
	conn *pgx.Conn
}

// Stream implements [issuance.Reader].
func (r *reader) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	found, err := r.Read(ctx, s)
	return found[s], err
}

// Read implements [issuance.BatchReader].
func (r *reader) Read(ctx context.Context, ids ...issuance.StreamID) (map[issuance.StreamID][]issuance.Entry, error) {
	b, s := &pgx.Batch{}, standing{}
	s.queue(b, ids)
	if err := r.conn.SendBatch(ctx, b).Close(); err != nil || len(s) == 0 {
		return nil, err
	}
	from, to := s.extent()
	months, err := r.l.months.between(ctx, r.conn, from, to)
	if err != nil {
		return nil, err
	}
	f := fetching{stands: s, found: map[issuance.StreamID][]issuance.Entry{}}
	b = &pgx.Batch{}
	f.queue(b, months)
	if err := r.conn.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	return f.found, f.whole()
}

// leaf reads one leaf; pgx.ErrNoRows if there is none.
func (l *Ledger) leaf(ctx context.Context, q querier, index int64) (leaf []byte, err error) {
	m, ok, err := l.months.of(ctx, q, index)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, pgx.ErrNoRows
	}
	err = q.QueryRow(ctx, "SELECT leaf FROM "+m.part("entry")+" WHERE idx = $1", index).Scan(&leaf)
	return leaf, err
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
	err = again(ctx, l.o.Busy, func() error {
		return l.snapshot(ctx, func(tx pgx.Tx) (err error) {
			found, err = (&reader{l, tx.Conn()}).Read(ctx, ids...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", typed(err))
	}
	return found, nil
}
