package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// takings are what the rows of a transaction claim, hold and release. The rules cannot see
// what other streams have taken; the keys of the tables can.
type takings struct {
	w *writing

	claims, holds table
	before, after releases // of holds, as against what is taken
}

// table are rows on their way into claim or hold.
type table struct {
	rows []int // that take it
	list []issuance.Claim
	took map[issuance.Claim]bool // found free
}

func (t *table) add(row int, c issuance.Claim) {
	t.rows, t.list = append(t.rows, row), append(t.list, c)
}

// releases are holds on their way out.
type releases struct {
	rows []int // that release it
	list []issuance.Claim
	by   []issuance.StreamID
	gone int64
}

func (r *releases) add(row int, c issuance.Claim, by issuance.StreamID) {
	r.rows, r.list, r.by = append(r.rows, row), append(r.list, c), append(r.by, by)
}

// fate is what the rows so far do with a hold.
type fate struct {
	first, now int  // rows that hold it; now is -1 while nobody does
	freed      bool // the database had it, and it is released first
}

// plan walks the rows in their order and finds what is taken twice among them. The database
// sees the outcome only: what it holds and is released goes before all that is taken. row is
// the one to blame, -1 if none is.
func (t *takings) plan() (row int, err error) {
	claimed, held := map[issuance.Claim]int{}, map[issuance.Claim]*fate{}
	var order []issuance.Claim
	for i := range t.w.rows {
		e := &t.w.rows[i].Entry
		for _, c := range e.Release {
			f := held[c]
			switch {
			case f == nil:
				f = &fate{first: -1, freed: true}
				held[c], order = f, append(order, c)
				t.before.add(i, c, e.Stream)
			case f.now < 0 || t.w.rows[f.now].Entry.Stream != e.Stream:
				return i, fmt.Errorf("%w: %s does not hold its %s", ledger.ErrDamaged, e.Stream, c.Kind)
			}
			f.now = -1
		}
		for _, c := range e.Claims {
			if first, twice := claimed[c]; twice {
				return i, &issuance.DuplicateError{Claim: c, Holder: t.w.rows[first].Entry.Stream}
			}
			claimed[c] = i
			t.claims.add(i, c)
		}
		for _, c := range e.Hold {
			f := held[c]
			switch {
			case f == nil:
				f = &fate{first: i}
				held[c], order = f, append(order, c)
			case f.now >= 0:
				return i, &issuance.DuplicateError{Claim: c, Holder: t.w.rows[f.now].Entry.Stream}
			}
			f.now = i
		}
	}
	t.settle(order, held)
	return -1, nil
}

// settle says what of the holds the database gets to see.
func (t *takings) settle(order []issuance.Claim, held map[issuance.Claim]*fate) {
	for _, c := range order {
		switch f := held[c]; {
		case f.now >= 0:
			t.holds.add(f.now, c)
		case !f.freed: // held and released again: whoever had it before must be found all the same
			t.holds.add(f.first, c)
			t.after.add(f.first, c, t.w.rows[f.first].Entry.Stream)
		}
	}
}

// queue puts it into the batch. Unless the transaction is careful, it fails where something is
// taken that is to be taken, or not held that is to be released.
func (t *takings) queue(b *pgx.Batch) {
	t.before.queue(b, t.w.how == careful)
	t.claims.queue(b, "claim", t.w)
	t.holds.queue(b, "hold", t.w)
	t.after.queue(b, t.w.how == careful)
}

func (r *releases) queue(b *pgx.Batch, careful bool) {
	if len(r.list) == 0 {
		return
	}
	kind, value := split(r.list)
	byKind, by := make([]string, len(r.by)), make([]string, len(r.by))
	for i, s := range r.by {
		byKind[i], by[i] = string(s.Kind), s.ID
	}
	b.Queue(`WITH gone AS (
			DELETE FROM hold h USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) r (kind, value, stream_kind, stream)
			WHERE h.kind = r.kind AND h.value = r.value AND h.stream_kind = r.stream_kind AND h.stream = r.stream RETURNING 1
		) SELECT count(*), 1 / (count(*) = $5 OR $6)::int FROM gone`,
		kind, value, byKind, by, len(r.list), careful).QueryRow(func(row pgx.Row) error {
		var one int
		return row.Scan(&r.gone, &one)
	})
}

// queue adds the rows that nobody has, and notes which they were.
func (t *table) queue(b *pgx.Batch, name string, w *writing) {
	if len(t.list) == 0 {
		return
	}
	t.took = make(map[issuance.Claim]bool, len(t.list))
	kind, value := split(t.list)
	byKind, by, index := make([]string, len(t.list)), make([]string, len(t.list)), make([]int64, len(t.list))
	for i, row := range t.rows {
		s := w.rows[row].Entry.Stream
		byKind[i], by[i], index[i] = string(s.Kind), s.ID, w.head.size+int64(row)
	}
	text := "INSERT INTO " + name + " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])"
	if w.how != careful {
		b.Queue(text, kind, value, byKind, by, index)
		return
	}
	b.Queue(text+" ON CONFLICT (kind, value) DO NOTHING RETURNING kind, value", kind, value, byKind, by, index).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var c issuance.Claim
			if err := rows.Scan(&c.Kind, &c.Value); err != nil {
				return err
			}
			t.took[c] = true
		}
		return rows.Err()
	})
}

func split(list []issuance.Claim) (kind, value []string) {
	for _, c := range list {
		kind, value = append(kind, string(c.Kind)), append(value, c.Value)
	}
	return kind, value
}

// settled says, once the batch is done, whether all was free and all was held that had to be.
// row is the one to blame.
func (t *takings) settled(ctx context.Context) (row int, err error) {
	for _, r := range []*releases{&t.before, &t.after} {
		if r.gone != int64(len(r.list)) {
			return r.rows[0], fmt.Errorf("%w: of %d holds to be released %d are held", ledger.ErrDamaged, len(r.list), r.gone)
		}
	}
	for _, of := range []struct {
		*table
		name string
	}{{&t.claims, "claim"}, {&t.holds, "hold"}} {
		for i, c := range of.list {
			if of.took[c] {
				continue
			}
			holder, err := findTaken(ctx, t.w.conn, of.name, c)
			if err != nil {
				return -1, err
			}
			return of.rows[i], &issuance.DuplicateError{Claim: c, Holder: holder}
		}
	}
	return -1, nil
}

// findTaken says who has a claim or a hold; the zero StreamID if nobody has.
func findTaken(ctx context.Context, q querier, table string, c issuance.Claim) (s issuance.StreamID, err error) {
	rows, err := q.Query(ctx, "SELECT stream_kind, stream FROM "+table+" WHERE kind = $1 AND value = $2", string(c.Kind), c.Value)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&s.Kind, &s.ID)
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	return s, err
}
