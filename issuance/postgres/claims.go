package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Claimed returns the stream that has a claim, or that holds a hold now; the zero
// StreamID if nothing does.
func (l *Ledger) Claimed(ctx context.Context, c issuance.Claim) (issuance.StreamID, error) {
	if l.behind != nil {
		return issuance.StreamID{}, fmt.Errorf("look up %s: %w", c.Kind, l.behind)
	}
	var s issuance.StreamID
	err := l.readers.QueryRow(ctx, whose(c.Kind), string(c.Kind), c.Value).Scan(&s.Kind, &s.ID)
	if err != nil && !isNone(err) {
		return issuance.StreamID{}, fmt.Errorf("look up %s: %w", c.Kind, typed(err))
	}
	return s, nil
}

// whose asks both tables who has a value, the one first where the kind belongs: where that
// has it, the other is not looked at.
func whose(kind issuance.ClaimKind) string {
	const (
		claim = "SELECT stream_kind, stream FROM claim WHERE kind = $1 AND value = $2"
		hold  = "SELECT stream_kind, stream FROM hold WHERE kind = $1 AND value = $2"
	)
	switch kind {
	case issuance.HoldApplication, issuance.HoldCard, issuance.HoldName:
		return hold + " UNION ALL " + claim + " LIMIT 1"
	}
	return claim + " UNION ALL " + hold + " LIMIT 1"
}

// claimsAtOnce is how many claims are read together.
const claimsAtOnce = 4096

// Claims calls f with the claims of a kind whose values lie between two, in their order,
// and with the streams that have them. The ledger may be read meanwhile.
func (l *Ledger) Claims(ctx context.Context, kind issuance.ClaimKind, from, to string, f func(value string, by issuance.StreamID) error) error {
	if l.behind != nil {
		return fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	const some = "SELECT kind, value, stream_kind, stream, idx FROM claim WHERE kind = $1 AND value <= $2 AND value "
	for after := ">= $3"; ; after = "> $3" {
		list, err := l.taken(ctx, some+after+" ORDER BY value LIMIT $4", string(kind), to, from, claimsAtOnce)
		if err != nil {
			return fmt.Errorf("list %ss: %w", kind, typed(err))
		}
		for _, t := range list {
			if err := f(t.Claim.Value, t.Stream); err != nil {
				return err
			}
		}
		if len(list) < claimsAtOnce {
			return nil
		}
		from = list[len(list)-1].Claim.Value
	}
}

// LastClaim returns the greatest value of a kind between two; empty if there is none.
func (l *Ledger) LastClaim(ctx context.Context, kind issuance.ClaimKind, from, to string) (last string, err error) {
	if l.behind != nil {
		return "", fmt.Errorf("look up %s: %w", kind, l.behind)
	}
	err = l.readers.QueryRow(ctx, "SELECT value FROM claim WHERE kind = $1 AND value BETWEEN $2 AND $3 ORDER BY value DESC LIMIT 1",
		string(kind), from, to).Scan(&last)
	if err != nil && !isNone(err) {
		return "", fmt.Errorf("look up %s: %w", kind, typed(err))
	}
	return last, nil
}

// Taken returns what streams have claimed, or hold now, of a kind: at most n values that
// come after one, in their order.
func (l *Ledger) Taken(ctx context.Context, kind issuance.ClaimKind, after string, n int) ([]ledger.Taken, error) {
	if l.behind != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	const some = "(SELECT kind, value, stream_kind, stream, idx FROM %s WHERE kind = $1 AND value > $2 ORDER BY value LIMIT $3)"
	list, err := l.taken(ctx, fmt.Sprintf(some+" UNION ALL "+some+" ORDER BY value LIMIT $3", "claim", "hold"), string(kind), after, n)
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, typed(err))
	}
	return list, nil
}

func (l *Ledger) taken(ctx context.Context, query string, args ...any) ([]ledger.Taken, error) {
	rows, err := l.readers.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanTaken)
}

func scanTaken(row pgx.CollectableRow) (t ledger.Taken, err error) {
	return t, row.Scan(&t.Claim.Kind, &t.Claim.Value, &t.Stream.Kind, &t.Stream.ID, &t.Index)
}
