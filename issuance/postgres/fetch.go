package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// reader reads streams.
type reader struct {
	l *Ledger
	q querier
}

// Stream implements [issuance.Reader].
func (r *reader) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	found, err := r.Read(ctx, s)
	return found[s], err
}

// Read implements [issuance.BatchReader]: streams as they stood at one moment.
//
// A stream that has more entries than the table of streams says grew between two statements:
// then the table says more when it is asked again. If it does not, somebody was at it. So it is
// with one that the table does not list and the newest month has; that an older month has it
// is for Verify to say.
func (r *reader) Read(ctx context.Context, ids ...issuance.StreamID) (map[issuance.StreamID][]issuance.Entry, error) {
	var grew map[issuance.StreamID]int64
	for again := false; ; again = true {
		if again || len(r.l.months.known()) == 0 {
			if err := r.l.months.read(ctx, r.q); err != nil {
				return nil, err
			}
		}
		f := fetching{months: r.l.months.known(), stands: map[issuance.StreamID]stands{}, older: rows{}, newest: rows{}, grown: map[issuance.StreamID]int64{}}
		found, err := f.run(ctx, r.q, ids)
		switch {
		case err == nil && len(f.grown) == 0:
			return found, nil
		case err == nil:
			for id, seq := range f.grown {
				if before, ok := grew[id]; ok && before == seq {
					return nil, fmt.Errorf("%w: %s has more than the %d entries that the table of streams says", ledger.ErrDamaged, id, seq)
				}
			}
			grew = f.grown
		case again || !errors.Is(err, ledger.ErrDamaged) && !unknown(err): // else a month that was not known may have them
			return nil, err
		}
	}
}

// fetching are the entries of streams on their way out of the database.
type fetching struct {
	months        []span
	stands        map[issuance.StreamID]stands
	older, newest rows
	grown         map[issuance.StreamID]int64 // as the table of streams says, where there are more
}

// stands is a row of the table of streams.
type stands struct {
	seq, opened, latest int64
	last                []byte
}

// rows are what months have of streams, in their order.
type rows map[issuance.StreamID][]issuance.Encoded

// run asks for where the streams stand and for what the newest month has of them, in one
// trip: most streams that somebody asks for lie there. What began before takes another trip.
func (f *fetching) run(ctx context.Context, q querier, ids []issuance.StreamID) (map[issuance.StreamID][]issuance.Entry, error) {
	b := &pgx.Batch{}
	f.standing(b, ids)
	n := len(f.months) - 1
	if n >= 0 {
		f.newest.queue(b, f.months[n], ids)
	}
	if err := q.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	b = &pgx.Batch{}
	for i := range max(n, 0) {
		f.older.queue(b, f.months[i], f.between(f.months[i].first, f.months[i+1].first))
	}
	if b.Len() > 0 {
		if err := q.SendBatch(ctx, b).Close(); err != nil {
			return nil, err
		}
	}
	for id := range f.newest {
		if f.stands[id].seq == 0 {
			f.grown[id] = 0
		}
	}
	found := map[issuance.StreamID][]issuance.Entry{}
	for id, t := range f.stands {
		var err error
		if int64(len(f.older[id])+len(f.newest[id])) > t.seq {
			f.grown[id] = t.seq
			continue
		}
		if found[id], err = t.entries(id, append(f.older[id], f.newest[id]...)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// between are the streams that may have entries from one index to another, that excluded.
func (f *fetching) between(from, to int64) (ids []issuance.StreamID) {
	for id, t := range f.stands {
		if t.latest >= from && t.opened < to {
			ids = append(ids, id)
		}
	}
	return ids
}

// standing asks for where the streams stand.
func (f *fetching) standing(b *pgx.Batch, ids []issuance.StreamID) {
	query, args := of(ids, "SELECT s.kind, s.id, s.seq, s.opened, s.latest, s.last FROM stream s", "s.kind", "s.id", "")
	b.Queue(query, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id issuance.StreamID
			var t stands
			if err := rows.Scan(&id.Kind, &id.ID, &t.seq, &t.opened, &t.latest, &t.last); err != nil {
				return err
			}
			f.stands[id] = t
		}
		return rows.Err()
	})
}

// queue asks for what a month has of streams.
func (r rows) queue(b *pgx.Batch, m span, ids []issuance.StreamID) {
	if len(ids) == 0 {
		return
	}
	query, args := of(ids, "SELECT e.kind, e.stream, e.leaf, e.payload FROM "+m.part("entry")+" e", "e.kind", "e.stream", " ORDER BY e.kind, e.stream, e.seq")
	b.Queue(query, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id issuance.StreamID
			var e issuance.Encoded
			if err := rows.Scan(&id.Kind, &id.ID, &e.Leaf, &e.Payload); err != nil {
				return err
			}
			r[id] = append(r[id], e)
		}
		return rows.Err()
	})
}

// of completes a statement about streams: one by its key, several by a list of keys.
func of(ids []issuance.StreamID, query, kind, id, order string) (string, []any) {
	if len(ids) == 1 {
		return query + " WHERE " + kind + " = $1 AND " + id + " = $2" + order, []any{string(ids[0].Kind), ids[0].ID}
	}
	var kinds, names []string
	for _, s := range ids {
		kinds, names = append(kinds, string(s.Kind)), append(names, s.ID)
	}
	return query + ` JOIN unnest($1::text[], $2::text[]) r (kind, id) ON ` + kind + ` = r.kind COLLATE "C" AND ` + id + ` = r.id COLLATE "C"` + order,
		[]any{kinds, names}
}

// entries are those of a stream. Rows that do not end where the table of streams says are
// ledger.ErrDamaged.
func (t stands) entries(id issuance.StreamID, rows []issuance.Encoded) ([]issuance.Entry, error) {
	if int64(len(rows)) != t.seq || t.seq < 1 {
		return nil, fmt.Errorf("%w: %s has %d entries, the table of streams says %d", ledger.ErrDamaged, id, len(rows), t.seq)
	}
	if hash := issuance.LeafHash(rows[t.seq-1].Leaf); !bytes.Equal(t.last, hash[:]) {
		return nil, fmt.Errorf("%w: entry %d of %s is not the one that the table of streams says", ledger.ErrDamaged, t.seq, id)
	}
	entries := make([]issuance.Entry, len(rows))
	for i, r := range rows {
		e, err := issuance.ParseEntry(r.Leaf, r.Payload)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
		}
		entries[i] = e
	}
	return entries, nil
}
