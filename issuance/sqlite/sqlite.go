// Package sqlite keeps the issuance ledger in one SQLite file.
package sqlite

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// What can be wrong with the file or with writing to it.
var (
	ErrMissing    = errors.New("there is no ledger file")
	ErrNotOurs    = errors.New("the file is not a tamthe ledger")
	ErrNewer      = errors.New("the ledger was written by a newer program")
	ErrReadOnly   = errors.New("the ledger can only be read")
	ErrFull       = errors.New("the disk is full")
	ErrBusy       = errors.New("another program holds the ledger")
	ErrRolledBack = errors.New("the ledger file is older than its last checkpoint")
)

// Options of Create and Open.
type Options struct {
	Signer      note.Signer   // the log key, named as the origin; nil: Append is ErrReadOnly
	Verifier    note.Verifier // of the log key; nil: the one that the log's first entry names
	Checkpoints string        // folder that gets the newest signed checkpoint; empty: none
	ReadOnly    bool          // open for reading, whatever the state of the file
	Busy        time.Duration // how long to wait for another program's append; zero: 5 s
}

// Ledger is an open ledger file. It may be used by several goroutines at once and the
// file by several programs.
type Ledger struct{}

// Create makes a new, empty ledger file of the given origin. A file that exists is an
// error (fs.ErrExist).
func Create(ctx context.Context, path, origin string, o Options) (*Ledger, error) { panic("todo") }

// Open opens a ledger file and migrates it if it is older than the program.
func Open(ctx context.Context, path string, o Options) (*Ledger, error) { panic("todo") }

// Close writes the journal back into the file and closes it.
func (l *Ledger) Close() error { panic("todo") }

// Origin is the name of the log.
func (l *Ledger) Origin() string { panic("todo") }

// Append implements [issuance.Ledger].
func (l *Ledger) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	panic("todo")
}

// Stream implements [issuance.Ledger].
func (l *Ledger) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	panic("todo")
}

// Attachment returns the sealed octets of an entry's attachment; ErrMissing (wrapped) is
// not used here: an attachment that is not there is fs.ErrNotExist.
func (l *Ledger) Attachment(ctx context.Context, entry [16]byte, name string) ([]byte, error) {
	panic("todo")
}

// Claimed returns the stream that has a claim, or holds a hold; the zero StreamID if none.
func (l *Ledger) Claimed(ctx context.Context, c issuance.Claim) (issuance.StreamID, error) {
	panic("todo")
}

// Summary is a line of a list.
type Summary struct {
	Stream issuance.StreamID
	Phase  issuance.Phase
	Seq    uint64
	Since  time.Time // time of the last entry
}

// List returns the streams of a kind, oldest first; with phases only those in one of
// them.
func (l *Ledger) List(ctx context.Context, kind issuance.Kind, phases ...issuance.Phase) ([]Summary, error) {
	panic("todo")
}

// Checkpoint returns the newest checkpoint and the signed note that says it.
func (l *Ledger) Checkpoint(ctx context.Context) (*ledger.Checkpoint, error) { panic("todo") }

// Verify reads the whole file and rebuilds what it should say. With against it also
// proves that the file continues that older checkpoint. A damaged ledger is a report
// with findings, not an error.
func (l *Ledger) Verify(ctx context.Context, against *ledger.Checkpoint) (*ledger.Report, error) {
	panic("todo")
}
