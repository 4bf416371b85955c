package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/issuance/osia/cms"
)

const callColumns = "system, name, op, target, mac, at, salt, revision, meta, done"

func scanCall(row interface{ Scan(...any) error }) (c cms.Call, err error) {
	var at int64
	var meta []byte
	err = row.Scan(&c.System, &c.Name, &c.Op, &c.Target, &c.MAC, &at, &c.Salt, &c.Revision, &meta, &c.Done)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c, cms.ErrUnknown
	case err != nil:
		return c, fmt.Errorf("read a call: %w", typed(err))
	}
	c.At, c.Meta = time.UnixMicro(at).UTC(), meta
	return c, nil
}

// Call returns a call of a system by its name; cms.ErrUnknown.
func (o *OSIA) Call(ctx context.Context, system, name string) (cms.Call, error) {
	return scanCall(o.db.QueryRowContext(ctx, "SELECT "+callColumns+" FROM call WHERE system = ? AND name = ?", system, name))
}

// Begin stores a call before anything is done of it; cms.ErrConflict.
func (o *OSIA) Begin(ctx context.Context, c cms.Call) error {
	return o.change(ctx, "store a call", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO call ("+callColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
			c.System, c.Name, c.Op, c.Target, c.MAC, c.At.UnixMicro(), c.Salt, c.Revision, []byte(c.Meta))
		return constraint(err, cms.ErrConflict)
	})
}

// Revise stores another revision for a call that is not done.
func (o *OSIA) Revise(ctx context.Context, c cms.Call) error {
	return o.change(ctx, "store a call", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE call SET revision = ? WHERE system = ? AND name = ? AND done = 0", c.Revision, c.System, c.Name)
		return err
	})
}

// Finish says that a call is done, and wipes its salt.
func (o *OSIA) Finish(ctx context.Context, system, name string) error {
	return o.change(ctx, "finish a call", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE call SET done = 1, salt = '' WHERE system = ? AND name = ?", system, name)
		return err
	})
}

// Created lists the calls by which a system's requests were made, oldest first.
func (o *OSIA) Created(ctx context.Context, system string) ([]cms.Call, error) {
	rows, err := o.db.QueryContext(ctx, "SELECT "+callColumns+" FROM call WHERE system = ? AND op = 'create' AND done = 1 ORDER BY at, name", system)
	if err != nil {
		return nil, fmt.Errorf("read the calls: %w", typed(err))
	}
	defer rows.Close()
	var list []cms.Call
	for rows.Next() {
		c, err := scanCall(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, typed(rows.Err())
}

// KeepPortrait stores a sealed portrait, once.
func (o *OSIA) KeepPortrait(ctx context.Context, system, name, code string, sealed []byte) error {
	return o.change(ctx, "store a portrait", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO portrait (system, name, code, sealed) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", system, name, code, sealed)
		return err
	})
}

// Portrait returns a sealed portrait and the code of its case; cms.ErrUnknown.
func (o *OSIA) Portrait(ctx context.Context, system, name string) (code string, sealed []byte, err error) {
	err = o.db.QueryRowContext(ctx, "SELECT code, sealed FROM portrait WHERE system = ? AND name = ?", system, name).Scan(&code, &sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil, cms.ErrUnknown
	case err != nil:
		return "", nil, fmt.Errorf("read a portrait: %w", typed(err))
	}
	return code, sealed, nil
}

// Portraits lists the codes of the cases of which portraits are kept.
func (o *OSIA) Portraits(ctx context.Context) ([]string, error) {
	rows, err := o.db.QueryContext(ctx, "SELECT DISTINCT code FROM portrait ORDER BY code")
	if err != nil {
		return nil, fmt.Errorf("read the portraits: %w", typed(err))
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			return nil, fmt.Errorf("read the portraits: %w", typed(err))
		}
		list = append(list, code)
	}
	return list, typed(rows.Err())
}

// Forget wipes the portraits of a case.
func (o *OSIA) Forget(ctx context.Context, code string) error {
	return o.change(ctx, "forget a portrait", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM portrait WHERE code = ?", code)
		return err
	})
}
