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
	"github.com/tamthe/tamthe/verify/receipt"
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

// CosignedFile is the name of the newest checkpoint that witnesses cosigned, in
// Options.Checkpoints. Whoever asks the witnesses keeps it there.
const CosignedFile = "cosigned"

// Cosigned returns the checkpoint in CosignedFile; nil if there is none. It verifies
// nothing.
func (l *Ledger) Cosigned() *ledger.Checkpoint {
	if l.o.Checkpoints == "" {
		return nil
	}
	octets, err := os.ReadFile(filepath.Join(l.o.Checkpoints, CosignedFile))
	if err != nil {
		return nil
	}
	c, err := receipt.ParseCheckpoint(octets)
	if err != nil || c.Origin != l.origin {
		return nil
	}
	return c
}

// kept is a checkpoint that lies outside the file.
type kept struct {
	path   string
	octets []byte
}

// readKept returns what is kept of checkpoints outside the file. It must be read before
// the file is, or an append between the two looks like a file rolled back.
func (l *Ledger) readKept() []kept {
	var list []kept
	for _, name := range []struct{ folder, file string }{
		{l.o.Checkpoints, CheckpointFile}, {l.o.Checkpoints, CosignedFile}, {l.o.Second, CheckpointFile},
	} {
		if name.folder == "" {
			continue
		}
		path := filepath.Join(name.folder, name.file)
		if octets, err := os.ReadFile(path); err == nil {
			list = append(list, kept{path, octets})
		}
	}
	return list
}

// checkpoint parses what is kept. nil if the log key did not sign it: a cut in the middle
// of a copy may leave such a thing, and it proves nothing.
func (k kept) checkpoint(v note.Verifier) *ledger.Checkpoint {
	c, err := ledger.ParseCheckpoint(k.octets, v)
	if err != nil {
		return nil
	}
	return c
}

// repairCopy refuses a file that does not continue the checkpoints kept outside it,
// which would begin a second history, and renews copies that fell behind.
func (l *Ledger) repairCopy(ctx context.Context) error {
	folders, err := l.folders()
	if err != nil {
		return err
	}
	now, err := l.continuesKept(ctx)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		sweep(folder)
		l.copies = append(l.copies, newCopies(filepath.Join(folder, CheckpointFile)))
	}
	l.copies.put(now)
	l.copies.wait()
	return l.copies.settled()
}

// folders are where copies go. The second medium must be there: an empty folder that is
// made in its place would know of nothing.
func (l *Ledger) folders() ([]string, error) {
	var list []string
	if l.o.Checkpoints != "" {
		if err := os.MkdirAll(l.o.Checkpoints, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		list = append(list, l.o.Checkpoints)
	}
	if l.o.Second != "" {
		if info, err := os.Stat(l.o.Second); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%w: the second medium %s is not there", ErrCopy, l.o.Second)
		}
		list = append(list, l.o.Second)
	}
	return list, nil
}

// continuesKept returns the file's checkpoint, or ErrRolledBack if the file does not
// continue a checkpoint that is kept outside it.
func (l *Ledger) continuesKept(ctx context.Context) (now []byte, err error) {
	known := l.readKept()
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
		for _, k := range known {
			if err := continues(ctx, tx, size, k, v); err != nil {
				return err
			}
		}
		return nil
	})
	return now, err
}

func continues(ctx context.Context, tx *sql.Tx, size int64, k kept, v note.Verifier) error {
	last := k.checkpoint(v)
	switch {
	case last == nil:
		return nil
	case last.Size > size:
		return fmt.Errorf("%w: %s signs %d entries, the file has %d", ErrRolledBack, k.path, last.Size, size)
	}
	root, err := rootAt(ctx, tx, last.Size)
	if err != nil {
		return err
	}
	if root != last.Root {
		return fmt.Errorf("%w: its first %d entries are others than %s signs", ErrRolledBack, last.Size, k.path)
	}
	return nil
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
