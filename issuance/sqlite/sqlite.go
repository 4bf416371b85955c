// Package sqlite keeps the issuance ledger in one SQLite file.
//
// Entries, the nodes of the tree over them, what they claim, and the checkpoint that
// the log key signs are written in one transaction that is on the disk when Append
// returns (WAL, synchronous=FULL). The newest checkpoint is then copied out of the
// file, so that an older copy of the file put in its place is noticed.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/turns"
)

// Options of Create and Open.
type Options struct {
	Signer      note.Signer   // the log key, named as the origin; nil: Append is ledger.ErrReadOnly
	Verifier    note.Verifier // of the log key; nil: the one that the log's first entry names
	Checkpoints string        // folder that gets the newest checkpoint; empty: no copy is kept
	Second      string        // folder on another medium that gets it too; it must be there to append
	ReadOnly    bool          // open for reading only, whatever the state of the file
	Still       bool          // with ReadOnly: nobody writes to the file meanwhile, and none is made beside it
	Busy        time.Duration // how long to wait for another program's append; zero: 5 s

	// Clock is what leases run by; nil: the machine's.
	Clock func() time.Time
}

// Ledger is an open ledger file. Several goroutines may use it at once, and several
// programs the file.
type Ledger struct {
	path    string
	origin  string
	o       Options
	readers *sql.DB
	writer  *sql.DB // one connection; whoever has it owns cache; nil if only reading
	leases  *sql.DB // one connection, for leases; nil if only reading
	cache   *cache
	copies  ledger.Copies
	nodes   *sql.Stmt             // selectNodes
	group   turns.Queue[*waiting] // appends that wait for the writer
	frugal  bool                  // audits forget at once
	behind  error                 // why a file that is only read must not be believed; Verify says more

	closing sync.Once
	closed  error
}

// Close ends the copying of checkpoints, writes the journal back into the file and
// closes it. It may be called more than once.
func (l *Ledger) Close() error {
	l.closing.Do(func() { l.closed = l.shut() })
	return l.closed
}

func (l *Ledger) shut() error {
	err := l.copies.Close()
	if l.nodes != nil {
		err = errors.Join(err, l.nodes.Close())
	}
	err = errors.Join(err, l.readers.Close())
	if l.cache != nil {
		err = errors.Join(err, l.cache.close())
	}
	for _, db := range []*sql.DB{l.leases, l.writer} { // who closes last writes the journal back
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("close the ledger %s: %w", l.path, typed(err))
	}
	return nil
}

// Origin is the name of the log.
func (l *Ledger) Origin() string { return l.origin }

// Behind says why the file, opened for reading, must not be believed: ledger.ErrRolledBack if it
// does not continue a checkpoint that is kept outside it. nil if it does.
func (l *Ledger) Behind() error { return l.behind }

// snapshot runs f in one read transaction: all that f reads is of one moment.
func (l *Ledger) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := l.readers.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", typed(err))
	}
	defer tx.Rollback()
	return f(tx)
}
