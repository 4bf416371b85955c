package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// auditSource reads what an audit needs beside the rows in their order, in one
// transaction.
type auditSource struct {
	tx            *sql.Tx
	stream, entry *sql.Stmt
}

func newAuditSource(ctx context.Context, tx *sql.Tx) (*auditSource, error) {
	s := &auditSource{tx: tx}
	var err error
	s.stream, err = tx.PrepareContext(ctx, "SELECT leaf, payload, substr(nodes, 1, 32) FROM entry WHERE kind = ? AND stream = ? AND idx < ? ORDER BY seq")
	if err == nil {
		s.entry, err = tx.PrepareContext(ctx, "SELECT leaf, payload FROM entry WHERE idx = ?")
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *auditSource) close() {
	for _, stmt := range []*sql.Stmt{s.stream, s.entry} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
}

// parseStored reads an entry as the audit does: without its payload where that is not the
// one that the leaf binds.
func parseStored(leaf, payload []byte) (issuance.Entry, error) {
	e, err := issuance.ParseEntry(leaf, payload)
	if err != nil {
		e, _, err = issuance.ParseLeaf(leaf)
	}
	return e, err
}

// Recall implements [ledger.Source].
func (s *auditSource) Recall(ctx context.Context, id issuance.StreamID, before int64) (entries []issuance.Entry, hashes [][32]byte, err error) {
	rows, err := s.stream.QueryContext(ctx, string(id.Kind), id.ID, before)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var leaf, payload, hash sql.RawBytes
		if err := rows.Scan(&leaf, &payload, &hash); err != nil {
			return nil, nil, err
		}
		e, err := parseStored(leaf, payload)
		if err != nil || e.Stream != id || len(hash) != 32 {
			continue // the audit said so when it came by
		}
		entries, hashes = append(entries, e), append(hashes, [32]byte(hash))
	}
	return entries, hashes, rows.Err()
}

// Entry implements [ledger.Source].
func (s *auditSource) Entry(ctx context.Context, index int64) (issuance.Entry, error) {
	var leaf, payload []byte
	if err := s.entry.QueryRowContext(ctx, index).Scan(&leaf, &payload); err != nil {
		return issuance.Entry{}, err
	}
	e, err := parseStored(leaf, payload)
	if err != nil {
		return e, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	return e, nil
}

// EachStream implements [ledger.Source].
func (s *auditSource) EachStream(ctx context.Context, f func(ledger.Stands) error) error {
	rows, err := s.tx.QueryContext(ctx, "SELECT kind, id, seq, last, phase FROM stream")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var t ledger.Stands
		if err := rows.Scan(&t.Stream.Kind, &t.Stream.ID, &t.Seq, &t.Last, &t.Phase); err != nil {
			return err
		}
		if err := f(t); err != nil {
			return err
		}
	}
	return rows.Err()
}

// EachClaim implements [ledger.Source].
func (s *auditSource) EachClaim(ctx context.Context, f func(ledger.Taken) error) error {
	return s.each(ctx, "SELECT kind, value, stream_kind, stream, idx FROM claim", f)
}

// EachHold implements [ledger.Source].
func (s *auditSource) EachHold(ctx context.Context, f func(ledger.Taken) error) error {
	return s.each(ctx, "SELECT kind, value, stream_kind, stream, idx FROM hold", f)
}

func (s *auditSource) each(ctx context.Context, query string, f func(ledger.Taken) error) error {
	rows, err := s.tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var t ledger.Taken
		if err := rows.Scan(&t.Claim.Kind, &t.Claim.Value, &t.Stream.Kind, &t.Stream.ID, &t.Index); err != nil {
			return err
		}
		if err := f(t); err != nil {
			return err
		}
	}
	return rows.Err()
}

// StreamOf implements [ledger.Source].
func (s *auditSource) StreamOf(ctx context.Context, fits func(issuance.StreamID) bool) (issuance.StreamID, error) {
	rows, err := s.tx.QueryContext(ctx, "SELECT DISTINCT kind, stream FROM entry")
	if err != nil {
		return issuance.StreamID{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var id issuance.StreamID
		if err := rows.Scan(&id.Kind, &id.ID); err != nil {
			return id, err
		}
		if fits(id) {
			return id, nil
		}
	}
	return issuance.StreamID{}, errors.Join(rows.Err())
}
