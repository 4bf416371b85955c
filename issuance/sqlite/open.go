package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// applicationID marks our files at octet 68 ("tamt"); see the SQLite file format, §1.3.17.
const applicationID = 0x74616D74

const busyTimeout = 5 * time.Second

// Create makes a new, empty ledger file of the given origin, readable by its owner
// only. A file that exists is fs.ErrExist; after any error there is no file.
func Create(ctx context.Context, path, origin string, o Options) (*Ledger, error) {
	if o.Signer == nil {
		return nil, errors.New("create the ledger: the log key is missing")
	}
	if err := create(ctx, path, origin, o.Signer); err != nil {
		return nil, fmt.Errorf("create the ledger %s: %w", path, err)
	}
	return Open(ctx, path, o)
}

// create makes an empty file of a log, or none.
func create(ctx context.Context, path, origin string, s note.Signer) error {
	first, err := ledger.SignCheckpoint(origin, 0, (&ledger.Tree{}).Root(), s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err := initialise(ctx, path, origin, first.Note); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		return typed(err)
	}
	return nil
}

// initialise writes the schema before the file goes over to a write-ahead log, so that
// the marks in its first page are in the file itself.
func initialise(ctx context.Context, path, origin string, checkpoint []byte) error {
	db, err := sql.Open("sqlite3", dsn(path, "rw", url.Values{"_txlock": {"immediate"}, "_synchronous": {"FULL"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	if err := migrate(ctx, db); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO log VALUES (1, ?, 0, ?)", origin, checkpoint); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

// Open opens a ledger file and, unless only for reading, migrates one that is older
// than the program and repairs the copy of its checkpoint. One that is only read
// is read as it is, without the tables that it lacks.
//
// Errors: ledger.ErrMissing, ledger.ErrMoved where a file of this name with .moved-… behind it
// lies there instead, ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly, ledger.ErrDamaged, ledger.ErrBusy, and
// ledger.ErrRolledBack if the copy in o.Checkpoints is of a longer or another log than the
// file. Such a file can be opened for reading, so that Verify can say more; it tells
// nothing of its streams then, for what it would tell may be out of date.
func Open(ctx context.Context, path string, o Options) (*Ledger, error) {
	l, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open the ledger %s: %w", path, typed(err))
	}
	return l, nil
}

func open(ctx context.Context, path string, o Options) (*Ledger, error) {
	if err := sniff(path); err != nil {
		return nil, err
	}
	o.Busy = cmp.Or(o.Busy, busyTimeout)
	l := &Ledger{path: path, o: o}
	var err error
	if l.readers, err = openReaders(path, o); err != nil {
		return nil, err
	}
	if err := l.ready(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// ready checks what was opened and, unless only for reading, makes it fit to append to.
func (l *Ledger) ready(ctx context.Context) error {
	if !l.o.ReadOnly {
		if err := mayWrite(l.path); err != nil {
			return err
		}
	}
	behind, err := checkVersion(ctx, l.readers)
	if err != nil {
		return err
	}
	if !l.o.ReadOnly {
		if err := l.openWriter(ctx, behind > 0); err != nil {
			return err
		}
	}
	if err := l.readers.QueryRowContext(ctx, "SELECT origin FROM log").Scan(&l.origin); err != nil {
		return err
	}
	if l.nodes, err = l.readers.PrepareContext(ctx, selectNodes); err != nil {
		return err
	}
	if l.writer == nil {
		_, l.behind = l.continuesKept(ctx)
		return nil
	}
	if s := l.o.Signer; s != nil && s.Name() != l.origin {
		return fmt.Errorf("the log key is named %q, the log %q", s.Name(), l.origin)
	}
	return l.repairCopy(ctx)
}

// sniff looks at the first page without SQLite, which would take an empty file for an
// empty database and a foreign one for ours.
func sniff(path string) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && movedAside(path):
		return ledger.ErrMoved
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ledger.ErrMissing, err)
	case err != nil:
		return err
	}
	defer f.Close()
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return fmt.Errorf("%w: it is too short", ledger.ErrNotOurs)
	}
	if string(head[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("%w: it is no SQLite file", ledger.ErrNotOurs)
	}
	if id := binary.BigEndian.Uint32(head[68:]); id != applicationID {
		return fmt.Errorf("%w: application id %08x", ledger.ErrNotOurs, id)
	}
	return nil
}

func openReaders(path string, o Options) (*sql.DB, error) {
	q := url.Values{"_query_only": {"1"}, "_busy_timeout": {millis(o.Busy)}}
	if o.ReadOnly && (o.Still || !folderWritable(path)) && noJournal(path) {
		q.Set("immutable", "1") // SQLite makes its shared-memory file otherwise, and leaves it there
	}
	return sql.Open("sqlite3", dsn(path, "ro", q))
}

// openWriter opens the one connection that appends.
func (l *Ledger) openWriter(ctx context.Context, behind bool) error {
	db, err := sql.Open("sqlite3", dsn(l.path, "rw", url.Values{
		"_txlock":             {"immediate"},
		"_journal_mode":       {"WAL"},
		"_synchronous":        {"FULL"},
		"_foreign_keys":       {"1"},
		"_recursive_triggers": {"1"}, // else INSERT OR REPLACE deletes without the triggers
		"_secure_delete":      {"1"}, // released holds are pseudonyms of persons
		"_busy_timeout":       {millis(l.o.Busy)},
		"_cache_size":         {"-32768"}, // kibibytes: else a large append is written twice
	}))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	db.SetConnMaxLifetime(0)
	l.writer = db
	if err := writable(ctx, db); err != nil {
		return err
	}
	if err := moved(ctx, db); err != nil {
		return err
	}
	if behind {
		if err := migrate(ctx, db); err != nil {
			return err
		}
	}
	if l.cache, err = newCache(ctx, db); err != nil {
		return err
	}
	return l.openLeases()
}

// writable takes and gives back the write lock. That another program has it just now
// proves that it can be had.
func writable(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err == nil {
		return tx.Rollback()
	}
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		switch e.Code {
		case sqlite3.ErrBusy:
			return nil
		case sqlite3.ErrCantOpen:
			return fmt.Errorf("%w: %w", ledger.ErrReadOnly, err)
		}
	}
	return err
}

// mayWrite asks the system before SQLite is asked, which on a disk that can only be read
// says that there is no such file: it means the write-ahead log that it cannot make.
func mayWrite(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrReadOnly, err)
	}
	return f.Close()
}

func folderWritable(path string) bool {
	f, err := os.CreateTemp(filepath.Dir(path), ".tamthe-*")
	if err != nil {
		return false
	}
	f.Close()
	os.Remove(f.Name())
	return true
}

func noJournal(path string) bool {
	info, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func dsn(path, mode string, q url.Values) string {
	q.Set("mode", mode)
	name := (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	return "file:" + name + "?" + q.Encode()
}
