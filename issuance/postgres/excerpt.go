package postgres

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Excerpt writes the entries from an index on, with all that belongs to them and the newest
// checkpoint, as of one moment.
func (l *Ledger) Excerpt(ctx context.Context, w io.Writer, from int64) error {
	err := l.snapshot(ctx, func(tx pgx.Tx) error {
		_, signed, err := newest(ctx, tx)
		if err != nil {
			return err
		}
		v, err := l.verifier(ctx, tx)
		if err != nil {
			return err
		}
		c, err := ledger.ParseCheckpoint(signed, v)
		if err != nil {
			return err
		}
		x, err := ledger.NewExcerpt(w, c, from)
		if err != nil {
			return err
		}
		list, err := l.months.all(ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range parts(list, from, c.Size) {
			if err := carry(ctx, tx, p, x.Add); err != nil {
				return err
			}
		}
		return x.Close()
	})
	if err != nil {
		return fmt.Errorf("make an excerpt: %w", typed(err))
	}
	return nil
}

// carriedAtOnce is how many entries are read with their attachments together.
const carriedAtOnce = 64

func carry(ctx context.Context, tx pgx.Tx, p part, add func(ledger.Carried) error) error {
	for from := p.from; from < p.to; from += carriedAtOnce {
		to := min(from+carriedAtOnce, p.to)
		attached, err := attachedTo(ctx, tx, p, from, to)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT idx, leaf, payload FROM entry_"+p.name+" WHERE idx >= $1 AND idx < $2 ORDER BY idx", from, to)
		if err != nil {
			return err
		}
		var index int64
		var c ledger.Carried
		_, err = pgx.ForEachRow(rows, []any{&index, &c.Leaf, &c.Payload}, func() error {
			c.Attach = attached[index]
			return add(c)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// attachedTo reads the attachments of some entries, by their index.
func attachedTo(ctx context.Context, tx pgx.Tx, p part, from, to int64) (map[int64][]issuance.Attachment, error) {
	rows, err := tx.Query(ctx, "SELECT place, name, sealed FROM attachment_"+p.name+" WHERE place >= $1 AND place < $2 ORDER BY place",
		from*maxAttachments, to*maxAttachments)
	if err != nil {
		return nil, err
	}
	list := map[int64][]issuance.Attachment{}
	for rows.Next() {
		var place int64
		var t issuance.Attachment
		if err := rows.Scan(&place, &t.Name, &t.Sealed); err != nil {
			rows.Close()
			return nil, err
		}
		list[place/maxAttachments] = append(list[place/maxAttachments], t)
	}
	return list, rows.Err()
}
