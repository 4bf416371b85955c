package postgres

import (
	"bytes"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// standing are rows of the table of streams.
type standing map[issuance.StreamID]stands

type stands struct {
	seq            int64
	last           []byte
	opened, latest int64
}

// queue looks streams up in one statement.
func (s standing) queue(b *pgx.Batch, ids []issuance.StreamID) {
	kinds, names := streamColumns(ids)
	b.Queue(`SELECT s.kind, s.id, s.seq, s.last, s.opened, s.latest FROM stream s
		JOIN unnest($1::text[], $2::text[]) r (kind, id) ON s.kind = r.kind COLLATE "C" AND s.id = r.id COLLATE "C"`, kinds, names).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var id issuance.StreamID
				var t stands
				if err := rows.Scan(&id.Kind, &id.ID, &t.seq, &t.last, &t.opened, &t.latest); err != nil {
					return err
				}
				s[id] = t
			}
			return rows.Err()
		})
}

// extent is the run of the log that has all their entries.
func (s standing) extent() (from, to int64) {
	from = math.MaxInt64
	for _, t := range s {
		from, to = min(from, t.opened), max(to, t.latest)
	}
	return from, to
}

func streamColumns(ids []issuance.StreamID) (kinds, names []string) {
	for _, id := range ids {
		kinds, names = append(kinds, string(id.Kind)), append(names, id.ID)
	}
	return kinds, names
}

// fetching are the entries of streams on their way out of the database.
type fetching struct {
	stands standing
	found  map[issuance.StreamID][]issuance.Entry
	last   map[issuance.StreamID][32]byte
}

// queue reads from each month the streams that have entries in it.
func (f *fetching) queue(b *pgx.Batch, months []span) {
	f.last = map[issuance.StreamID][32]byte{}
	for i, m := range months {
		var ids []issuance.StreamID
		for id, t := range f.stands {
			if t.latest >= m.first && (i == len(months)-1 || t.opened < months[i+1].first) {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		kinds, names := streamColumns(ids)
		b.Queue("SELECT e.kind, e.stream, e.leaf, e.payload FROM "+m.part("entry")+` e
			JOIN unnest($1::text[], $2::text[]) r (kind, id) ON e.kind = r.kind COLLATE "C" AND e.stream = r.id COLLATE "C"
			ORDER BY e.kind, e.stream, e.seq`, kinds, names).Query(f.read)
	}
}

func (f *fetching) read(rows pgx.Rows) error {
	for rows.Next() {
		var id issuance.StreamID
		var leaf, payload []byte
		if err := rows.Scan(&id.Kind, &id.ID, &leaf, &payload); err != nil {
			return err
		}
		e, err := issuance.ParseEntry(leaf, payload)
		if err != nil {
			return fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
		}
		f.found[id], f.last[id] = append(f.found[id], e), issuance.LeafHash(leaf)
	}
	return rows.Err()
}

// whole refuses streams that do not end where the table of streams says.
func (f *fetching) whole() error {
	for id, t := range f.stands {
		last := f.last[id]
		if n := int64(len(f.found[id])); n != t.seq || !bytes.Equal(t.last, last[:]) {
			return fmt.Errorf("%w: %s has %d entries, the table of streams says %d", ledger.ErrDamaged, id, n, t.seq)
		}
	}
	return nil
}
