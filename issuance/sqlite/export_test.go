package sqlite

import (
	"context"
	"fmt"
)

// LimitPages makes the disk of the file so full that it has four pages left.
func (l *Ledger) LimitPages(ctx context.Context) error {
	var pages int
	err := l.writer.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages)
	if err == nil {
		_, err = l.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages+4))
	}
	return err
}

// Pragma reads a setting of the connection that appends.
func (l *Ledger) Pragma(ctx context.Context, name string) (value string, err error) {
	err = l.writer.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}

// Exec runs a statement on the connection that appends.
func (l *Ledger) Exec(ctx context.Context, statement string) error {
	_, err := l.writer.ExecContext(ctx, statement)
	return err
}

// Settle waits until no copy of a checkpoint is under way.
func (l *Ledger) Settle() { l.copies.wait() }

// Frugal has Verify do as it does with a ledger that is too long to be held in memory.
func (l *Ledger) Frugal() { l.frugal = true }
