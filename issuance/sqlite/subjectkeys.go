package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// KEK names the key that wraps those kept here.
func (s *Subjects) KEK() string { return s.kek }

// Key returns a wrapped key, nil if it was destroyed; known is false if it never was.
func (s *Subjects) Key(ctx context.Context, subject string, class uint32) (wrapped []byte, known bool, err error) {
	var live bool
	err = s.db.QueryRowContext(ctx, "SELECT live, wrapped FROM key WHERE subject = ? AND class = ?",
		subject, class).Scan(&live, &wrapped)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read a key: %w", typed(err))
	case !live:
		return nil, true, nil
	}
	return wrapped, true, nil
}

// Add keeps a new key; it is on the disk when Add returns. One that is known is left alone.
// ErrRewrapped means that another program wrapped all keys anew since this one opened
// the database.
func (s *Subjects) Add(ctx context.Context, subject string, class uint32, wrapped []byte) error {
	// Under the old key's wrapping it could never be opened.
	res, err := s.db.ExecContext(ctx, `INSERT INTO key (subject, class, live, wrapped) SELECT ?, ?, 1, ? FROM vault WHERE kek = ?
		ON CONFLICT DO NOTHING`, subject, class, wrapped, s.kek)
	if err != nil {
		return fmt.Errorf("keep a key: %w", typed(err))
	}
	if n, err := res.RowsAffected(); n == 1 || err != nil {
		return typed(err)
	}
	if _, known, err := s.Key(ctx, subject, class); known || err != nil {
		return err
	}
	return fmt.Errorf("keep a key: %w", ErrRewrapped)
}

// Destroy overwrites a key, which stays known. When it returns nil the key is neither in
// the file nor in its journal. Where another program reads for long the journal cannot
// be emptied: the key is overwritten then, the error is ledger.ErrBusy, and Destroy again ends
// the work.
func (s *Subjects) Destroy(ctx context.Context, subject string, class uint32) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO key (subject, class, live, wrapped) VALUES (?, ?, 0, x'')
		ON CONFLICT (subject, class) DO UPDATE SET live = 0, wrapped = zeroblob(length(wrapped))`, subject, class)
	if err == nil {
		err = s.empty(ctx)
	}
	if err != nil {
		return fmt.Errorf("destroy a key: %w", typed(err))
	}
	return nil
}

// empty writes the journal back and cuts it to nothing.
func (s *Subjects) empty(ctx context.Context) error {
	var busy, frames, done int
	if err := s.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done); err != nil {
		return err
	}
	if busy != 0 {
		return fmt.Errorf("%w: its journal still holds what was overwritten", ledger.ErrBusy)
	}
	return nil
}
