package postgres

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// reader reads streams in a transaction.
type reader struct {
	l *Ledger
	q querier
}

// Stream implements [issuance.Reader].
func (r *reader) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	return r.l.stream(ctx, r.q, s)
}

// stream reads the entries of a stream from the months that have them.
func (l *Ledger) stream(ctx context.Context, q querier, s issuance.StreamID) ([]issuance.Entry, error) {
	var end, opened, latest int64 // as the table of streams says
	var last []byte
	err := q.QueryRow(ctx, "SELECT seq, last, opened, latest FROM stream WHERE kind = $1 AND id = $2", string(s.Kind), s.ID).
		Scan(&end, &last, &opened, &latest)
	if err == pgx.ErrNoRows { //nolint:errorlint // pgx returns it as it is
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	spans, err := l.months.between(ctx, q, opened, latest)
	if err != nil || len(spans) == 0 {
		return nil, err
	}
	var parts []string
	for _, m := range spans {
		parts = append(parts, "SELECT seq, leaf, payload FROM "+m.part("entry")+" WHERE kind = $1 AND stream = $2")
	}
	rows, err := q.Query(ctx, strings.Join(parts, " UNION ALL ")+" ORDER BY seq", string(s.Kind), s.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []issuance.Entry
	var hash [32]byte
	for rows.Next() {
		var seq int64
		var leaf, payload []byte
		if err := rows.Scan(&seq, &leaf, &payload); err != nil {
			return nil, err
		}
		hash = issuance.LeafHash(leaf)
		e, err := issuance.ParseEntry(leaf, payload)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n := int64(len(entries)); end != n || !bytes.Equal(last, hash[:]) {
		return nil, fmt.Errorf("%w: %s has %d entries, the table of streams says %d", ledger.ErrDamaged, s, n, end)
	}
	return entries, nil
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
func (l *Ledger) Stream(ctx context.Context, s issuance.StreamID) (entries []issuance.Entry, err error) {
	if l.behind != nil {
		return nil, fmt.Errorf("read the ledger: %w", l.behind)
	}
	err = l.snapshot(ctx, func(tx pgx.Tx) (err error) {
		entries, err = l.stream(ctx, tx, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", typed(err))
	}
	return entries, nil
}
