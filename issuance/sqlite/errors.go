package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// ErrRewrapped says so of the keys of the vault.
var ErrRewrapped = errors.New("the keys of the vault were wrapped anew meanwhile; try again")

// typed gives the engine's error one of the names above where it has one.
func typed(err error) error {
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return err
	}
	if e.ExtendedCode == sqlite3.ErrConstraintTrigger {
		return fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	if e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT { // the shared memory file's, an I/O error to SQLite
		return fmt.Errorf("%w: %w", ledger.ErrFull, err)
	}
	switch e.Code {
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		return fmt.Errorf("%w: %w", ledger.ErrReadOnly, err)
	case sqlite3.ErrFull:
		return fmt.Errorf("%w: %w", ledger.ErrFull, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w: %w", ledger.ErrBusy, err)
	case sqlite3.ErrCorrupt:
		return fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	case sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %w", ledger.ErrNotOurs, err)
	}
	return err
}

// isUnique reports whether a row was refused because its key is taken.
func isUnique(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey || e.ExtendedCode == sqlite3.ErrConstraintUnique)
}
