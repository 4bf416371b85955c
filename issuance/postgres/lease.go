package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// leaseColumns are what is read of a lease; what is left of it is told by the server's clock.
const leaseColumns = "subject, holder, epoch, until, (extract(epoch FROM until - clock_timestamp()) * 1000000)::bigint"

// Lease gives a subject to a holder for so long. Whoever has it already gets it anew. If
// another has it the error is *ledger.LeaseError; one whose time is over loses it. While the
// server is away it is asked again, for as long as Options.Busy says. One that another is about
// to take, or to give back, is ledger.ErrBusy.
func (l *Ledger) Lease(ctx context.Context, subject, holder string, d time.Duration) (ledger.Lease, error) {
	has, err := l.leased(ctx, subject, holder, d, "SELECT "+leaseColumns+" FROM take_lease($1, $2, $3)", subject, holder, d)
	if err == nil && has.Holder != holder {
		err = &ledger.LeaseError{Lease: has}
	}
	if err != nil {
		return ledger.Lease{}, fmt.Errorf("take the lease: %w", err)
	}
	has.Left = d
	return has, nil
}

// Renew makes a lease run from now for so long. If somebody took the subject over
// meanwhile the error is *ledger.LeaseError, Lost; a lease that is over and that nobody
// took is renewed, unless it gave way to others of an account that has all that it may have.
func (l *Ledger) Renew(ctx context.Context, mine ledger.Lease, d time.Duration) (ledger.Lease, error) {
	has, err := l.leased(ctx, mine.Subject, mine.Holder, d,
		"SELECT "+leaseColumns+" FROM renew_lease($1, $2, $3, $4)", mine.Subject, mine.Holder, int64(mine.Epoch), d)
	if err == nil && (has.Holder != mine.Holder || has.Epoch != mine.Epoch) {
		has.Subject = mine.Subject
		err = &ledger.LeaseError{Lease: has, Lost: true}
	}
	if err != nil {
		return ledger.Lease{}, fmt.Errorf("renew the lease: %w", err)
	}
	has.Left = d
	return has, nil
}

// leased asks one of the functions who has a lease now.
func (l *Ledger) leased(ctx context.Context, subject, holder string, d time.Duration, query string, args ...any) (ledger.Lease, error) {
	if err := ledger.CheckLease(subject, holder, d); err != nil {
		return ledger.Lease{}, err
	}
	var list []ledger.Lease
	err := l.leasing(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		rows, err := tx.Query(ctx, query, args...)
		list, err = scanLeases(rows, err)
		return err
	})
	if err != nil || len(list) == 0 {
		return ledger.Lease{}, err
	}
	return list[0], nil
}

// Release gives a lease back. One that somebody took over meanwhile stays theirs.
func (l *Ledger) Release(ctx context.Context, mine ledger.Lease) error {
	err := l.leasing(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT release_lease($1, $2, $3)", mine.Subject, mine.Holder, int64(mine.Epoch))
		return err
	})
	if err != nil {
		return fmt.Errorf("give the lease back: %w", err)
	}
	return nil
}

// leasing runs one transaction about leases, and again while the server is away: each of
// them may be repeated by who doesn't know how it went. A server that does not answer, as one
// whose standbys are all away, is away too when Options.Busy is over.
func (l *Ledger) leasing(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	if l.o.ReadOnly {
		return fmt.Errorf("%w: it was opened for reading", ledger.ErrReadOnly)
	}
	short, stop := context.WithTimeout(ctx, l.o.Busy)
	defer stop()
	err := again(short, l.o.Busy, func() error { // past the pool's own, which would add to it
		return pgx.BeginTxFunc(short, l.readers.Pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite},
			func(tx pgx.Tx) error { return f(short, tx) })
	})
	return typed(err)
}

// Leases lists the leases of subjects, or all; those that are over too, for their holders
// did not give them back.
func (l *Ledger) Leases(ctx context.Context, subjects ...string) ([]ledger.Lease, error) {
	query, args := "SELECT "+leaseColumns+" FROM lease ORDER BY subject", []any(nil)
	if len(subjects) > 0 {
		query, args = "SELECT "+leaseColumns+" FROM lease WHERE subject = ANY($1) ORDER BY subject", []any{subjects}
	}
	rows, err := l.readers.Query(ctx, query, args...)
	list, err := scanLeases(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read the leases: %w", typed(err))
	}
	return list, nil
}

func scanLeases(rows pgx.Rows, err error) ([]ledger.Lease, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []ledger.Lease
	for rows.Next() {
		var x ledger.Lease
		var epoch, left int64
		if err := rows.Scan(&x.Subject, &x.Holder, &epoch, &x.Until, &left); err != nil {
			return nil, err
		}
		x.Epoch, x.Left = uint64(epoch), time.Duration(left)*time.Microsecond
		list = append(list, x)
	}
	return list, rows.Err()
}
