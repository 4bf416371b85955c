package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
)

// maxAttachments is how many an entry may have (leaf v1); the schema counts on it.
const maxAttachments = 32

func (l *Ledger) writeEntry(ctx context.Context, tx *sql.Tx, index int64, r row, hash tlog.Hash, nodes []tlog.Hash) error {
	e, s := &r.entry, &l.cache.stmt
	done := make([]byte, 0, len(nodes)*tlog.HashSize)
	for _, n := range nodes {
		done = append(done, n[:]...)
	}
	us := e.Time.UnixMicro()
	_, err := tx.StmtContext(ctx, s.entry).ExecContext(ctx,
		index, string(e.Stream.Kind), e.Stream.ID, int64(e.Seq), e.ID[:], string(e.Act), us, r.leaf, r.payload, done)
	if isUnique(err) {
		return fmt.Errorf("the identity of entry %d is taken: %w", index, issuance.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	for i, a := range e.Attach {
		place := index*maxAttachments + int64(i)
		if _, err := tx.StmtContext(ctx, s.attachment).ExecContext(ctx, place, a.Name, a.Sealed); err != nil {
			return fmt.Errorf("attachment %s: %w", a.Name, err)
		}
	}
	_, err = tx.StmtContext(ctx, s.stream).ExecContext(ctx,
		string(e.Stream.Kind), e.Stream.ID, int64(e.Seq), hash[:], string(issuance.After(e.Stream.Kind, e.Act)), index, us)
	return err
}

// writeClaims takes and releases what the entry claims. The rules cannot see what other
// streams have taken; the keys of the tables can.
func (l *Ledger) writeClaims(ctx context.Context, tx *sql.Tx, index int64, e issuance.Entry) error {
	s, to := &l.cache.stmt, e.Stream
	for _, c := range e.Release {
		res, err := tx.StmtContext(ctx, s.release).ExecContext(ctx, string(c.Kind), c.Value, string(to.Kind), to.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("%w: %s does not hold its %s", ErrDamaged, to, c.Kind)
		}
	}
	for _, take := range []struct {
		claims        []issuance.Claim
		insert, query *sql.Stmt
	}{{e.Claims, s.claim, s.claimed}, {e.Hold, s.hold, s.held}} {
		for _, c := range take.claims {
			_, err := tx.StmtContext(ctx, take.insert).ExecContext(ctx, string(c.Kind), c.Value, string(to.Kind), to.ID, index)
			if isUnique(err) {
				return duplicate(ctx, tx.StmtContext(ctx, take.query), c, err)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func duplicate(ctx context.Context, query *sql.Stmt, c issuance.Claim, cause error) error {
	holder, err := findTaken(ctx, query, c)
	if err != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return &issuance.DuplicateError{Claim: c, Holder: holder}
}

// findTaken runs one of selectClaim and selectHold.
func findTaken(ctx context.Context, query *sql.Stmt, c issuance.Claim) (issuance.StreamID, error) {
	rows, err := query.QueryContext(ctx, string(c.Kind), c.Value)
	if err != nil {
		return issuance.StreamID{}, err
	}
	defer rows.Close()
	var found []issuance.StreamID
	for rows.Next() {
		var s issuance.StreamID
		if err := rows.Scan(&s.Kind, &s.ID); err != nil {
			return issuance.StreamID{}, err
		}
		found = append(found, s)
	}
	return slices.Concat(found, []issuance.StreamID{{}})[0], rows.Err()
}
