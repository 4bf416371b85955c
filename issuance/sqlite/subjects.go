package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
)

//go:embed subjects/001_subjects.sql
var subjectsSchema string

// subjectsID marks the files at octet 68 ("tams").
const (
	subjectsID      = 0x74616D73
	subjectsVersion = 1
)

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
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create the vault: %w", err)
	}
	f.Close()
	if err := initialiseSubjects(ctx, path, kek); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		return nil, fmt.Errorf("create the vault %s: %w", path, typed(err))
	}
	return OpenSubjects(ctx, path, false)
}

func initialiseSubjects(ctx context.Context, path, kek string) error {
	db, err := sql.Open("sqlite3", dsn(path, "rw", url.Values{"_synchronous": {"FULL"}, "_secure_delete": {"1"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", subjectsID, subjectsVersion)
	for _, text := range []string{marks, subjectsSchema} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO vault VALUES (1, ?)", kek); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

// OpenSubjects opens the database, perhaps only for reading. Errors: ErrMissing,
// ErrNotOurs, ErrNewer, ErrReadOnly, ErrDamaged, ErrBusy.
func OpenSubjects(ctx context.Context, path string, readOnly bool) (*Subjects, error) {
	s, err := openSubjects(ctx, path, readOnly)
	if err != nil {
		return nil, fmt.Errorf("open the vault %s: %w", path, typed(err))
	}
	return s, nil
}

func openSubjects(ctx context.Context, path string, readOnly bool) (*Subjects, error) {
	if err := sniffSubjects(path); err != nil {
		return nil, err
	}
	db, err := openSubjectsDB(path, readOnly)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &Subjects{path: path, db: db}
	n, err := version(ctx, db)
	if err == nil && n != subjectsVersion {
		err = fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, n, subjectsVersion)
	}
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT kek FROM vault").Scan(&s.kek)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func openSubjectsDB(path string, readOnly bool) (*sql.DB, error) {
	if readOnly {
		return openReaders(path, Options{ReadOnly: true, Busy: busyTimeout})
	}
	return sql.Open("sqlite3", dsn(path, "rw", url.Values{
		"_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"},
		"_secure_delete": {"1"}, "_recursive_triggers": {"1"}, "_busy_timeout": {millis(busyTimeout)},
	}))
}

func sniffSubjects(path string) error {
	return sniffFor(path, subjectsID, "it is no database of keys")
}

// sniffFor refuses a file that does not bear the mark.
func sniffFor(path string, id uint32, otherwise string) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrMissing, err)
	case err != nil:
		return err
	}
	defer f.Close()
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || binary.BigEndian.Uint32(head[68:]) != id {
		return fmt.Errorf("%w: %s", ErrNotOurs, otherwise)
	}
	return nil
}

// Close writes the journal back into the file and closes it.
func (s *Subjects) Close() error { return typed(s.db.Close()) }
