package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Checkpoint returns the newest checkpoint, with the signed note that says it. A note
// that does not verify is ledger.ErrCheckpoint.
func (l *Ledger) Checkpoint(ctx context.Context) (*ledger.Checkpoint, error) {
	var signed []byte
	var v note.Verifier
	err := l.snapshot(ctx, func(tx *sql.Tx) (err error) {
		if err = tx.QueryRowContext(ctx, "SELECT checkpoint FROM log").Scan(&signed); err != nil {
			return typed(err)
		}
		v, err = l.verifier(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	return ledger.ParseCheckpoint(signed, v)
}

// Verifier is that of the log key: the one given at opening, else the one that the
// log's first entry names.
func (l *Ledger) Verifier(ctx context.Context) (v note.Verifier, err error) {
	err = l.snapshot(ctx, func(tx *sql.Tx) (err error) {
		v, err = l.verifier(ctx, tx)
		return err
	})
	return v, err
}

func (l *Ledger) verifier(ctx context.Context, tx *sql.Tx) (note.Verifier, error) {
	if l.o.Verifier != nil {
		return l.o.Verifier, nil
	}
	var leaf []byte
	err := tx.QueryRowContext(ctx, "SELECT leaf FROM entry WHERE idx = 0").Scan(&leaf)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: the log has no first entry that would name its key", ledger.ErrCheckpoint)
	}
	if err != nil {
		return nil, typed(err)
	}
	e, _, err := issuance.ParseLeaf(leaf)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	v, err := note.NewVerifier(e.Fields["logkey"])
	if err != nil {
		return nil, fmt.Errorf("%w: the log key of its first entry: %w", ErrDamaged, err)
	}
	return v, nil
}

// readCopy returns the octets of the copy, nil if there is none. They must be read before
// the file is, or an append between the two looks like a file rolled back.
func (l *Ledger) readCopy() []byte {
	if l.o.Checkpoints == "" {
		return nil
	}
	octets, err := os.ReadFile(filepath.Join(l.o.Checkpoints, CheckpointFile))
	if err != nil {
		return nil
	}
	return octets
}

// lastCopy parses the copy. nil if there is none, or none that the log key signed: a cut
// in the middle of a copy may leave such a thing, and it proves nothing.
func lastCopy(octets []byte, v note.Verifier) *ledger.Checkpoint {
	c, err := ledger.ParseCheckpoint(octets, v)
	if octets == nil || err != nil {
		return nil
	}
	return c
}

// repairCopy refuses a file that does not continue the copy of its last checkpoint,
// which would begin a second history, and renews a copy that fell behind.
func (l *Ledger) repairCopy(ctx context.Context) error {
	if l.o.Checkpoints == "" {
		return nil
	}
	if err := os.MkdirAll(l.o.Checkpoints, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	sweep(l.o.Checkpoints)
	now, err := l.continuesCopy(ctx)
	if err != nil {
		return err
	}
	l.copies = newCopies(filepath.Join(l.o.Checkpoints, CheckpointFile))
	l.copies.put(now)
	l.copies.wait()
	return l.copies.settled()
}

// continuesCopy returns the file's checkpoint, or ErrRolledBack if the file does not
// continue the copy of its last one.
func (l *Ledger) continuesCopy(ctx context.Context) (now []byte, err error) {
	octets := l.readCopy()
	err = l.snapshot(ctx, func(tx *sql.Tx) error {
		var size int64
		if err := tx.QueryRowContext(ctx, "SELECT size, checkpoint FROM log").Scan(&size, &now); err != nil {
			return typed(err)
		}
		v, err := l.verifier(ctx, tx)
		if errors.Is(err, ledger.ErrCheckpoint) {
			return nil // an empty log has nothing to lose
		}
		if err != nil {
			return err
		}
		last := lastCopy(octets, v)
		switch {
		case last == nil:
			return nil
		case last.Size > size:
			return fmt.Errorf("%w: the copy signs %d entries, the file has %d", ErrRolledBack, last.Size, size)
		}
		root, err := rootAt(ctx, tx, last.Size)
		if err != nil {
			return err
		}
		if root != last.Root {
			return fmt.Errorf("%w: its first %d entries are others than the copy signs", ErrRolledBack, last.Size)
		}
		return nil
	})
	return now, err
}

// rootAt is the root that the tree had at an earlier size.
func rootAt(ctx context.Context, tx *sql.Tx, size int64) (tlog.Hash, error) {
	var edge []tlog.Hash
	for _, n := range ledger.Edge(size) {
		var hash []byte
		err := tx.QueryRowContext(ctx, "SELECT substr(nodes, ?, 32) FROM entry WHERE idx = ?", n.Level*tlog.HashSize+1, n.Completed()).Scan(&hash)
		if err != nil || len(hash) != tlog.HashSize {
			return tlog.Hash{}, fmt.Errorf("%w: node %d of level %d is not there: %w", ErrDamaged, n.Index, n.Level, err)
		}
		edge = append(edge, tlog.Hash(hash))
	}
	tree, err := ledger.RestoreTree(size, edge)
	if err != nil {
		return tlog.Hash{}, err
	}
	return tree.Root(), nil
}
