package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// maxAttachments is how many an entry may have (leaf v1); the schema counts on it.
const maxAttachments = 32

// write adds the rows and lets the tree grow.
func (l *Ledger) write(ctx context.Context, tx *sql.Tx, rows []issuance.Encoded) error {
	first := l.cache.size
	hashes := make([]tlog.Hash, len(rows))
	for i, r := range rows {
		hashes[i] = tlog.Hash(issuance.LeafHash(r.Leaf))
	}
	for _, part := range []func(context.Context, *sql.Tx, int64, []issuance.Encoded, []tlog.Hash) error{
		l.writeEntries, l.writeAttachments, l.writeStreams, l.writeClaims, l.writeStatus,
	} {
		if err := part(ctx, tx, first, rows, hashes); err != nil {
			return err
		}
	}
	l.cache.size += int64(len(rows))
	return nil
}

func (l *Ledger) writeEntries(ctx context.Context, tx *sql.Tx, first int64, rows []issuance.Encoded, hashes []tlog.Hash) error {
	values := make([]any, 0, 10*len(rows))
	for i, r := range rows {
		e := &rows[i].Entry
		nodes := l.cache.tree.Append(hashes[i])
		done := make([]byte, 0, len(nodes)*tlog.HashSize)
		for _, n := range nodes {
			done = append(done, n[:]...)
		}
		values = append(values, first+int64(i), string(e.Stream.Kind), e.Stream.ID, int64(e.Seq), e.ID[:], string(e.Act),
			e.Time.UnixMicro(), r.Leaf, r.Payload, done)
	}
	bad, err := l.cache.stmt.entry.insert(ctx, tx, values)
	if isUnique(err) {
		return fmt.Errorf("the identity of entry %d is taken: %w", first+int64(bad), issuance.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", first+int64(bad), err)
	}
	return nil
}

func (l *Ledger) writeAttachments(ctx context.Context, tx *sql.Tx, first int64, rows []issuance.Encoded, _ []tlog.Hash) error {
	var values []any
	for i, r := range rows {
		for j, a := range r.Entry.Attach {
			values = append(values, (first+int64(i))*maxAttachments+int64(j), a.Name, a.Sealed)
		}
	}
	if bad, err := l.cache.stmt.attachment.insert(ctx, tx, values); err != nil {
		return fmt.Errorf("attachment %s: %w", values[3*bad+1], err)
	}
	return nil
}

// writeStreams says where each stream stands after its last entry.
func (l *Ledger) writeStreams(ctx context.Context, tx *sql.Tx, first int64, rows []issuance.Encoded, hashes []tlog.Hash) error {
	values := make([]any, 0, 7*len(rows))
	at := make(map[issuance.StreamID]int, len(rows))
	for i := range rows {
		e := &rows[i].Entry
		phase := string(issuance.After(e.Stream.Kind, e.Act))
		n, again := at[e.Stream]
		if !again {
			n = len(values)
			at[e.Stream] = n
			values = append(values, string(e.Stream.Kind), e.Stream.ID, nil, nil, "", first+int64(i), nil)
		}
		values[n+2], values[n+3], values[n+6] = int64(e.Seq), hashes[i][:], e.Time.UnixMicro()
		if phase != "" {
			values[n+4] = phase
		}
	}
	_, err := l.cache.stmt.stream.insert(ctx, tx, values)
	return err
}

// writeClaims takes and releases what the entries claim, in their order. The rules cannot
// see what other streams have taken; the keys of the tables can.
func (l *Ledger) writeClaims(ctx context.Context, tx *sql.Tx, first int64, rows []issuance.Encoded, _ []tlog.Hash) error {
	s := &l.cache.stmt
	claims, holds := taking{into: s.claim, who: s.claimed}, taking{into: s.hold, who: s.held}
	for i := range rows {
		e := &rows[i].Entry
		if len(e.Release) > 0 { // of what an entry before may have taken
			if err := holds.insert(ctx, tx); err != nil {
				return err
			}
			if err := l.release(ctx, tx, e); err != nil {
				return err
			}
		}
		claims.add(e.Stream, first+int64(i), e.Claims)
		holds.add(e.Stream, first+int64(i), e.Hold)
	}
	if err := claims.insert(ctx, tx); err != nil {
		return err
	}
	return holds.insert(ctx, tx)
}

func (l *Ledger) release(ctx context.Context, tx *sql.Tx, e *issuance.Entry) error {
	stmt := tx.StmtContext(ctx, l.cache.stmt.release)
	for _, c := range e.Release {
		res, err := stmt.ExecContext(ctx, string(c.Kind), c.Value, string(e.Stream.Kind), e.Stream.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("%w: %s does not hold its %s", ledger.ErrDamaged, e.Stream, c.Kind)
		}
	}
	return nil
}

// taking are claims or holds on their way into their table.
type taking struct {
	into   bulk
	who    *sql.Stmt // asks who has one
	claims []issuance.Claim
	values []any
}

func (t *taking) add(by issuance.StreamID, index int64, claims []issuance.Claim) {
	for _, c := range claims {
		t.claims = append(t.claims, c)
		t.values = append(t.values, string(c.Kind), c.Value, string(by.Kind), by.ID, index)
	}
}

func (t *taking) insert(ctx context.Context, tx *sql.Tx) error {
	bad, err := t.into.insert(ctx, tx, t.values)
	if isUnique(err) {
		return duplicate(ctx, tx.StmtContext(ctx, t.who), t.claims[bad], err)
	}
	t.claims, t.values = t.claims[:0], t.values[:0]
	return err
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
