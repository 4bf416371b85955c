package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/status"
)

// parseStored reads an entry as the audit does: without its payload where that is not the
// one that the leaf binds.
func parseStored(leaf, payload []byte) (issuance.Entry, error) {
	e, err := issuance.ParseEntry(leaf, payload)
	if err != nil {
		e, _, err = issuance.ParseLeaf(leaf)
	}
	return e, err
}

// Recall implements [ledger.Source]. It does not believe what the table of streams says of
// the months in which the stream lies; it asks all up to the index.
func (s *store) Recall(ctx context.Context, id issuance.StreamID, before int64) (entries []issuance.Entry, hashes [][32]byte, err error) {
	var b pgx.Batch
	for _, p := range s.parts {
		if p.from >= before {
			break
		}
		b.Queue("SELECT leaf, payload, substr(nodes, 1, 32) FROM entry_"+p.name+
			" WHERE kind = $1 AND stream = $2 AND idx < $3 ORDER BY seq", string(id.Kind), id.ID, before).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var leaf, payload, hash pgtype.DriverBytes
				if err := rows.Scan(&leaf, &payload, &hash); err != nil {
					return err
				}
				e, err := parseStored(leaf, payload)
				if err != nil || e.Stream != id || len(hash) != 32 {
					continue // the audit said so when it came by
				}
				entries, hashes = append(entries, e), append(hashes, [32]byte(hash))
			}
			return rows.Err()
		})
	}
	return entries, hashes, s.tx.SendBatch(ctx, &b).Close()
}

// Entry implements [ledger.Source].
func (s *store) Entry(ctx context.Context, index int64) (issuance.Entry, error) {
	var leaf, payload []byte
	err := error(pgx.ErrNoRows)
	for _, p := range s.parts {
		if p.from <= index && index < p.to {
			err = s.tx.QueryRow(ctx, "SELECT leaf, payload FROM entry_"+p.name+" WHERE idx = $1", index).Scan(&leaf, &payload)
		}
	}
	if err != nil {
		return issuance.Entry{}, err
	}
	e, err := parseStored(leaf, payload)
	if err != nil {
		return e, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	return e, nil
}

// tableAtOnce is how many rows of the tables beside the entries are read together.
const tableAtOnce = 4096

// EachStream implements [ledger.Source].
func (s *store) EachStream(ctx context.Context, f func(ledger.Stands) error) error {
	for kind, id := "", ""; ; {
		rows, err := s.tx.Query(ctx, "SELECT kind, id, seq, last, phase FROM stream WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3",
			kind, id, tableAtOnce)
		if err != nil {
			return err
		}
		some, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t ledger.Stands, err error) {
			return t, row.Scan(&t.Stream.Kind, &t.Stream.ID, &t.Seq, &t.Last, &t.Phase)
		})
		if err != nil {
			return err
		}
		for _, t := range some {
			if err := f(t); err != nil {
				return err
			}
		}
		if len(some) < tableAtOnce {
			return nil
		}
		last := some[len(some)-1].Stream
		kind, id = string(last.Kind), last.ID
	}
}

// EachClaim implements [ledger.Source].
func (s *store) EachClaim(ctx context.Context, f func(ledger.Taken) error) error {
	return s.each(ctx, "claim", f)
}

// EachHold implements [ledger.Source].
func (s *store) EachHold(ctx context.Context, f func(ledger.Taken) error) error {
	return s.each(ctx, "hold", f)
}

func (s *store) each(ctx context.Context, table string, f func(ledger.Taken) error) error {
	for kind, value := "", ""; ; {
		rows, err := s.tx.Query(ctx, "SELECT kind, value, stream_kind, stream, idx FROM tamthe."+table+
			" WHERE (kind, value) > ($1, $2) ORDER BY kind, value LIMIT $3", kind, value, tableAtOnce)
		if err != nil {
			return err
		}
		some, err := pgx.CollectRows(rows, scanTaken)
		if err != nil {
			return err
		}
		for _, t := range some {
			if err := f(t); err != nil {
				return err
			}
		}
		if len(some) < tableAtOnce {
			return nil
		}
		last := some[len(some)-1].Claim
		kind, value = string(last.Kind), last.Value
	}
}

// EachPlace implements [ledger.Source]. A place of a list that has no name is one of the list
// "", which no card names.
func (s *store) EachPlace(ctx context.Context, f func(ledger.Place) error) error {
	for list, place := int64(-1), int64(-1); ; {
		rows, err := s.tx.Query(ctx, `SELECT list, coalesce(uri, ''), place, state, since FROM status LEFT JOIN status_list ON number = list
			WHERE (list, place) > ($1, $2) ORDER BY list, place LIMIT $3`, list, place, tableAtOnce)
		if err != nil {
			return err
		}
		some, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p ledger.Place, err error) {
			var state int16
			err = row.Scan(&list, &p.List, &p.Index, &state, &p.Since)
			p.State = status.State(state)
			return p, err
		})
		if err != nil {
			return err
		}
		for _, p := range some {
			if err := f(p); err != nil {
				return err
			}
		}
		if len(some) < tableAtOnce {
			return nil
		}
		place = int64(some[len(some)-1].Index)
	}
}

// StreamOf implements [ledger.Source].
func (s *store) StreamOf(ctx context.Context, fits func(issuance.StreamID) bool) (found issuance.StreamID, err error) {
	for _, p := range s.parts {
		rows, err := s.tx.Query(ctx, "SELECT DISTINCT kind, stream FROM entry_"+p.name)
		if err != nil {
			return issuance.StreamID{}, err
		}
		var id issuance.StreamID
		_, err = pgx.ForEachRow(rows, []any{&id.Kind, &id.ID}, func() error {
			if fits(id) {
				found = id
			}
			return nil
		})
		if err != nil || !found.IsZero() {
			return found, err
		}
	}
	return issuance.StreamID{}, nil
}
