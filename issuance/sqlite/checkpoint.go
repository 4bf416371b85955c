package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
		return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	v, err := note.NewVerifier(e.Fields["logkey"])
	if err != nil {
		return nil, fmt.Errorf("%w: the log key of its first entry: %w", ledger.ErrDamaged, err)
	}
	return v, nil
}

// Cosigned returns the checkpoint in ledger.CosignedFile; nil if there is none. It verifies
// nothing.
func (l *Ledger) Cosigned() *ledger.Checkpoint { return l.outside().Cosigned(l.origin) }

// outside is where checkpoints are kept outside the file.
func (l *Ledger) outside() ledger.Outside {
	return ledger.Outside{Checkpoints: l.o.Checkpoints, Second: l.o.Second}
}

// repairCopy refuses a file that does not continue the checkpoints kept outside it,
// which would begin a second history, and renews copies that fell behind.
func (l *Ledger) repairCopy(ctx context.Context) error {
	now, err := l.continuesKept(ctx)
	if err != nil {
		return err
	}
	l.copies, err = l.outside().Copy(now)
	return err
}

// continuesKept returns the file's checkpoint, or ledger.ErrRolledBack if the file does not
// continue a checkpoint that is kept outside it.
func (l *Ledger) continuesKept(ctx context.Context) (now []byte, err error) {
	known := l.outside().Read()
	err = l.snapshot(ctx, func(tx *sql.Tx) error {
		var size int64
		if err := tx.QueryRowContext(ctx, "SELECT size, checkpoint FROM log").Scan(&size, &now); err != nil {
			return typed(err)
		}
		v, err := l.verifier(ctx, tx)
		if err != nil && !(size == 0 && errors.Is(err, ledger.ErrCheckpoint)) { // an empty log names no key
			return err
		}
		if err := ledger.SignsFor(l.o.Signer, size, v); err != nil {
			return err
		}
		return ledger.Continues(known, size, v, func(size int64) (tlog.Hash, error) { return rootAt(ctx, tx, size) })
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
			return tlog.Hash{}, fmt.Errorf("%w: node %d of level %d is not there: %w", ledger.ErrDamaged, n.Index, n.Level, err)
		}
		edge = append(edge, tlog.Hash(hash))
	}
	tree, err := ledger.RestoreTree(size, edge)
	if err != nil {
		return tlog.Hash{}, err
	}
	return tree.Root(), nil
}
