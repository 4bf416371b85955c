package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
)

// List returns the streams of a kind, oldest first; with phases, only those that stand
// in one of them.
func (l *Ledger) List(ctx context.Context, kind issuance.Kind, phases ...issuance.Phase) ([]issuance.Summary, error) {
	if l.behind != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	query, args := "SELECT kind, id, phase, seq, since FROM stream WHERE kind = $1", []any{string(kind)}
	if len(phases) > 0 {
		in := make([]string, len(phases))
		for i, p := range phases {
			in[i] = string(p)
		}
		query, args = query+" AND phase = ANY ($2)", append(args, in)
	}
	rows, err := l.readers.Query(ctx, query+" ORDER BY opened", args...)
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, typed(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s issuance.Summary, err error) {
		var since int64
		err = row.Scan(&s.Stream.Kind, &s.Stream.ID, &s.Phase, &s.Seq, &since)
		s.Since = time.UnixMicro(since).UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, typed(err))
	}
	return list, nil
}

// streamsAtOnce is how many streams' names are read together.
const streamsAtOnce = 1024

// Streams calls f with the name of each stream of a kind, in the order of names, those that
// are opened meanwhile perhaps among them. The ledger may be read meanwhile.
func (l *Ledger) Streams(ctx context.Context, kind issuance.Kind, f func(issuance.StreamID) error) error {
	if l.behind != nil {
		return fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	after := ""
	for {
		rows, err := l.readers.Query(ctx, "SELECT id FROM stream WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3", string(kind), after, streamsAtOnce)
		if err != nil {
			return fmt.Errorf("list %ss: %w", kind, typed(err))
		}
		some, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("list %ss: %w", kind, typed(err))
		}
		for _, id := range some {
			if err := f(issuance.StreamID{Kind: kind, ID: id}); err != nil {
				return err
			}
		}
		if len(some) < streamsAtOnce {
			return nil
		}
		after = some[len(some)-1]
	}
}
