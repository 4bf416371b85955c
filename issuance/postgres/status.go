package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/status"
)

// places says how the cards stand that the rows were about. A statement changes a place once.
func (w *writing) places(b *pgx.Batch) {
	type key struct {
		list  string
		place uint32
	}
	at := map[key]int{}
	var lists []string
	var places, since []int64
	var states []int16
	for i := range w.rows {
		for _, p := range ledger.Places(w.l.writer.cache.book, &w.rows[i].Entry, w.head.size+int64(i)) {
			n, again := at[key{p.List, p.Index}]
			if !again {
				n = len(lists)
				at[key{p.List, p.Index}] = n
				lists, places, states, since = append(lists, p.List), append(places, int64(p.Index)), append(states, 0), append(since, 0)
			}
			states[n], since[n] = int16(p.State), p.Since
		}
	}
	if len(lists) == 0 {
		return
	}
	b.Queue(`INSERT INTO status_list SELECT (SELECT coalesce(max(number), 0) FROM status_list) + row_number() OVER (ORDER BY uri), uri
		FROM (SELECT DISTINCT uri FROM unnest($1::text[]) r (uri)) lists
		WHERE NOT EXISTS (SELECT FROM status_list l WHERE l.uri = lists.uri COLLATE "C")`, lists)
	b.Queue(`INSERT INTO status SELECT number, place, state, since
		FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::bigint[]) r (uri, place, state, since) JOIN status_list l ON l.uri = r.uri COLLATE "C"
		ON CONFLICT (list, place) DO UPDATE SET state = excluded.state, since = excluded.since`, lists, places, states, since)
}

// Places calls f with how each card of a list stands, in the order of their indexes and as of
// one moment, until it errs. Nothing may be asked of the ledger meanwhile.
func (l *Ledger) Places(ctx context.Context, list string, f func(ledger.Place) error) error {
	if l.behind != nil {
		return fmt.Errorf("read card status: %w", l.behind)
	}
	err := l.snapshot(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx,
			"SELECT place, state, since FROM status WHERE list = (SELECT number FROM status_list WHERE uri = $1) ORDER BY place", list)
		if err != nil {
			return err
		}
		defer rows.Close()
		p := ledger.Place{List: list}
		var state int16
		for rows.Next() {
			if err := rows.Scan(&p.Index, &state, &p.Since); err != nil {
				return err
			}
			p.State = status.State(state)
			if err := f(p); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read card status: %w", typed(err))
	}
	return nil
}
