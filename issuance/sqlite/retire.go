package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// movedTrigger keeps whoever has the file open from adding to a log that goes on elsewhere.
const movedTrigger = `CREATE TRIGGER log_moved BEFORE UPDATE ON log BEGIN SELECT raise(ABORT, 'the ledger was moved'); END`

// Retire runs f, which copies the ledger elsewhere, while nothing is appended to the file, and
// if f succeeds ends the ledger here: whoever appends, in this program or another that has the
// file open, gets ledger.ErrMoved from then on. What is there can still be read. After an error
// the ledger goes on here.
func (l *Ledger) Retire(ctx context.Context, f func() error) error {
	if l.writer == nil {
		return fmt.Errorf("move the ledger: %w", ledger.ErrReadOnly)
	}
	tx, err := l.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("move the ledger: %w", typed(err))
	}
	defer tx.Rollback()
	if err := f(); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, movedTrigger)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("move the ledger: %w", typed(err))
	}
	// The file is whole by itself then, wherever it is put. Where another program reads, that has
	// to wait until it closes the file.
	_, _ = l.writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return nil
}

// movedAside reports whether the file was given another name because its ledger goes on
// elsewhere.
func movedAside(path string) bool {
	files, _ := os.ReadDir(filepath.Dir(path)) // what cannot be seen is not there
	return slices.ContainsFunc(files, func(f os.DirEntry) bool {
		return strings.HasPrefix(f.Name(), filepath.Base(path)+".moved-")
	})
}

// queryer is a connection, a transaction or a database.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// moved is ledger.ErrMoved of a file that was retired.
func moved(ctx context.Context, q queryer) error {
	var one int
	err := q.QueryRowContext(ctx, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = 'log_moved'").Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return ledger.ErrMoved
}
