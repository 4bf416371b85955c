package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/mattn/go-sqlite3"
)

// Backup writes a copy of the ledger, as of one moment, into a new file of mode 0600,
// while appends go on (SQLite's online backup). The copy is one file that Open takes. A
// file that exists is fs.ErrExist; after any error there is no file. Whoever wants to
// know that the copy is whole opens it and asks Verify.
func (l *Ledger) Backup(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("back up the ledger: %w", err)
	}
	f.Close()
	if err := l.copyInto(ctx, path); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		return fmt.Errorf("back up the ledger to %s: %w", path, typed(err))
	}
	return nil
}

func (l *Ledger) copyInto(ctx context.Context, path string) error {
	to, err := sql.Open("sqlite3", dsn(path, "rw", url.Values{"_synchronous": {"FULL"}}))
	if err != nil {
		return err
	}
	defer to.Close()
	to.SetMaxOpenConns(1)
	into, err := to.Conn(ctx)
	if err != nil {
		return err
	}
	defer into.Close()
	from, err := l.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	return into.Raw(func(dst any) error {
		return from.Raw(func(src any) error {
			return copyPages(ctx, dst.(*sqlite3.SQLiteConn), src.(*sqlite3.SQLiteConn))
		})
	})
}

// pagesAtOnce is how many pages are copied before ctx is asked.
const pagesAtOnce = 4096

func copyPages(ctx context.Context, dst, src *sqlite3.SQLiteConn) (err error) {
	b, err := dst.Backup("main", src, "main")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Finish()) }()
	for done := false; !done && err == nil; {
		if err = ctx.Err(); err == nil {
			done, err = b.Step(pagesAtOnce)
		}
	}
	return err
}
