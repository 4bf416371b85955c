// Package postgres keeps the issuance ledger in a PostgreSQL database, for an office that
// outgrows one machine.
//
// Entries, the nodes of the tree over them, what they claim, and the checkpoint that the log
// key signs are written in one transaction that is on the disk, and where the server has a
// synchronous standby on that one's too, when Append returns. One program at a time appends:
// whoever locks the row of the log, and whose epoch that row has. The newest checkpoint is
// then copied out of the database, so that an older copy put in its place is noticed.
//
// The SQL keeps to what other engines of PostgreSQL's protocol have too: no advisory locks,
// sequences or serial columns.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/turns"
)

// Options of Create and Open.
type Options struct {
	Signer      note.Signer   // the log key, named as the origin; nil: this program does not append by itself
	Verifier    note.Verifier // of the log key; nil: the one that the log's first entry names
	Checkpoints string        // folder that gets the newest checkpoint; empty: no copy is kept
	Second      string        // folder on another medium that gets it too; it must be there to append
	ReadOnly    bool          // open for reading only, whatever the role may do
	Busy        time.Duration // how long to wait for another program's append, and for a server that is away; zero: 30 s
	Readers     int           // how many connections read at once; zero: 4
}

// Ledger is an open ledger. Several goroutines may use it at once, and several programs the
// database.
type Ledger struct {
	origin  string
	name    string // of the database, without secrets
	o       Options
	readers *pool
	writer  *writer       // nil if only reading
	desk    *pgxpool.Pool // of a desk, which hands in what it would append; nil with the log key, and if only reading
	months  months
	copies  ledger.Copies
	group   turns.Queue[*waiting] // appends that wait for the writer
	frugal  bool                  // audits forget at once
	behind  error                 // why a database that is only read must not be believed; Verify says more

	closing sync.Once
	closed  error
}

// Close ends the copying of checkpoints and the connections. It may be called more than once.
func (l *Ledger) Close() error {
	l.closing.Do(func() {
		err := l.copies.Close()
		if l.writer != nil {
			err = errors.Join(err, l.writer.close())
		}
		l.readers.Close()
		if l.desk != nil {
			l.desk.Close()
		}
		if err != nil {
			l.closed = fmt.Errorf("close the ledger %s: %w", l.name, err)
		}
	})
	return l.closed
}

// Origin is the name of the log.
func (l *Ledger) Origin() string { return l.origin }

// Name says which database it is, without user or password: HOST/DATABASE.
func (l *Ledger) Name() string { return l.name }

// Behind says why the database, opened for reading, must not be believed: ErrRolledBack if it
// does not continue a checkpoint that is kept outside it. nil if it does.
func (l *Ledger) Behind() error { return l.behind }

// outside is where checkpoints are kept outside the database.
func (l *Ledger) outside() ledger.Outside {
	return ledger.Outside{Checkpoints: l.o.Checkpoints, Second: l.o.Second}
}

// snapshot runs f in one read transaction: all that f reads is of one moment.
func (l *Ledger) snapshot(ctx context.Context, f func(pgx.Tx) error) error {
	tx, err := l.readers.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("read the ledger: %w", typed(err))
	}
	defer rollback(tx)
	return f(tx)
}

// rollback ends a transaction that is not needed any more, whatever became of the caller.
func rollback(tx pgx.Tx) {
	ctx, stop := context.WithTimeout(context.Background(), goodbye)
	defer stop()
	_ = tx.Rollback(ctx)
}
