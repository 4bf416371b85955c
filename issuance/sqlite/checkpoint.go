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

// checkpoint reads what is kept. It is nil where that is no checkpoint, or one of no entries:
// a cut in the middle of a copy may leave such a thing, and it proves nothing. A whole one that
// the log's key, nil if the log is empty, did not sign is ErrRolledBack: it is of the log that
// was here before, for a log has one key as long as it lives.
func (k kept) checkpoint(v note.Verifier) (*ledger.Checkpoint, error) {
	c, err := receipt.ParseCheckpoint(k.octets)
	if err != nil || c.Size == 0 {
		return nil, nil
	}
	if v == nil {
		return nil, fmt.Errorf("%w: %s signs %d entries, the file has none", ErrRolledBack, k.path, c.Size)
	}
	if c, err = ledger.ParseCheckpoint(k.octets, v); err != nil {
		return nil, fmt.Errorf("%w: %s is not signed by the key of this log: %w", ErrRolledBack, k.path, err)
	}
	return c, nil
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
		if err != nil && !(size == 0 && errors.Is(err, ledger.ErrCheckpoint)) { // an empty log names no key
			return err
		}
		if err := l.signsFor(size, v); err != nil {
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

// older turns what is kept into what an audit holds the log against; foreign says which of it
// is not this log's.
func older(known []kept, v note.Verifier) (shown []*ledger.Older, foreign []error) {
	for _, k := range known {
		switch c, err := k.checkpoint(v); {
		case err != nil:
			foreign = append(foreign, err)
		case c != nil:
			shown = append(shown, ledger.ShownCheckpoint("an older checkpoint", c))
		}
	}
	return shown, foreign
}

// signsFor refuses to append with another key than the log's own: nobody would believe what it
// signs.
func (l *Ledger) signsFor(size int64, v note.Verifier) error {
	s := l.o.Signer
	if s == nil || size == 0 || s.Name() == v.Name() && s.KeyHash() == v.KeyHash() {
		return nil
	}
	return fmt.Errorf("%w: the log is that of another key", ErrRolledBack)
}

func continues(ctx context.Context, tx *sql.Tx, size int64, k kept, v note.Verifier) error {
	last, err := k.checkpoint(v)
	switch {
	case last == nil:
		return err
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
