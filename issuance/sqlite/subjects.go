package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
)

//go:embed subjects/001_subjects.sql
var subjectsSchema string

var subjectsSide = side{
	what: "the vault", id: 0x74616D73 /* tams */, version: 1, schema: subjectsSchema, other: "it is no database of keys", secure: true,
}

// Subjects is the database of the vault: one wrapped key a subject and class, and the
// name of the key that wraps them. It is apart from the ledger, so that the ledger's
// copies hold no key. Several programs may use it at once.
type Subjects struct {
	db  *sql.DB // one connection
	kek string
}

// CreateSubjects makes a new, empty database, readable by its owner only. kek names the
// wrapping key. A file that exists is fs.ErrExist; after any error there is no file.
func CreateSubjects(ctx context.Context, path, kek string) (*Subjects, error) {
	err := subjectsSide.create(ctx, path, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO vault VALUES (1, ?)", kek)
		return err
	})
	if err != nil {
		return nil, err
	}
	return OpenSubjects(ctx, path, false)
}

// SubjectsSource is a vault that is copied: each key as it lies there, those that were destroyed
// with none.
type SubjectsSource interface {
	KEK() string
	Each(ctx context.Context, f func(subject string, class uint32, wrapped []byte) error) error
}

// CopySubjects makes a new database of what another vault holds. A file that exists is
// fs.ErrExist; after any error there is no file.
func CopySubjects(ctx context.Context, path string, from SubjectsSource) error {
	return subjectsSide.create(ctx, path, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO vault VALUES (1, ?)", from.KEK()); err != nil {
			return err
		}
		add, err := tx.PrepareContext(ctx, "INSERT INTO key (subject, class, live, wrapped) VALUES (?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer add.Close()
		return from.Each(ctx, func(subject string, class uint32, wrapped []byte) error {
			live := wrapped != nil
			if !live {
				wrapped = []byte{}
			}
			_, err := add.ExecContext(ctx, subject, class, live, wrapped)
			return err
		})
	})
}

// Each calls f with every key as it lies here, those that were destroyed with none, as of one
// moment. Nothing may be asked of the vault meanwhile.
func (s *Subjects) Each(ctx context.Context, f func(subject string, class uint32, wrapped []byte) error) error {
	rows, err := s.db.QueryContext(ctx, "SELECT subject, class, live, wrapped FROM key ORDER BY number")
	if err != nil {
		return fmt.Errorf("read the keys: %w", typed(err))
	}
	defer rows.Close()
	for rows.Next() {
		var subject string
		var class uint32
		var live bool
		var wrapped []byte
		if err := rows.Scan(&subject, &class, &live, &wrapped); err != nil {
			return fmt.Errorf("read the keys: %w", typed(err))
		}
		if !live {
			wrapped = nil
		}
		if err := f(subject, class, wrapped); err != nil {
			return err
		}
	}
	return typed(rows.Err())
}

// OpenSubjects opens the database, perhaps only for reading. Errors: ledger.ErrMissing,
// ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly, ledger.ErrDamaged, ledger.ErrBusy.
func OpenSubjects(ctx context.Context, path string, readOnly bool) (*Subjects, error) {
	db, err := subjectsSide.open(ctx, path, readOnly)
	return subjectsOf(ctx, path, db, err)
}

// OpenSubjectsCopy opens a copy for reading that nobody writes to; nothing is left beside it.
// Errors are those of OpenSubjects.
func OpenSubjectsCopy(ctx context.Context, path string) (*Subjects, error) {
	db, err := subjectsSide.openCopy(ctx, path)
	return subjectsOf(ctx, path, db, err)
}

func subjectsOf(ctx context.Context, path string, db *sql.DB, err error) (*Subjects, error) {
	if err != nil {
		return nil, err
	}
	s := &Subjects{db: db}
	if err := db.QueryRowContext(ctx, "SELECT kek FROM vault").Scan(&s.kek); err != nil {
		return nil, fmt.Errorf("open the vault %s: %w", path, typed(errors.Join(err, db.Close())))
	}
	return s, nil
}

// Close writes the journal back into the file and closes it.
func (s *Subjects) Close() error { return typed(s.db.Close()) }
