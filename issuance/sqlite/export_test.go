package sqlite

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/issuance/turns"
	"github.com/tamthe/tamthe/verify/eid"
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
func (l *Ledger) Settle() { l.copies.Wait() }

// Frugal has Verify do as it does with a ledger that is too long to be held in memory.
func (l *Ledger) Frugal() { l.frugal = true }

// Exec runs a statement on the record of logins.
func (l *Logins) Exec(ctx context.Context, statement string) error {
	_, err := l.db.ExecContext(ctx, statement)
	return err
}

// Together keeps decisions as they are kept that wait at the same time, and returns what each
// is told.
func (l *Logins) Together(list ...eid.Decision) []error {
	var taken []*deciding
	for _, d := range list {
		taken = append(taken, &deciding{turns.NewTicket(), d})
	}
	l.group.work(taken)
	errs := make([]error, len(taken))
	for i, t := range taken {
		errs[i] = t.Err
	}
	return errs
}
