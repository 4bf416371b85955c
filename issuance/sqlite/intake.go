package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/ledger"
)

//go:embed intake/001_intake.sql
var intakeSchema string

var intakeSide = side{
	what: "the record of intake", id: 0x74616D69 /* tami */, version: 1, schema: intakeSchema, other: "it is no record of intake", secure: true,
}

// Intake is what portals sent, in one file: an intake.Store. Several programs may use it at
// once.
type Intake struct {
	db   *sql.DB
	path string
}

// CreateIntake makes a new, empty record, readable by its owner only, which follows the
// ledger from an index on. A file that exists is fs.ErrExist; after any error there is no
// file.
func CreateIntake(ctx context.Context, path string, from int64) error {
	return intakeSide.create(ctx, path, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE followed SET at = ?", from)
		return err
	})
}

// OpenIntake opens a record. Errors: ledger.ErrMissing, ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly,
// ledger.ErrDamaged, ledger.ErrBusy.
func OpenIntake(ctx context.Context, path string) (*Intake, error) {
	db, err := intakeSide.open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	return &Intake{db, path}, nil
}

// Close closes the file.
func (i *Intake) Close() error { return typed(i.db.Close()) }

// Backup writes a copy, as of one moment, to a new file, readable by its owner only.
func (i *Intake) Backup(ctx context.Context, path string) error {
	if err := copyFile(ctx, i.path, path); err != nil {
		return fmt.Errorf("copy the record of intake: %w", err)
	}
	return nil
}

// Counts says how many cases are in a state.
func (i *Intake) Counts(ctx context.Context, in intake.State) (n int, err error) {
	if err := i.db.QueryRowContext(ctx, "SELECT count(*) FROM filing WHERE state = ?", string(in)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the cases: %w", typed(err))
	}
	return n, nil
}

// Message returns a portal's message by its name; intake.ErrUnknown.
func (i *Intake) Message(ctx context.Context, portal, request string) (*intake.Kept, error) {
	return i.message(ctx, "portal = ? AND request = ?", portal, request)
}

// Content returns the message that has a revision of a case; intake.ErrUnknown.
func (i *Intake) Content(ctx context.Context, code string, revision int) (*intake.Kept, error) {
	return i.message(ctx, "code = ? AND revision = ? AND revision > 0", code, revision)
}

func (i *Intake) message(ctx context.Context, where string, args ...any) (*intake.Kept, error) {
	var k intake.Kept
	var at int64
	var digest []byte
	err := i.db.QueryRowContext(ctx, `SELECT portal, request, code, act, revision, received, digest, signature, sealed, receipt, receipt_signature
		FROM message WHERE `+where, args...).
		Scan(&k.Portal, &k.Request, &k.Code, &k.Act, &k.Revision, &at, &digest, &k.Signature, &k.Sealed, &k.Receipt.Body, &k.Receipt.Signature)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, intake.ErrUnknown
	case err != nil:
		return nil, fmt.Errorf("read a message: %w", typed(err))
	case len(digest) != len(k.Digest):
		return nil, fmt.Errorf("read a message: %w", ledger.ErrDamaged)
	}
	k.Received, k.Digest = time.UnixMicro(at).UTC(), [32]byte(digest)
	return &k, nil
}

const filingColumns = "code, portal, name, version, state, why, filed, revision, reason, person, app, officer, received, since"

func scanCase(row interface{ Scan(...any) error }) (intake.Case, error) {
	var c intake.Case
	var received, since int64
	err := row.Scan(&c.Code, &c.Portal, &c.Name, &c.Version, &c.State, &c.Why, &c.Filed, &c.Revision, &c.Reason, &c.Person, &c.App, &c.Officer, &received, &since)
	if errors.Is(err, sql.ErrNoRows) {
		return c, intake.ErrUnknown
	}
	if err != nil {
		return c, fmt.Errorf("read a case: %w", typed(err))
	}
	c.Received, c.Since = time.UnixMicro(received).UTC(), time.UnixMicro(since).UTC()
	return c, nil
}

func (i *Intake) one(ctx context.Context, where string, args ...any) (intake.Case, error) {
	return scanCase(i.db.QueryRowContext(ctx, "SELECT "+filingColumns+" FROM filing WHERE "+where, args...))
}

// Case returns a case by its code; intake.ErrUnknown.
func (i *Intake) Case(ctx context.Context, code string) (intake.Case, error) {
	return i.one(ctx, "code = ?", code)
}

// Named returns a case by what its portal calls it; intake.ErrUnknown.
func (i *Intake) Named(ctx context.Context, portal, name string) (intake.Case, error) {
	return i.one(ctx, "portal = ? AND name = ?", portal, name)
}

// Of returns the case that became an application; intake.ErrUnknown.
func (i *Intake) Of(ctx context.Context, app string) (intake.Case, error) {
	return i.one(ctx, "app = ? AND app <> ''", app)
}

// Cases lists the cases in some states, all without, oldest first.
func (i *Intake) Cases(ctx context.Context, in ...intake.State) ([]intake.Case, error) {
	where, args := "1", []any{}
	if len(in) > 0 {
		where = "state IN (?" + strings.Repeat(", ?", len(in)-1) + ")"
		for _, s := range in {
			args = append(args, string(s))
		}
	}
	return i.list(ctx, where, args...)
}

