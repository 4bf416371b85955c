package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
)

//go:embed osia/001_osia.sql
var osiaSchema string

var osiaSide = side{
	what: "the record of other systems", id: 0x74616D6F /* tamo */, version: 1, schema: osiaSchema, other: "it is no record of other systems", secure: true,
}

// OSIA is what other systems asked of the office, and it of a biometric register, in one file:
// a cms.Store and an abis.Store. Several programs may use it at once.
type OSIA struct {
	db   *sql.DB
	path string
}

// CreateOSIA makes a new, empty record, readable by its owner only. A file that exists is
// fs.ErrExist; after any error there is no file.
func CreateOSIA(ctx context.Context, path string) error {
	return osiaSide.create(ctx, path, func(context.Context, *sql.Tx) error { return nil })
}

// OpenOSIA opens a record. Errors: ErrMissing, ErrNotOurs, ErrNewer, ErrReadOnly, ErrDamaged,
// ErrBusy.
func OpenOSIA(ctx context.Context, path string) (*OSIA, error) {
	db, err := osiaSide.open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	return &OSIA{db, path}, nil
}

// Close closes the file.
func (o *OSIA) Close() error { return typed(o.db.Close()) }

// Backup writes a copy, as of one moment, to a new file, readable by its owner only.
func (o *OSIA) Backup(ctx context.Context, path string) error {
	if err := copyFile(ctx, o.path, path); err != nil {
		return fmt.Errorf("copy the record of other systems: %w", err)
	}
	return nil
}

// change is a transaction of f.
func (o *OSIA) change(ctx context.Context, what string, f func(*sql.Tx) error) error {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, typed(err))
	}
	defer tx.Rollback()
	err = f(tx)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, typed(err))
	}
	return nil
}
