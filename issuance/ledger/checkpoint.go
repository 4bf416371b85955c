// Package ledger is the transparency log over a store of the issuance ledger: the
// Merkle tree over the leaves (RFC 6962), the checkpoint that the log key signs (C2SP
// tlog-checkpoint), the tiles by which anyone may follow it (C2SP tlog-tiles), and the
// audit that rebuilds all of it from what is stored. Stores share it.
package ledger

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/receipt"
)

// ErrCheckpoint means that octets are not a checkpoint of the log, signed by its key.
var ErrCheckpoint = errors.New("not a checkpoint signed by the log")

// Checkpoint is a statement of the log key: so many leaves, and this root over them.
type Checkpoint = receipt.Checkpoint

// SignCheckpoint returns the checkpoint with its note, signed by the log key. The key's
// name must be the origin.
func SignCheckpoint(origin string, size int64, root tlog.Hash, s note.Signer) (*Checkpoint, error) {
	if s.Name() != origin {
		return nil, fmt.Errorf("the log key is named %q, the log %q", s.Name(), origin)
	}
	c := &Checkpoint{Origin: origin, Size: size, Root: root}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, s)
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint: %w", err)
	}
	c.Note = signed
	return c, nil
}

// ParseCheckpoint opens a signed note with the log's verifier key and reads the
// checkpoint in it. Signatures by other keys, such as witnesses', may stand beside the
// log's. Anything else is ErrCheckpoint.
func ParseCheckpoint(signed []byte, v note.Verifier) (*Checkpoint, error) {
	c, _, err := receipt.Policy{Logs: []note.Verifier{v}}.Open(signed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return c, nil
}

// emptyNote reports whether a note, whoever signed it, is of no leaves: an empty log
// names no key that could verify it.
func emptyNote(signed []byte) bool {
	c, err := receipt.ParseCheckpoint(signed)
	return err == nil && c.Size == 0
}
