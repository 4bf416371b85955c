package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// subjectsAtOnce is how many keys are read together.
const subjectsAtOnce = 256

// Live calls f with every subject that has a key of the class which was not destroyed.
func (s *Subjects) Live(ctx context.Context, class uint32, f func(subject string) error) error {
	for last := int64(0); ; {
		subjects, next, err := s.live(ctx, class, last)
		if err != nil {
			return fmt.Errorf("list keys: %w", typed(err))
		}
		for _, subject := range subjects {
			if err := f(subject); err != nil {
				return err
			}
		}
		if len(subjects) < subjectsAtOnce {
			return nil
		}
		last = next
	}
}

func (s *Subjects) live(ctx context.Context, class uint32, after int64) (subjects []string, last int64, err error) {
	rows, err := s.db.QueryContext(ctx,
		"SELECT number, subject FROM key WHERE number > ? AND class = ? AND live = 1 ORDER BY number LIMIT ?", after, class, subjectsAtOnce)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var subject string
		if err := rows.Scan(&last, &subject); err != nil {
			return nil, 0, err
		}
		subjects = append(subjects, subject)
	}
	return subjects, last, rows.Err()
}

// Rewrap replaces every live key by what f makes of it, all or none, and names the key
// that wraps them from now on. The file is then written anew, so that nothing of what
// was replaced is left in it.
func (s *Subjects) Rewrap(ctx context.Context, kek string, f func(subject string, class uint32, wrapped []byte) ([]byte, error)) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("rewrap the keys: %w", typed(err))
	}
	defer tx.Rollback()
	for last, n := int64(0), subjectsAtOnce; n == subjectsAtOnce; {
		if last, n, err = rewrapSome(ctx, tx, last, f); err != nil {
			return fmt.Errorf("rewrap the keys: %w", typed(err))
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE vault SET kek = ?", kek); err != nil {
		return fmt.Errorf("rewrap the keys: %w", typed(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("rewrap the keys: %w", typed(err))
	}
	s.kek = kek
	_, err = s.db.ExecContext(ctx, "VACUUM")
	if err == nil {
		err = s.empty(ctx)
	}
	return typed(err)
}

func rewrapSome(ctx context.Context, tx *sql.Tx, after int64, f func(string, uint32, []byte) ([]byte, error)) (last int64, n int, err error) {
	type row struct {
		number  int64
		subject string
		class   uint32
		wrapped []byte
	}
	rows, err := tx.QueryContext(ctx,
		"SELECT number, subject, class, wrapped FROM key WHERE number > ? AND live = 1 ORDER BY number LIMIT ?", after, subjectsAtOnce)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.number, &r.subject, &r.class, &r.wrapped); err != nil {
			return 0, 0, err
		}
		list = append(list, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, 0, err
	}
	for _, r := range list {
		again, err := f(r.subject, r.class, r.wrapped)
		if err != nil {
			return 0, 0, err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE key SET wrapped = ? WHERE number = ?", again, r.number); err != nil {
			return 0, 0, err
		}
		last = r.number
	}
	return last, len(list), nil
}
