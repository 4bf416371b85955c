package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// openLeases opens the connection for leases. What is written on it need not outlive a
// power cut, which ends their holders too: it doesn't wait for the disk.
func (l *Ledger) openLeases() (err error) {
	l.leases, err = sql.Open("sqlite3", dsn(l.path, "rw", url.Values{
		"_txlock":             {"immediate"},
		"_journal_mode":       {"WAL"},
		"_synchronous":        {"NORMAL"},
		"_foreign_keys":       {"1"},
		"_recursive_triggers": {"1"},
		"_busy_timeout":       {millis(l.o.Busy)},
	}))
	if err == nil {
		l.leases.SetMaxOpenConns(1)
	}
	return err
}

// now is the clock of the leases: that of the machine, which all programs at the file share.
func (l *Ledger) now() time.Time {
	if l.o.Clock != nil {
		return l.o.Clock()
	}
	return time.Now()
}

// Lease gives a subject to a holder for so long. Whoever has it already gets it anew. If
// another has it the error is *ledger.LeaseError; one whose time is over loses it.
func (l *Ledger) Lease(ctx context.Context, subject, holder string, d time.Duration) (ledger.Lease, error) {
	var lease ledger.Lease
	err := ledger.CheckLease(subject, holder, d)
	if err == nil {
		err = l.leasing(ctx, func(tx *sql.Tx, now time.Time) (err error) {
			lease, err = take(ctx, tx, subject, holder, now, d)
			return err
		})
	}
	if err != nil {
		return ledger.Lease{}, fmt.Errorf("take the lease: %w", err)
	}
	return lease, nil
}

func take(ctx context.Context, tx *sql.Tx, subject, holder string, now time.Time, d time.Duration) (ledger.Lease, error) {
	old, err := leaseOf(ctx, tx, subject, now)
	if err != nil {
		return ledger.Lease{}, err
	}
	if old.Holder != "" && old.Holder != holder && old.Left > 0 {
		return ledger.Lease{}, &ledger.LeaseError{Lease: old}
	}
	mine := ledger.Lease{Subject: subject, Holder: holder, Epoch: max(old.Epoch+1, uint64(now.UnixMicro())), Until: now.Add(d), Left: d}
	_, err = tx.ExecContext(ctx, `INSERT INTO lease VALUES (?, ?, ?, ?) ON CONFLICT (subject) DO
		UPDATE SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until`,
		subject, holder, int64(mine.Epoch), mine.Until.UnixMicro())
	return mine, err
}

// leaseOf reads the lease of a subject, the zero one if there is none. One that runs for
// longer than any is given is of a time when the clock went ahead: it is cut short.
func leaseOf(ctx context.Context, tx *sql.Tx, subject string, now time.Time) (ledger.Lease, error) {
	rows, err := tx.QueryContext(ctx, "SELECT subject, holder, epoch, until FROM lease WHERE subject = ?", subject)
	list, err := scanLeases(rows, err, now)
	if err != nil || len(list) == 0 {
		return ledger.Lease{}, err
	}
	old := list[0]
	if old.Left > ledger.MaxLease {
		old.Left, old.Until = ledger.MaxLease, now.Add(ledger.MaxLease)
		_, err = tx.ExecContext(ctx, "UPDATE lease SET until = ? WHERE subject = ?", old.Until.UnixMicro(), subject)
	}
	return old, err
}

// Renew makes a lease run from now for so long. If somebody took the subject over
// meanwhile the error is *ledger.LeaseError, Lost; a lease that is over and that nobody
// took is renewed.
func (l *Ledger) Renew(ctx context.Context, mine ledger.Lease, d time.Duration) (ledger.Lease, error) {
	err := ledger.CheckLease(mine.Subject, mine.Holder, d)
	if err == nil {
		err = l.leasing(ctx, func(tx *sql.Tx, now time.Time) error {
			mine.Until, mine.Left = now.Add(d), d
			res, err := tx.ExecContext(ctx, "UPDATE lease SET until = ? WHERE subject = ? AND holder = ? AND epoch = ?",
				mine.Until.UnixMicro(), mine.Subject, mine.Holder, int64(mine.Epoch))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 1 {
				return err
			}
			has, err := leaseOf(ctx, tx, mine.Subject, now)
			if err != nil {
				return err
			}
			has.Subject = mine.Subject
			return &ledger.LeaseError{Lease: has, Lost: true}
		})
	}
	if err != nil {
		return ledger.Lease{}, fmt.Errorf("renew the lease: %w", err)
	}
	return mine, nil
}

// Release gives a lease back. One that somebody took over meanwhile stays theirs.
func (l *Ledger) Release(ctx context.Context, mine ledger.Lease) error {
	err := l.leasing(ctx, func(tx *sql.Tx, _ time.Time) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM lease WHERE subject = ? AND holder = ? AND epoch = ?", mine.Subject, mine.Holder, int64(mine.Epoch))
		return err
	})
	if err != nil {
		return fmt.Errorf("give the lease back: %w", err)
	}
	return nil
}

// leasing runs one transaction about leases. What a *ledger.LeaseError comes with is kept.
func (l *Ledger) leasing(ctx context.Context, f func(tx *sql.Tx, now time.Time) error) error {
	if l.leases == nil {
		return fmt.Errorf("%w: it was opened for reading", ledger.ErrReadOnly)
	}
	tx, err := l.leases.BeginTx(ctx, nil)
	if err != nil {
		return typed(err)
	}
	defer tx.Rollback()
	err = f(tx, l.now())
	if _, has := errors.AsType[*ledger.LeaseError](err); err == nil || has {
		err = errors.Join(err, tx.Commit())
	}
	return typed(err)
}

// Leases lists the leases of subjects, or all; those that are over too, for their holders
// did not give them back.
func (l *Ledger) Leases(ctx context.Context, subjects ...string) ([]ledger.Lease, error) {
	var list []ledger.Lease
	err := l.snapshot(ctx, func(tx *sql.Tx) error {
		if there, err := hasTable(ctx, tx, "lease"); err != nil || !there {
			return err
		}
		const all = "SELECT subject, holder, epoch, until FROM lease"
		now := l.now()
		if len(subjects) == 0 {
			rows, err := tx.QueryContext(ctx, all+" ORDER BY subject")
			list, err = scanLeases(rows, err, now)
			return err
		}
		for _, s := range subjects {
			rows, err := tx.QueryContext(ctx, all+" WHERE subject = ?", s)
			one, err := scanLeases(rows, err, now)
			if err != nil {
				return err
			}
			list = append(list, one...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the leases: %w", typed(err))
	}
	return list, nil
}

func scanLeases(rows *sql.Rows, err error, now time.Time) ([]ledger.Lease, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []ledger.Lease
	for rows.Next() {
		var x ledger.Lease
		var epoch, until int64
		if err := rows.Scan(&x.Subject, &x.Holder, &epoch, &until); err != nil {
			return nil, err
		}
		x.Epoch, x.Until = uint64(epoch), time.UnixMicro(until)
		x.Left = x.Until.Sub(now)
		list = append(list, x)
	}
	return list, rows.Err()
}
