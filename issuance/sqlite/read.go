package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

const (
	selectStream = `SELECT leaf, payload, s.seq, s.last FROM entry e LEFT JOIN stream s ON s.kind = e.kind AND s.id = e.stream
		WHERE e.kind = ? AND e.stream = ? ORDER BY e.seq`
	selectClaim = "SELECT stream_kind, stream FROM claim WHERE kind = ? AND value = ?"
	selectHold  = "SELECT stream_kind, stream FROM hold WHERE kind = ? AND value = ?"
)

// reader reads streams by one statement.
type reader struct{ stmt *sql.Stmt }

// Stream implements [issuance.Reader].
func (r *reader) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	rows, err := r.stmt.QueryContext(ctx, string(s.Kind), s.ID)
	if err != nil {
		return nil, err
	}
	return scanEntries(rows)
}

// Stream implements [issuance.Ledger]. A row that is not a leaf is ledger.ErrDamaged, and so are
// rows that do not end where the table of streams says.
func (l *Ledger) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	if l.behind != nil {
		return nil, fmt.Errorf("read the ledger: %w", l.behind)
	}
	rows, err := l.readers.QueryContext(ctx, selectStream, string(s.Kind), s.ID)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", typed(err))
	}
	entries, err := scanEntries(rows)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", typed(err))
	}
	return entries, nil
}

func scanEntries(rows *sql.Rows) ([]issuance.Entry, error) {
	defer rows.Close()
	var entries []issuance.Entry
	var end sql.NullInt64 // what the table of streams says
	var last []byte
	var hash [32]byte
	for rows.Next() {
		var leaf, payload sql.RawBytes
		if err := rows.Scan(&leaf, &payload, &end, &last); err != nil {
			return nil, err
		}
		hash = issuance.LeafHash(leaf)
		e, err := issuance.ParseEntry(leaf, payload)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n := len(entries); n > 0 && (end.Int64 != int64(n) || !bytes.Equal(last, hash[:])) {
		return nil, fmt.Errorf("%w: %s has %d entries, the table of streams says %d", ledger.ErrDamaged, entries[0].Stream, n, end.Int64)
	}
	return entries, nil
}

// Entries calls each for every entry from an index on, in the order of the tree and as of
// one moment, until it errs. The octets are its own only until it returns.
func (l *Ledger) Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error {
	if l.behind != nil {
		return fmt.Errorf("read the ledger: %w", l.behind)
	}
	rows, err := l.readers.QueryContext(ctx, "SELECT idx, leaf, payload FROM entry WHERE idx >= ? ORDER BY idx", from)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", typed(err))
	}
	defer rows.Close()
	for rows.Next() {
		var index int64
		var leaf, payload sql.RawBytes
		if err := rows.Scan(&index, &leaf, &payload); err != nil {
			return fmt.Errorf("read the ledger: %w", typed(err))
		}
		if err := each(index, leaf, payload); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the ledger: %w", typed(err))
	}
	return nil
}

// Attachment returns the sealed octets of an entry's attachment; fs.ErrNotExist if the
// entry or the attachment is not there.
func (l *Ledger) Attachment(ctx context.Context, entry [16]byte, name string) ([]byte, error) {
	var sealed []byte
	err := l.readers.QueryRowContext(ctx,
		`SELECT sealed FROM entry JOIN attachment ON place BETWEEN idx * 32 AND idx * 32 + 31
		WHERE id = ? AND name = ?`, entry[:], name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read attachment %s: %w", name, typed(err))
	}
	return sealed, nil
}

// Claimed returns the stream that has a claim, or that holds a hold now; the zero
// StreamID if nothing does.
func (l *Ledger) Claimed(ctx context.Context, c issuance.Claim) (issuance.StreamID, error) {
	if l.behind != nil {
		return issuance.StreamID{}, fmt.Errorf("look up %s: %w", c.Kind, l.behind)
	}
	var s issuance.StreamID
	err := l.readers.QueryRowContext(ctx, selectClaim+" UNION ALL "+selectHold,
		string(c.Kind), c.Value, string(c.Kind), c.Value).Scan(&s.Kind, &s.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return issuance.StreamID{}, fmt.Errorf("look up %s: %w", c.Kind, typed(err))
	}
	return s, nil
}

