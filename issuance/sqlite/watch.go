package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/tamthe/tamthe/issuance/monitor"
)

//go:embed watch/001_watch.sql
var watchSchema string

var watchSide = side{
	what: "the monitor's memory", id: 0x74616D77 /* tamw */, version: 1, schema: watchSchema, other: "it is no memory of a monitor",
}

// Watch is what a monitor remembers, in one file: a monitor.State. Several programs may use
// it at once.
type Watch struct{ db *sql.DB }

// OpenWatch opens the memory, which is made if it is not there. Errors: ledger.ErrNotOurs,
// ErrNewer, ErrReadOnly, ErrDamaged, ErrBusy of the same.
func OpenWatch(ctx context.Context, path string) (*Watch, error) {
	err := watchSide.create(ctx, path, func(context.Context, *sql.Tx) error { return nil })
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	db, err := watchSide.open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	return &Watch{db}, nil
}

// Close writes the journal back into the file and closes it.
func (w *Watch) Close() error { return typed(w.db.Close()) }

// Change implements [monitor.State].
func (w *Watch) Change(ctx context.Context, f func(monitor.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("the monitor's memory: %w", typed(err))
	}
	defer tx.Rollback()
	t := &watchTx{ctx: ctx, tx: tx, logs: map[string]int64{}, prepared: map[string]*sql.Stmt{}}
	if err := f(t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("the monitor's memory: %w", typed(err))
	}
	return nil
}

// Alarms implements [monitor.State].
func (w *Watch) Alarms(ctx context.Context, all bool) ([]monitor.Alarm, error) {
	rows, err := w.db.QueryContext(ctx, `SELECT id, code, origin, idx, subject, detail, raised, acknowledged
		FROM alarm WHERE ? OR acknowledged IS NULL ORDER BY number`, all)
	if err != nil {
		return nil, fmt.Errorf("list the alarms: %w", typed(err))
	}
	defer rows.Close()
	var list []monitor.Alarm
	for rows.Next() {
		var a monitor.Alarm
		var raised int64
		var acknowledged sql.NullInt64
		if err := rows.Scan(&a.ID, &a.Code, &a.Origin, &a.Index, &a.Subject, &a.Detail, &raised, &acknowledged); err != nil {
			return nil, fmt.Errorf("list the alarms: %w", typed(err))
		}
		a.Raised = time.UnixMicro(raised).UTC()
		if acknowledged.Valid {
			a.Acknowledged = time.UnixMicro(acknowledged.Int64).UTC()
		}
		list = append(list, a)
	}
	return list, typed(rows.Err())
}

// Acknowledge implements [monitor.State].
func (w *Watch) Acknowledge(ctx context.Context, id string, at time.Time) error {
	res, err := w.db.ExecContext(ctx, "UPDATE alarm SET acknowledged = coalesce(acknowledged, ?) WHERE id = ?", at.UnixMicro(), id)
	var n int64
	if err == nil {
		n, err = res.RowsAffected()
	}
	if err != nil {
		return fmt.Errorf("acknowledge an alarm: %w", typed(err))
	}
	if n == 0 {
		return fmt.Errorf("%w: %.64q", monitor.ErrUnknown, id)
	}
	return nil
}
