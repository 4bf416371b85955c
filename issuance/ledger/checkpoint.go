// Package ledger is the transparency log over a store of the issuance ledger: the
// Merkle tree over the leaves (RFC 6962), the checkpoint that the log key signs (C2SP
// tlog-checkpoint), and the audit that rebuilds both from what is stored. Stores share
// it; it reads and writes nothing itself.
package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrCheckpoint means that octets are not a checkpoint of the log, signed by its key.
var ErrCheckpoint = errors.New("not a checkpoint signed by the log")

// Checkpoint is a statement of the log key: so many leaves, and this root over them.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte // the signed note that says so
}

// SignCheckpoint returns the checkpoint with its note, signed by the log key. The key's
// name must be the origin.
func SignCheckpoint(origin string, size int64, root tlog.Hash, s note.Signer) (*Checkpoint, error) {
	if s.Name() != origin {
		return nil, fmt.Errorf("the log key is named %q, the log %q", s.Name(), origin)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint: %w", err)
	}
	return &Checkpoint{origin, size, root, signed}, nil
}

// ParseCheckpoint opens a signed note with the log's verifier key and reads the
// checkpoint in it. Signatures by other keys, such as witnesses', may stand beside the
// log's. Anything else is ErrCheckpoint.
func ParseCheckpoint(signed []byte, v note.Verifier) (*Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c, err := parseText(n.Text)
	if err != nil {
		return nil, err
	}
	if c.Origin != v.Name() {
		return nil, fmt.Errorf("%w: of %q, not %q", ErrCheckpoint, c.Origin, v.Name())
	}
	c.Note = append([]byte(nil), signed...)
	return c, nil
}

func parseText(text string) (*Checkpoint, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 3 {
		return nil, fmt.Errorf("%w: %d lines", ErrCheckpoint, len(lines))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return nil, fmt.Errorf("%w: size %q", ErrCheckpoint, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return nil, fmt.Errorf("%w: root %q", ErrCheckpoint, lines[2])
	}
	if slices.Contains(lines[3:], "") {
		return nil, fmt.Errorf("%w: an empty line", ErrCheckpoint)
	}
	return &Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root)}, nil
}

// emptyNote reports whether a note, whoever signed it, is of no leaves: an empty log
// names no key that could verify it.
func emptyNote(signed []byte) bool {
	_, err := note.Open(signed, note.VerifierList())
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return false
	}
	c, err := parseText(unverified.Note.Text)
	return err == nil && c.Size == 0
}
