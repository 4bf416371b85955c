// Package ledger is the transparency log over a store: leaf hashes in a tree,
// checkpoints in a signed note, and the audit that rebuilds both.
package ledger

import (
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
)

// Checkpoint is a statement of the log key: so many leaves, with this root
// (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte // the signed note
}

// SignCheckpoint returns the checkpoint with its note signed by the log key.
func SignCheckpoint(origin string, size int64, root tlog.Hash, s note.Signer) (*Checkpoint, error) {
	panic("todo")
}

// ParseCheckpoint opens a signed note and reads the checkpoint in it.
func ParseCheckpoint(signed []byte, v note.Verifier) (*Checkpoint, error) { panic("todo") }

// Finding is one place where the file does not say what it should.
type Finding struct {
	Code   string            // stable, lower case with hyphens
	Index  int64             // of the leaf, from 0; -1 if the finding has no place in the tree
	Stream issuance.StreamID // zero if none is known
	Detail string
}

// Report is the outcome of an audit.
type Report struct {
	Origin   string
	Size     int64
	Root     tlog.Hash
	Findings []Finding // none: the ledger is what it claims to be
}

// OK reports whether nothing was found.
func (r *Report) OK() bool { return len(r.Findings) == 0 }
