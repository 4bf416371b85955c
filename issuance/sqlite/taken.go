package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Taken returns what streams have claimed, or hold now, of a kind: at most n values that
// come after one, in their order.
func (l *Ledger) Taken(ctx context.Context, kind issuance.ClaimKind, after string, n int) ([]ledger.Taken, error) {
	if l.behind != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	const some = " WHERE kind = ?1 AND value > ?2"
	table, err := scanTaken(l.readers.QueryContext(ctx,
		"SELECT kind, value, stream_kind, stream, idx FROM claim"+some+
			" UNION ALL SELECT kind, value, stream_kind, stream, idx FROM hold"+some+" ORDER BY value LIMIT ?3",
		string(kind), after, n))
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, typed(err))
	}
	return table, nil
}

func scanTaken(rows *sql.Rows, err error) ([]ledger.Taken, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var table []ledger.Taken
	for rows.Next() {
		var t ledger.Taken
		if err := rows.Scan(&t.Claim.Kind, &t.Claim.Value, &t.Stream.Kind, &t.Stream.ID, &t.Index); err != nil {
			return nil, err
		}
		table = append(table, t)
	}
	return table, rows.Err()
}
