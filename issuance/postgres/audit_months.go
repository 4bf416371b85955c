package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// auditMonths reads where the parts of the log begin, and looks for rows that lie in none of
// them, where nobody would look for them.
func (s *store) auditMonths(ctx context.Context, a *ledger.Audit) (err error) {
	list, err := s.l.months.all(ctx, s.tx)
	if err != nil {
		return err
	}
	s.parts = parts(list, math.MinInt64, math.MaxInt64)
	names, err := s.partitions(ctx)
	if err != nil {
		return err
	}
	if len(s.parts) > 0 && s.parts[0].from != 0 {
		a.Find(ledger.StoreDamaged, s.parts[0].from, issuance.StreamID{}, "the table of months begins with this entry")
	}
	for _, p := range s.parts {
		for _, table := range []string{"entry_" + p.name, "attachment_" + p.name} {
			i := slices.Index(names, table)
			if i < 0 {
				return fmt.Errorf("%w: there is no table %s", ledger.ErrDamaged, table)
			}
			names = slices.Delete(names, i, i+1)
		}
	}
	for _, table := range names {
		var some bool
		if err := s.tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+pgx.Identifier{"tamthe", table}.Sanitize()+")").Scan(&some); err != nil {
			return err
		}
		if some {
			a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "the table of months does not say that anything lies in %s", table)
		}
	}
	return nil
}

// partitions are the tables of all months, those that have no entries yet among them.
func (s *store) partitions(ctx context.Context) ([]string, error) {
	rows, err := s.tx.Query(ctx, `SELECT c.relname FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
		JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
		WHERE n.nspname = 'tamthe' AND p.relname IN ('entry', 'attachment') ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// places is what repeats where entries lie, for those of one part: the identities, and the
// first and last entry of each stream. $1 and $2 are where the part begins and ends.
var places = []struct{ query, finding string }{
	{
		`SELECT e.idx, e.kind, e.stream FROM entry_%[1]s e
		LEFT JOIN identity i ON i.id = e.id AND i.idx = e.idx
		WHERE e.idx >= $1 AND e.idx < $2 AND i.id IS NULL ORDER BY e.idx LIMIT 20`,
		"the table of identities does not say where it is",
	},
	{
		`SELECT s.opened, s.kind, s.id FROM stream s
		LEFT JOIN entry_%[1]s e ON e.idx = s.opened AND e.kind = s.kind AND e.stream = s.id AND e.seq = 1
		WHERE s.opened >= $1 AND s.opened < $2 AND e.idx IS NULL ORDER BY s.opened LIMIT 20`,
		"the table of streams says that it began here",
	},
	{
		`SELECT s.latest, s.kind, s.id FROM stream s
		LEFT JOIN entry_%[1]s e ON e.idx = s.latest AND e.kind = s.kind AND e.stream = s.id AND e.seq = s.seq AND e.time = s.since
		WHERE s.latest >= $1 AND s.latest < $2 AND e.idx IS NULL ORDER BY s.latest LIMIT 20`,
		"the table of streams says that its last entry is this",
	},
}

// auditPlaces holds the tables by which entries are found against where they are.
func (s *store) auditPlaces(ctx context.Context, a *ledger.Audit) error {
	for _, p := range s.parts {
		for _, c := range places {
			rows, err := s.tx.Query(ctx, fmt.Sprintf(c.query, p.name), p.from, p.to)
			if err != nil {
				return err
			}
			var index int64
			var stream issuance.StreamID
			_, err = pgx.ForEachRow(rows, []any{&index, &stream.Kind, &stream.ID}, func() error {
				a.Find(ledger.StoreDamaged, index, stream, "%s", c.finding)
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	var n int64
	err := s.tx.QueryRow(ctx, "SELECT count(*) - (SELECT count(*) FROM entry) FROM identity").Scan(&n)
	if err == nil && n > 0 {
		a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "the table of identities names %d entries that there are not", n)
	}
	return err
}