// Sealed lists the cases that have sealed content though the portal can change nothing of
// them any more.
func (i *Intake) Sealed(ctx context.Context) ([]intake.Case, error) {
	return i.list(ctx, "state NOT IN (?, ?) AND EXISTS (SELECT 1 FROM message m WHERE m.code = filing.code AND m.sealed IS NOT NULL)",
		string(intake.Waiting), string(intake.Received))
}

func (i *Intake) list(ctx context.Context, where string, args ...any) ([]intake.Case, error) {
	rows, err := i.db.QueryContext(ctx, "SELECT "+filingColumns+" FROM filing WHERE "+where+" ORDER BY received, code", args...)
	if err != nil {
		return nil, fmt.Errorf("read the cases: %w", typed(err))
	}
	defer rows.Close()
	var list []intake.Case
	for rows.Next() {
		c, err := scanCase(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, typed(rows.Err())
}

// Keep stores the next version of a case, and the message that changed it, if one did; a
// change of state is an event. It is on the disk when Keep returns. Errors:
// intake.ErrConflict, intake.ErrRevision.
func (i *Intake) Keep(ctx context.Context, c intake.Case, m *intake.Kept) error {
	err := i.change(ctx, func(tx *sql.Tx) error {
		if err := keepCase(ctx, tx, c); err != nil || m == nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			m.Portal, m.Request, m.Code, string(m.Act), m.Revision, m.Received.UnixMicro(), m.Digest[:], m.Signature, m.Sealed, m.Receipt.Body, m.Receipt.Signature)
		if e, ok := errors.AsType[sqlite3.Error](err); ok {
			switch e.ExtendedCode {
			case sqlite3.ErrConstraintPrimaryKey:
				return intake.ErrConflict
			case sqlite3.ErrConstraintUnique:
				return intake.ErrRevision
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a case: %w", typed(err))
	}
	return nil
}

// keepCase stores the next version of a case; intake.ErrConflict.
func keepCase(ctx context.Context, tx *sql.Tx, c intake.Case) error {
	var state, why string
	err := tx.QueryRowContext(ctx, "SELECT state, why FROM filing WHERE code = ?", c.Code).Scan(&state, &why)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if c.Version == 0 {
		_, err = tx.ExecContext(ctx, "INSERT INTO filing ("+filingColumns+") VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			c.Code, c.Portal, c.Name, string(c.State), c.Why, c.Filed, c.Revision, c.Reason, c.Person, c.App, c.Officer, c.Received.UnixMicro(), c.Since.UnixMicro())
		if e, ok := errors.AsType[sqlite3.Error](err); ok && e.Code == sqlite3.ErrConstraint {
			return intake.ErrConflict
		}
	} else {
		var done sql.Result
		done, err = tx.ExecContext(ctx, `UPDATE filing SET version = version + 1, state = ?, why = ?, filed = ?, revision = ?, reason = ?, person = ?, app = ?, officer = ?, since = ?
			WHERE code = ? AND version = ?`,
			string(c.State), c.Why, c.Filed, c.Revision, c.Reason, c.Person, c.App, c.Officer, c.Since.UnixMicro(), c.Code, c.Version)
		if err == nil {
			if n, e := done.RowsAffected(); e != nil || n != 1 {
				return intake.ErrConflict
			}
		}
	}
	if err != nil || string(c.State) == state && c.Why == why {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO event (portal, code, name, state, why, at) VALUES (?, ?, ?, ?, ?, ?)",
		c.Portal, c.Code, c.Name, string(c.State), c.Why, c.Since.UnixMicro())
	return err
}

// Events returns a portal's events after one, in their order.
func (i *Intake) Events(ctx context.Context, portal string, after int64, most int) ([]intake.Event, error) {
	rows, err := i.db.QueryContext(ctx, "SELECT seq, name, code, state, why, at FROM event WHERE portal = ? AND seq > ? ORDER BY seq LIMIT ?", portal, after, most)
	if err != nil {
		return nil, fmt.Errorf("read the events: %w", typed(err))
	}
	defer rows.Close()
	var list []intake.Event
	for rows.Next() {
		var e intake.Event
		var at int64
		if err := rows.Scan(&e.Seq, &e.Case, &e.Code, &e.State, &e.Why, &at); err != nil {
			return nil, fmt.Errorf("read the events: %w", typed(err))
		}
		e.At = time.UnixMicro(at).UTC()
		list = append(list, e)
	}
	return list, typed(rows.Err())
}

// Followed tells up to where the ledger was followed.
func (i *Intake) Followed(ctx context.Context) (at int64, err error) {
	if err := i.db.QueryRowContext(ctx, "SELECT at FROM followed").Scan(&at); err != nil {
		return 0, fmt.Errorf("read the record of intake: %w", typed(err))
	}
	return at, nil
}

// Follow stores cases as the ledger says that they stand, and that it was followed so far;
// intake.ErrConflict.
func (i *Intake) Follow(ctx context.Context, from, to int64, changed []intake.Case) error {
	err := i.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE followed SET at = ? WHERE at = ?", to, from)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return intake.ErrConflict
		}
		for _, c := range changed {
			if err := keepCase(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("follow the ledger: %w", typed(err))
	}
	return nil
}

// Forget wipes the sealed content of a case.
func (i *Intake) Forget(ctx context.Context, code string) error {
	if _, err := i.db.ExecContext(ctx, "UPDATE message SET sealed = NULL WHERE code = ? AND sealed IS NOT NULL", code); err != nil {
		return fmt.Errorf("forget a case's content: %w", typed(err))
	}
	return nil
}

// change is a transaction of f.
func (i *Intake) change(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := i.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
