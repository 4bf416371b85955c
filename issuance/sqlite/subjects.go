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
	path string
	db   *sql.DB // one connection
	kek  string
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

// OpenSubjects opens the database, perhaps only for reading. Errors: ledger.ErrMissing,
// ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly, ledger.ErrDamaged, ledger.ErrBusy.
func OpenSubjects(ctx context.Context, path string, readOnly bool) (*Subjects, error) {
	db, err := subjectsSide.open(ctx, path, readOnly)
	if err != nil {
		return nil, err
	}
	s := &Subjects{path: path, db: db}
	if err := db.QueryRowContext(ctx, "SELECT kek FROM vault").Scan(&s.kek); err != nil {
		return nil, fmt.Errorf("open the vault %s: %w", path, typed(errors.Join(err, db.Close())))
	}
	return s, nil
}

// Close writes the journal back into the file and closes it.
func (s *Subjects) Close() error { return typed(s.db.Close()) }
