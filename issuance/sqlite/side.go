package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// side is a kind of database beside the ledger: a file of its own, of one schema.
type side struct {
	what    string // it is, for people
	id      uint32 // marks its files at octet 68; see the SQLite file format, §1.3.17
	version int
	schema  string
	other   string // what a file is that does not bear the mark
	secure  bool   // what is deleted is overwritten
}

// create makes a new file, readable by its owner only, with what fill puts into it. A file
// that exists is fs.ErrExist; after any error there is no file.
func (s side) create(ctx context.Context, path string, fill func(context.Context, *sql.Tx) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("create %s: %w", s.what, err)
	}
	f.Close()
	if err := s.initialise(ctx, path, fill); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		return fmt.Errorf("create %s %s: %w", s.what, path, typed(err))
	}
	return nil
}

func (s side) initialise(ctx context.Context, path string, fill func(context.Context, *sql.Tx) error) error {
	db, err := sql.Open("sqlite3", dsn(path, "rw", s.settings(url.Values{"_synchronous": {"FULL"}})))
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
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", s.id, s.version)
	for _, text := range []string{marks, s.schema} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	if err := fill(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

func (s side) settings(v url.Values) url.Values {
	if s.secure {
		v.Set("_secure_delete", "1")
	}
	return v
}

// open opens a file on one connection, perhaps only for reading. Errors: ledger.ErrMissing,
// ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly, ledger.ErrDamaged, ledger.ErrBusy.
func (s side) open(ctx context.Context, path string, readOnly bool) (*sql.DB, error) {
	db, err := s.connect(path, readOnly)
	return s.known(ctx, path, db, err)
}

// openCopy opens a copy for reading that nobody writes to; nothing is left beside it.
func (s side) openCopy(ctx context.Context, path string) (*sql.DB, error) {
	err := s.sniff(path)
	var db *sql.DB
	if err == nil {
		db, err = openReaders(path, Options{ReadOnly: true, Still: true, Busy: busyTimeout})
	}
	return s.known(ctx, path, db, err)
}

// known refuses what was opened if another program made it.
func (s side) known(ctx context.Context, path string, db *sql.DB, err error) (*sql.DB, error) {
	if err == nil {
		db.SetMaxOpenConns(1)
		var n int
		if n, err = version(ctx, db); err == nil && n != s.version {
			err = fmt.Errorf("%w: schema %d, this program knows %d", ledger.ErrNewer, n, s.version)
		}
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s %s: %w", s.what, path, typed(err))
	}
	return db, nil
}

func (s side) connect(path string, readOnly bool) (*sql.DB, error) {
	if err := s.sniff(path); err != nil {
		return nil, err
	}
	if readOnly {
		return openReaders(path, Options{ReadOnly: true, Busy: busyTimeout})
	}
	if err := mayWrite(path); err != nil {
		return nil, err
	}
	return sql.Open("sqlite3", dsn(path, "rw", s.settings(url.Values{
		"_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_recursive_triggers": {"1"}, "_busy_timeout": {millis(busyTimeout)},
	})))
}

// sniff refuses a file that does not bear the mark.
func (s side) sniff(path string) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ledger.ErrMissing, err)
	case err != nil:
		return err
	}
	defer f.Close()
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || binary.BigEndian.Uint32(head[68:]) != s.id {
		return fmt.Errorf("%w: %s", ledger.ErrNotOurs, s.other)
	}
	return nil
}

// copyFile writes a copy of a database, as of one moment, to a new file, readable by its owner
// only; after any error there is none.
func copyFile(ctx context.Context, from, to string) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	db, err := sql.Open("sqlite3", dsn(from, "ro", url.Values{"_busy_timeout": {millis(busyTimeout)}}))
	if err == nil {
		_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		return errors.Join(typed(err), os.Remove(to))
	}
	if f, err = os.OpenFile(to, os.O_RDWR, 0); err != nil { // SQLite leaves it to the system when it is written
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
