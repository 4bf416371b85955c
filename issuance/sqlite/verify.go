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
	if against == nil {
		return l.VerifyAgainst(ctx)
	}
	return l.VerifyAgainst(ctx, ledger.ShownCheckpoint("an older checkpoint", against))
}

// VerifyAgainst is Verify with all that is shown of the log from elsewhere: checkpoints,
// receipts, exports. It needs as much memory for a long log as for a short one, and room
// in the folder of temporary files for a hash or two an entry.
func (l *Ledger) VerifyAgainst(ctx context.Context, shown ...*ledger.Older) (*ledger.Report, error) {
	var report *ledger.Report
	known := l.outside().Read()
	err := l.snapshot(ctx, func(tx *sql.Tx) (err error) {
		report, err = l.audit(ctx, tx, known, shown)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify the ledger: %w", typed(err))
	}
	return report, nil
}

func (l *Ledger) audit(ctx context.Context, tx *sql.Tx, known []ledger.Kept, shown []*ledger.Older) (_ *ledger.Report, err error) {
	v, err := l.verifier(ctx, tx)
	if err != nil {
		v = nil // the audit says so
	}
	kept, foreign := ledger.ShownKept(known, v)
	source, err := newAuditSource(ctx, tx)
	if err != nil {
		return nil, err
	}
	defer source.close()
	a := ledger.NewAudit(ctx, l.origin, source, append(shown, kept...)...)
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, err := range foreign {
		a.Find(ledger.RolledBack, -1, issuance.StreamID{}, "%v", err)
	}
	if l.frugal {
		a.Frugal()
	}
	for _, part := range []func(context.Context, *sql.Tx, *ledger.Audit) error{
		auditFile, auditEntries,
		func(context.Context, *sql.Tx, *ledger.Audit) error { a.Tables(); return a.Err() },
		func(ctx context.Context, tx *sql.Tx, a *ledger.Audit) error { return auditCheckpoint(ctx, tx, a, v) },
	} {
		err := typed(part(ctx, tx, a))
		if errors.Is(err, ledger.ErrDamaged) {
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
	var had int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&had); err != nil {
		return err
	}
	want, err := freshSchema(ctx, had)
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
func freshSchema(ctx context.Context, had int) ([]string, error) {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := migrateTo(ctx, db, had); err != nil {
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

func auditCheckpoint(ctx context.Context, tx *sql.Tx, a *ledger.Audit, v note.Verifier) error {
	var size int64
	var signed []byte
	if err := tx.QueryRowContext(ctx, "SELECT size, checkpoint FROM log").Scan(&size, &signed); err != nil {
		return err
	}
	a.Checkpoint(size, signed, v)
	return nil
}
