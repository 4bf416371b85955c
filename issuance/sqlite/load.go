package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Load makes a new ledger file of mode 0600 from an excerpt that has all of a log, as it was in
// another store: the same entries with what is kept beside them, under the same checkpoint. v is
// the log's verifier. Every entry is judged and the tree is rebuilt, as Follow does it; whoever
// wants to know that the file says the same opens it and asks Verify.
//
// A file that exists is fs.ErrExist; after any error there is no file.
func Load(ctx context.Context, path string, v note.Verifier, x *ledger.ExcerptReader) (*ledger.Checkpoint, error) {
	if err := createFor(ctx, path, v); err != nil {
		return nil, fmt.Errorf("load the ledger %s: %w", path, err)
	}
	c, err := load(ctx, path, v, x)
	if err != nil {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		return nil, fmt.Errorf("load the ledger %s: %w", path, typed(err))
	}
	return c, nil
}

// load fills a file that is of no use before it is whole: it needs no journal, nor to reach the
// disk before its end.
func load(ctx context.Context, path string, v note.Verifier, x *ledger.ExcerptReader) (c *ledger.Checkpoint, err error) {
	db, err := sql.Open("sqlite3", dsn(path, "rw", url.Values{
		"_txlock": {"immediate"}, "_journal_mode": {"OFF"}, "_synchronous": {"OFF"}, "_foreign_keys": {"1"}, "_recursive_triggers": {"1"},
		"_secure_delete": {"1"}, "_cache_size": {"-131072"},
	}))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, db.Close()); err == nil {
			err = errors.Join(syncPath(path), syncPath(filepath.Dir(path)))
		}
	}()
	db.SetMaxOpenConns(1)
	l := &Ledger{path: path, origin: v.Name(), o: Options{Verifier: v}, writer: db}
	if l.cache, err = newCache(ctx, db); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.cache.close()) }()
	if c, err = l.Follow(ctx, x); err == nil {
		_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	}
	return c, err
}

// syncPath waits until a file, or a folder's list of them, is on the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
