package postgres

import (
	"context"
	"crypto/sha256"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// rowsAtOnce is how many rows are read together: the audit asks for other things between.
const rowsAtOnce = 512

// auditEntries walks entries and attachments side by side, in the order of the tree.
func (s *store) auditEntries(ctx context.Context, a *ledger.Audit) error {
	for _, p := range s.parts {
		next := attachments{tx: s.tx, part: p, after: math.MinInt64}
		if err := next.read(ctx); err != nil {
			return err
		}
		told := false
		for after := int64(math.MinInt64); ; {
			rows, err := s.someRows(ctx, p, after)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if (r.Index < p.from || r.Index >= p.to) && !told {
					told = true
					a.Find(ledger.StoreDamaged, r.Index, r.Stream, "it lies in month %s, where the table of months does not look for it", p.name)
				}
				if r.Attachments, err = next.of(ctx, r.Index, a); err != nil {
					return err
				}
				a.Row(r)
			}
			if len(rows) < rowsAtOnce {
				break
			}
			after = rows[len(rows)-1].Index
		}
		if _, err := next.of(ctx, math.MaxInt64, a); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) someRows(ctx context.Context, p part, after int64) ([]ledger.Row, error) {
	rows, err := s.tx.Query(ctx, "SELECT idx, kind, stream, seq, id, act, time, leaf, payload, nodes FROM entry_"+p.name+
		" WHERE idx > $1 ORDER BY idx LIMIT $2", after, rowsAtOnce)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ledger.Row, err error) {
		return r, row.Scan(&r.Index, &r.Stream.Kind, &r.Stream.ID, &r.Seq, &r.ID, &r.Act, &r.Time, &r.Leaf, &r.Payload, &r.Nodes)
	})
}

// attachmentsAtOnce is how many attachments are hashed together; they may be large.
const attachmentsAtOnce = 16

// attachments walks the attachments of a part and holds the digests of some.
type attachments struct {
	tx    pgx.Tx
	part  part
	some  []attached
	after int64 // the place of the last of them
	done  bool  // there are no more
}

type attached struct {
	index  int64
	name   string
	digest [32]byte
}

func (c *attachments) read(ctx context.Context) error {
	if c.done {
		return nil
	}
	rows, err := c.tx.Query(ctx, "SELECT place, name, sealed FROM attachment_"+c.part.name+
		" WHERE place > $1 ORDER BY place LIMIT $2", c.after, attachmentsAtOnce)
	if err != nil {
		return err
	}
	c.some, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t attached, err error) {
		var sealed pgtype.DriverBytes
		err = row.Scan(&c.after, &t.name, &sealed)
		t.index, t.digest = c.after>>5, sha256.Sum256(sealed)
		return t, err
	})
	c.done = len(c.some) < attachmentsAtOnce
	return err
}

// of gives the attachments of one entry. Any that lie before belong to no entry.
func (c *attachments) of(ctx context.Context, index int64, a *ledger.Audit) (map[string][32]byte, error) {
	found := map[string][32]byte{}
	for {
		if len(c.some) == 0 {
			if c.done {
				return found, nil
			}
			if err := c.read(ctx); err != nil {
				return nil, err
			}
			continue
		}
		t := c.some[0]
		if t.index > index {
			return found, nil
		}
		if t.index < index {
			a.Find(ledger.AttachmentAdded, t.index, issuance.StreamID{}, "attachment %q belongs to no entry", t.name)
		} else {
			found[t.name] = t.digest
		}
		c.some = c.some[1:]
	}
}

// rehash reads rows while those before them are hashed.
func (s *store) rehash(ctx context.Context, a *ledger.Audit) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	full, empty := make(chan []ledger.Row, 4), make(chan []ledger.Row, 5)
	failed := make(chan error, 1)
	go func() {
		failed <- s.readLeaves(ctx, full, empty)
		close(full)
	}()
	for rows := range full {
		for _, r := range rows {
			a.Row(r)
		}
		select {
		case empty <- rows:
		default:
		}
	}
	return <-failed
}

// readLeaves hands leaves and nodes over, and takes back what they lay in.
func (s *store) readLeaves(ctx context.Context, full chan<- []ledger.Row, empty <-chan []ledger.Row) error {
	some := make([]ledger.Row, 0, rowsAtOnce)
	for _, p := range s.parts {
		rows, err := s.tx.Query(ctx, "SELECT idx, leaf, nodes FROM entry_"+p.name+" ORDER BY idx")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			some = some[:len(some)+1]
			r := &some[len(some)-1]
			var leaf, nodes pgtype.DriverBytes
			if err := rows.Scan(&r.Index, &leaf, &nodes); err != nil {
				return err
			}
			r.Leaf, r.Nodes = append(r.Leaf[:0], leaf...), append(r.Nodes[:0], nodes...)
			if len(some) < rowsAtOnce {
				continue
			}
			full <- some
			select {
			case some = <-empty:
				some = some[:0]
			default:
				some = make([]ledger.Row, 0, rowsAtOnce)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	if len(some) > 0 {
		full <- some
	}
	return nil
}
