package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

const forwardStatus = " ON CONFLICT (list, place) DO UPDATE SET state = excluded.state, since = excluded.since"

// writeStatus says how the cards stand that the entries were about.
func (l *Ledger) writeStatus(ctx context.Context, tx *sql.Tx, first int64, rows []issuance.Encoded, _ []tlog.Hash) error {
	var values []any
	for i := range rows {
		for _, p := range ledger.Places(l.cache.book, &rows[i].Entry, first+int64(i)) {
			list, err := l.cache.list(ctx, tx, p.List)
			if err != nil {
				return err
			}
			values = append(values, list, int64(p.Index), int64(p.State), p.Since)
		}
	}
	_, err := l.cache.stmt.status.insert(ctx, tx, values)
	return err
}

// list is the number of a list of card status, which is given out at its first card.
func (c *cache) list(ctx context.Context, tx *sql.Tx, uri string) (int64, error) {
	if n, ok := c.lists[uri]; ok {
		return n, nil
	}
	var n int64
	err := tx.QueryRowContext(ctx, "SELECT number FROM status_list WHERE uri = ?", uri).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, "INSERT INTO status_list (uri) VALUES (?) RETURNING number", uri).Scan(&n)
	}
	if err != nil {
		return 0, err
	}
	if c.lists == nil {
		c.lists = map[string]int64{}
	}
	c.lists[uri] = n
	return n, nil
}

// Places calls f with how each card of a list stands, in the order of their indexes and as of
// one moment, until it errs. Nothing may be asked of the ledger meanwhile.
func (l *Ledger) Places(ctx context.Context, list string, f func(ledger.Place) error) error {
	if l.behind != nil {
		return fmt.Errorf("read card status: %w", l.behind)
	}
	there, err := hasTable(ctx, l.readers, "status")
	if err != nil || !there {
		return fmt.Errorf("read card status: %w", cmp.Or(typed(err), ledger.ErrNoPlaces))
	}
	rows, err := l.readers.QueryContext(ctx,
		"SELECT place, state, since FROM status WHERE list = (SELECT number FROM status_list WHERE uri = ?) ORDER BY place", list)
	if err == nil {
		p := ledger.Place{List: list}
		err = scanPlaces(rows, []any{&p.Index, &p.State, &p.Since}, func() error { return f(p) })
	}
	if err != nil {
		return fmt.Errorf("read card status: %w", typed(err))
	}
	return nil
}

// EachPlace implements [ledger.Source].
func (s *auditSource) EachPlace(ctx context.Context, f func(ledger.Place) error) error {
	if there, err := hasTable(ctx, s.tx, "status"); err != nil || !there {
		return cmp.Or(err, ledger.ErrNoPlaces)
	}
	rows, err := s.tx.QueryContext(ctx, "SELECT coalesce(uri, ''), place, state, since FROM status LEFT JOIN status_list ON number = list")
	if err != nil {
		return err
	}
	var p ledger.Place
	return scanPlaces(rows, []any{&p.List, &p.Index, &p.State, &p.Since}, func() error { return f(p) })
}

func scanPlaces(rows *sql.Rows, into []any, f func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := f(); err != nil {
			return err
		}
	}
	return rows.Err()
}
