package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Verify reads the whole file, as of one moment, and rebuilds what it should say: every
// leaf and node of the tree, every signature and rule, the tables beside the leaves, and
// the checkpoint. The file must continue the older checkpoint against, if that is not
// nil, and the checkpoints kept outside it, if there are any. A ledger that is not what
// it should be is a report with findings, not an error; an error means that the file
// could not be read.
func (l *Ledger) Verify(ctx context.Context, against *ledger.Checkpoint) (*ledger.Report, error) {
	var report *ledger.Report
	known := l.readKept()
	err := l.snapshot(ctx, func(tx *sql.Tx) (err error) {
		report, err = l.audit(ctx, tx, known, against)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify the ledger: %w", typed(err))
	}
	return report, nil
}

func (l *Ledger) audit(ctx context.Context, tx *sql.Tx, known []kept, against *ledger.Checkpoint) (*ledger.Report, error) {
	v, err := l.verifier(ctx, tx)
	if err != nil {
		v = nil // the audit says so
	}
	var older []*ledger.Checkpoint
	if against != nil {
		older = append(older, against)
	}
	for _, k := range known {
		if v == nil {
			break
		}
		if c := k.checkpoint(v); c != nil {
			older = append(older, c)
		}
	}
	a := ledger.NewAudit(l.origin, older...)
	for _, part := range []func(context.Context, *sql.Tx, *ledger.Audit) error{
		auditFile, auditEntries, auditStreams, auditClaims,
		func(ctx context.Context, tx *sql.Tx, a *ledger.Audit) error { return auditCheckpoint(ctx, tx, a, v) },
	} {
		err := typed(part(ctx, tx, a))
		if errors.Is(err, ErrDamaged) {
			a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "%v", err)
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return a.Report(), nil
}

// auditFile asks SQLite about its pages and indexes, and holds the schema against ours:
// a trigger that is gone lets rows be changed, an index that is gone lets them double.
func auditFile(ctx context.Context, tx *sql.Tx, a *ledger.Audit) error {
	lines, err := scanTexts(tx.QueryContext(ctx, "PRAGMA integrity_check(20)"))
	if err != nil {
		return err
	}
	if !slices.Equal(lines, []string{"ok"}) {
		for _, line := range lines {
			a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "%s", line)
		}
	}
	want, err := freshSchema(ctx)
	if err != nil {
		return err
	}
	got, err := scanTexts(tx.QueryContext(ctx, selectSchema))
	if err != nil {
		return err
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "the schema lacks or changes: %.60q", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			a.Find(ledger.StoreDamaged, -1, issuance.StreamID{}, "the schema has besides: %.60q", line)
		}
	}
	return nil
}

const selectSchema = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1"

// freshSchema is what the migrations make.
func freshSchema(ctx context.Context) ([]string, error) {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, err
	}
	return scanTexts(db.QueryContext(ctx, selectSchema))
}

func scanTexts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// auditEntries walks entries and attachments side by side, in the order of the tree.
func auditEntries(ctx context.Context, tx *sql.Tx, a *ledger.Audit) error {
	rows, err := tx.QueryContext(ctx, "SELECT idx, kind, stream, seq, id, act, time, leaf, payload, nodes FROM entry ORDER BY idx")
	if err != nil {
		return err
	}
	defer rows.Close()
	attached, err := tx.QueryContext(ctx, "SELECT place / 32, name, sealed FROM attachment ORDER BY place")
	if err != nil {
		return err
	}
	defer attached.Close()
	next := attachments{rows: attached}
	if err := next.read(); err != nil {
		return err
	}
	for rows.Next() {
		var r ledger.Row
		err := rows.Scan(&r.Index, &r.Stream.Kind, &r.Stream.ID, &r.Seq, &r.ID, &r.Act, &r.Time, &r.Leaf, &r.Payload, &r.Nodes)
		if err != nil {
			return err
		}
		if r.Attachments, err = next.of(r.Index, a); err != nil {
			return err
		}
		a.Row(r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = next.of(1<<62, a)
	return err
}

// attachments is a cursor over the attachments that holds one of them.
type attachments struct {
	rows   *sql.Rows
	done   bool
	index  int64
	name   string
	digest [32]byte
}

func (c *attachments) read() error {
	if c.done = !c.rows.Next(); c.done {
		return c.rows.Err()
	}
	var sealed sql.RawBytes
	if err := c.rows.Scan(&c.index, &c.name, &sealed); err != nil {
		return err
	}
	c.digest = sha256.Sum256(sealed)
	return nil
}

// of gives the attachments of one entry. Any that lie before belong to no entry.
func (c *attachments) of(index int64, a *ledger.Audit) (map[string][32]byte, error) {
	found := map[string][32]byte{}
	for !c.done && c.index <= index {
		if c.index < index {
			a.Find(ledger.AttachmentAdded, c.index, issuance.StreamID{}, "attachment %q belongs to no entry", c.name)
		} else {
			found[c.name] = c.digest
		}
		if err := c.read(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func auditStreams(ctx context.Context, tx *sql.Tx, a *ledger.Audit) error {
	rows, err := tx.QueryContext(ctx, "SELECT kind, id, seq, last, phase FROM stream ORDER BY kind, id")
	if err != nil {
		return err
	}
	defer rows.Close()
	var table []ledger.Stands
	for rows.Next() {
		var s ledger.Stands
		if err := rows.Scan(&s.Stream.Kind, &s.Stream.ID, &s.Seq, &s.Last, &s.Phase); err != nil {
			return err
		}
		table = append(table, s)
	}
	a.Streams(table)
	return rows.Err()
}

func auditClaims(ctx context.Context, tx *sql.Tx, a *ledger.Audit) error {
	for _, t := range []struct {
		query string
		feed  func([]ledger.Taken)
	}{
		{"SELECT kind, value, stream_kind, stream, idx FROM claim ORDER BY kind, value", a.Claims},
		{"SELECT kind, value, stream_kind, stream, idx FROM hold ORDER BY kind, value", a.Holds},
	} {
		table, err := scanTaken(tx.QueryContext(ctx, t.query))
		if err != nil {
			return err
		}
		t.feed(table)
	}
	return nil
}

func scanTaken(rows *sql.Rows, err error) ([]ledger.Taken, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var table []ledger.Taken
	for rows.Next() {
		var t ledger.Taken
		if err := rows.Scan(&t.Claim.Kind, &t.Claim.Value, &t.Stream.Kind, &t.Stream.ID, &t.Index); err != nil {
			return nil, err
		}
		table = append(table, t)
	}
	return table, rows.Err()
}

func auditCheckpoint(ctx context.Context, tx *sql.Tx, a *ledger.Audit, v note.Verifier) error {
	var size int64
	var signed []byte
	if err := tx.QueryRowContext(ctx, "SELECT size, checkpoint FROM log").Scan(&size, &signed); err != nil {
		return err
	}
	a.Checkpoint(size, signed, v)
	return nil
}
