package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// part is a run of the log that lies in one partition.
type part struct {
	name     string // the month as six digits
	from, to int64  // the indexes of its entries, to excluded
}

// parts are the months of a log as runs of it, from an index to another. The last has no end
// of its own.
func parts(list []span, from, to int64) []part {
	var all []part
	for i, s := range list {
		p := part{s.month.Format("200601"), max(s.first, from), to}
		if i+1 < len(list) {
			p.to = min(list[i+1].first, to)
		}
		if p.from < p.to {
			all = append(all, p)
		}
	}
	return all
}

// Entries calls each for every entry from an index on, in the order of the tree and as of
// one moment, until it errs. The octets are its own only until it returns.
func (l *Ledger) Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error {
	if l.behind != nil {
		return fmt.Errorf("read the ledger: %w", l.behind)
	}
	return l.snapshot(ctx, func(tx pgx.Tx) error {
		list, err := l.months.all(ctx, tx)
		if err != nil {
			return fmt.Errorf("read the ledger: %w", typed(err))
		}
		for _, p := range parts(list, from, math.MaxInt64) {
			if err := eachEntry(ctx, tx, p, each); err != nil {
				return err
			}
		}
		return nil
	})
}

func eachEntry(ctx context.Context, tx pgx.Tx, p part, each func(index int64, leaf, payload []byte) error) error {
	rows, err := tx.Query(ctx, "SELECT idx, leaf, payload FROM entry_"+p.name+" WHERE idx >= $1 AND idx < $2 ORDER BY idx", p.from, p.to)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", typed(err))
	}
	defer rows.Close()
	for rows.Next() {
		var index int64
		var leaf, payload pgtype.DriverBytes
		if err := rows.Scan(&index, &leaf, &payload); err != nil {
			return fmt.Errorf("read the ledger: %w", typed(err))
		}
		if err := each(index, leaf, payload); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the ledger: %w", typed(err))
	}
	return nil
}

// Attachment returns the sealed octets of an entry's attachment; fs.ErrNotExist if the
// entry or the attachment is not there.
func (l *Ledger) Attachment(ctx context.Context, entry [16]byte, name string) (sealed []byte, err error) {
	err = l.read(ctx, func(q querier) error {
		index, err := indexOf(ctx, q, entry)
		if err != nil {
			return err
		}
		return l.months.probe(ctx, q, index, func(m span) error {
			return q.QueryRow(ctx, "SELECT sealed FROM "+m.part("attachment")+" WHERE place BETWEEN $1 AND $2 AND name = $3",
				index*maxAttachments, index*maxAttachments+maxAttachments-1, name).Scan(&sealed)
		})
	})
	if isNone(err) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read attachment %s: %w", name, err)
	}
	return sealed, nil
}