// List returns the streams of a kind, oldest first; with phases, only those that stand
// in one of them.
func (l *Ledger) List(ctx context.Context, kind issuance.Kind, phases ...issuance.Phase) ([]issuance.Summary, error) {
	if l.behind != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	query, args := "SELECT kind, id, phase, seq, since FROM stream WHERE kind = ?", []any{string(kind)}
	for i, p := range phases {
		query += [...]string{" AND phase IN (?", ", ?"}[min(i, 1)]
		args = append(args, string(p))
	}
	if len(phases) > 0 {
		query += ")"
	}
	rows, err := l.readers.QueryContext(ctx, query+" ORDER BY opened", args...)
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, typed(err))
	}
	defer rows.Close()
	var list []issuance.Summary
	for rows.Next() {
		var s issuance.Summary
		var since int64
		if err := rows.Scan(&s.Stream.Kind, &s.Stream.ID, &s.Phase, &s.Seq, &since); err != nil {
			return nil, fmt.Errorf("list %ss: %w", kind, typed(err))
		}
		s.Since = time.UnixMicro(since).UTC()
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, typed(err))
	}
	return list, nil
}

// streamsAtOnce is how many streams' names are read together.
const streamsAtOnce = 1024

// Streams calls f with the name of each stream of a kind, in the order of names, those that
// are opened meanwhile perhaps among them. The ledger may be read meanwhile.
func (l *Ledger) Streams(ctx context.Context, kind issuance.Kind, f func(issuance.StreamID) error) error {
	if l.behind != nil {
		return fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	after := ""
	for {
		some, err := l.someStreams(ctx, kind, after)
		if err != nil {
			return fmt.Errorf("list %ss: %w", kind, typed(err))
		}
		for _, id := range some {
			if err := f(issuance.StreamID{Kind: kind, ID: id}); err != nil {
				return err
			}
		}
		if len(some) < streamsAtOnce {
			return nil
		}
		after = some[len(some)-1]
	}
}

func (l *Ledger) someStreams(ctx context.Context, kind issuance.Kind, after string) ([]string, error) {
	rows, err := l.readers.QueryContext(ctx, "SELECT id FROM stream WHERE kind = ? AND id > ? ORDER BY id LIMIT ?", string(kind), after, streamsAtOnce)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

// claimsAtOnce is how many claims are read together.
const claimsAtOnce = 4096

// Claims calls f with the claims of a kind whose values lie between two, in their order,
// and with the streams that have them.
func (l *Ledger) Claims(ctx context.Context, kind issuance.ClaimKind, from, to string, f func(value string, by issuance.StreamID) error) error {
	if l.behind != nil {
		return fmt.Errorf("list %ss: %w", kind, l.behind)
	}
	for {
		some, err := l.someClaims(ctx, kind, from, to)
		if err != nil {
			return fmt.Errorf("list %ss: %w", kind, typed(err))
		}
		for _, c := range some {
			if err := f(c.value, c.by); err != nil {
				return err
			}
		}
		if len(some) < claimsAtOnce {
			return nil
		}
		from = some[len(some)-1].value + "\x00"
	}
}

type claimed struct {
	value string
	by    issuance.StreamID
}

func (l *Ledger) someClaims(ctx context.Context, kind issuance.ClaimKind, from, to string) ([]claimed, error) {
	rows, err := l.readers.QueryContext(ctx,
		"SELECT value, stream_kind, stream FROM claim WHERE kind = ? AND value BETWEEN ? AND ? ORDER BY value LIMIT ?",
		string(kind), from, to, claimsAtOnce)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []claimed
	for rows.Next() {
		var c claimed
		if err := rows.Scan(&c.value, &c.by.Kind, &c.by.ID); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// LastClaim returns the greatest value of a kind between two; empty if there is none.
func (l *Ledger) LastClaim(ctx context.Context, kind issuance.ClaimKind, from, to string) (string, error) {
	if l.behind != nil {
		return "", fmt.Errorf("look up %s: %w", kind, l.behind)
	}
	var last sql.NullString
	err := l.readers.QueryRowContext(ctx,
		"SELECT max(value) FROM claim WHERE kind = ? AND value BETWEEN ? AND ?", string(kind), from, to).Scan(&last)
	if err != nil {
		return "", fmt.Errorf("look up %s: %w", kind, typed(err))
	}
	return last.String, nil
}
