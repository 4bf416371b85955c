package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// KEK names the key that wraps those kept here.
func (s *Subjects) KEK() string { return s.kek }

// Key returns a wrapped key, nil if it was destroyed; known is false if it never was.
func (s *Subjects) Key(ctx context.Context, subject string, class uint32) (wrapped []byte, known bool, err error) {
	var live bool
	err = s.db.QueryRow(ctx, "SELECT live, wrapped FROM key WHERE part = $1 AND subject = $2 AND class = $3",
		partOf(subject), subject, class).Scan(&live, &wrapped)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read a key: %w", typed(err))
	case !live:
		return nil, true, nil
	}
	return wrapped, true, nil
}

// Add keeps a new key; it is on the disk when Add returns. One that is known is left alone.
// ErrRewrapped means that another program wrapped all keys anew since this one opened the vault.
func (s *Subjects) Add(ctx context.Context, subject string, class uint32, wrapped []byte) error {
	// Under the old key's wrapping it could never be opened; a rewrapping that goes on is waited for.
	tag, err := s.db.Exec(ctx, `INSERT INTO key SELECT $1, $2, $3, true, $4 FROM (SELECT FROM vault WHERE kek = $5 FOR SHARE) now
		ON CONFLICT DO NOTHING`, partOf(subject), subject, class, wrapped, s.kek)
	if err != nil {
		return fmt.Errorf("keep a key: %w", typed(err))
	}
	if tag.RowsAffected() == 1 {
		return nil
	}
	if _, known, err := s.Key(ctx, subject, class); known || err != nil {
		return err
	}
	return fmt.Errorf("keep a key: %w", ErrRewrapped)
}

// Destroy overwrites a key, which stays known. When it returns nil the key is in no table and in
// no file of one; see Subjects for where it may still be. Where another program reads for long the
// files cannot be written anew: the key is overwritten then, the error is ledger.ErrBusy, and
// Destroy again, of whatever key, ends the work.
func (s *Subjects) Destroy(ctx context.Context, subject string, class uint32) error {
	part := partOf(subject)
	err := pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO key VALUES ($1, $2, $3, false, '')
			ON CONFLICT (part, subject, class) DO UPDATE SET live = false, wrapped = ''`, part, subject, class)
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO rest VALUES ($1) ON CONFLICT DO NOTHING", part)
		}
		return err
	})
	if err == nil {
		err = s.empty(ctx)
	}
	if err != nil {
		return fmt.Errorf("destroy a key: %w", typed(err))
	}
	return nil
}

// empty writes the files anew that hold what was overwritten, those of work that was cut short
// among them.
func (s *Subjects) empty(ctx context.Context) error {
	rows, err := s.db.Query(ctx, "SELECT part FROM rest ORDER BY part")
	if err != nil {
		return err
	}
	parts, err := pgx.CollectRows(rows, pgx.RowTo[int16])
	for _, part := range parts {
		if err == nil {
			_, err = s.db.Exec(ctx, "SELECT empty($1)", part)
		}
	}
	return err
}

// subjectsAtOnce is how many keys are read together.
const subjectsAtOnce = 256

// Live calls f with every subject that has a key of the class which was not destroyed.
func (s *Subjects) Live(ctx context.Context, class uint32, f func(subject string) error) error {
	for part := range subjectsParts {
		for last, n := "", subjectsAtOnce; n == subjectsAtOnce; {
			rows, err := s.db.Query(ctx, "SELECT subject FROM key WHERE part = $1 AND subject > $2 AND class = $3 AND live ORDER BY subject LIMIT $4",
				part, last, class, subjectsAtOnce)
			var some []string
			if err == nil {
				some, err = pgx.CollectRows(rows, pgx.RowTo[string])
			}
			if err != nil {
				return fmt.Errorf("list keys: %w", typed(err))
			}
			for _, last = range some {
				if err := f(last); err != nil {
					return err
				}
			}
			n = len(some)
		}
	}
	return nil
}

// Rewrap replaces every live key by what f makes of it, all or none, and names the key that
// wraps them from now on. The files are then written anew, so that nothing of what was replaced
// is left in them.
func (s *Subjects) Rewrap(ctx context.Context, kek string, f func(subject string, class uint32, wrapped []byte) ([]byte, error)) error {
	err := pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "UPDATE vault SET kek = $1 WHERE kek = $2", kek, s.kek)
		switch {
		case err != nil:
			return err
		case tag.RowsAffected() == 0:
			return ErrRewrapped
		}
		for part := range int16(subjectsParts) {
			if err := rewrapPart(ctx, tx, part, f); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.kek = kek
		err = s.empty(ctx)
	}
	if err != nil {
		return fmt.Errorf("rewrap the keys: %w", typed(err))
	}
	return nil
}

// kept is a key as it lies here.
type kept struct {
	subject string
	class   uint32
	wrapped []byte
}

func rewrapPart(ctx context.Context, tx pgx.Tx, part int16, f func(string, uint32, []byte) ([]byte, error)) error {
	touched := false
	for last, class, n := "", int64(-1), subjectsAtOnce; n == subjectsAtOnce; {
		rows, err := tx.Query(ctx, `SELECT subject, class, wrapped FROM key WHERE part = $1 AND (subject, class) > ($2, $3) AND live
			ORDER BY subject, class LIMIT $4 FOR UPDATE`, part, last, class, subjectsAtOnce)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k kept, err error) {
			err = row.Scan(&k.subject, &k.class, &k.wrapped)
			return k, err
		})
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		for _, k := range list {
			again, err := f(k.subject, k.class, k.wrapped)
			if err != nil {
				return err
			}
			b.Queue("UPDATE key SET wrapped = $4 WHERE part = $1 AND subject = $2 AND class = $3", part, k.subject, k.class, again)
			last, class = k.subject, int64(k.class)
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		n, touched = len(list), touched || len(list) > 0
	}
	if !touched {
		return nil
	}
	_, err := tx.Exec(ctx, "INSERT INTO rest VALUES ($1) ON CONFLICT DO NOTHING", part)
	return err
}

// Each calls f with every key as it lies here, those that were destroyed with none, as of one
// moment: a copy of the vault holds them.
func (s *Subjects) Each(ctx context.Context, f func(subject string, class uint32, wrapped []byte) error) error {
	rows, err := s.db.Query(ctx, "SELECT subject, class, CASE WHEN live THEN wrapped END FROM key ORDER BY part, subject, class")
	if err != nil {
		return fmt.Errorf("read the keys: %w", typed(err))
	}
	var k kept
	_, err = pgx.ForEachRow(rows, []any{&k.subject, &k.class, &k.wrapped}, func() error {
		return f(strings.Clone(k.subject), k.class, k.wrapped)
	})
	if err != nil {
		return fmt.Errorf("read the keys: %w", typed(err))
	}
	return nil
}
