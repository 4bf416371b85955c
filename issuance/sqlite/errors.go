package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// What can be wrong with the file, or with writing to it.
var (
	ErrMissing    = errors.New("there is no ledger file")
	ErrNotOurs    = errors.New("the file is not a tamthe ledger")
	ErrNewer      = errors.New("the ledger was written by a newer program")
	ErrReadOnly   = errors.New("the ledger can only be read")
	ErrFull       = errors.New("the disk is full")
	ErrBusy       = errors.New("another program holds the ledger")
	ErrDamaged    = errors.New("the ledger file is damaged")
	ErrRolledBack = errors.New("the ledger does not continue its last checkpoint")
	ErrRewrapped  = errors.New("the keys of the vault were wrapped anew meanwhile; try again")
	ErrCopy       = errors.New("the last checkpoint cannot be copied out of the ledger")
)

// typed gives the engine's error one of the names above where it has one.
func typed(err error) error {
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return err
	}
	if e.ExtendedCode == sqlite3.ErrConstraintTrigger {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT { // the shared memory file's, an I/O error to SQLite
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	switch e.Code {
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.ErrFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case sqlite3.ErrCorrupt:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	return err
}

// isUnique reports whether a row was refused because its key is taken.
func isUnique(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey || e.ExtendedCode == sqlite3.ErrConstraintUnique)
}
