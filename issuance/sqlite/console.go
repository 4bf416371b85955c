package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"time"
)

//go:embed console/001_console.sql
var consoleSchema string

var consoleSide = side{
	what: "the console's passkeys", id: 0x74616D63 /* tamc */, version: 1, schema: consoleSchema, other: "it holds no passkeys", secure: true,
}

// Accounts are the console's passkeys in one file: a console.Accounts. Several programs may
// use it at once.
type Accounts struct{ db *sql.DB }

// CreateAccounts makes a new file without passkeys, readable by its owner only. A file that
// exists is fs.ErrExist; after any error there is no file.
func CreateAccounts(ctx context.Context, path string) error {
	return consoleSide.create(ctx, path, func(ctx context.Context, tx *sql.Tx) error {
		salt := make([]byte, 32)
		rand.Read(salt)
		_, err := tx.ExecContext(ctx, "INSERT INTO salt VALUES (1, ?)", salt)
		return err
	})
}

// OpenAccounts opens the file. Errors: ledger.ErrMissing, ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly,
// ledger.ErrDamaged, ledger.ErrBusy.
func OpenAccounts(ctx context.Context, path string) (*Accounts, error) {
	db, err := consoleSide.open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	return &Accounts{db}, nil
}

// Close closes the file.
func (a *Accounts) Close() error { return typed(a.db.Close()) }

// Salt implements console.Accounts.
func (a *Accounts) Salt(ctx context.Context) (salt []byte, err error) {
	err = a.db.QueryRowContext(ctx, "SELECT value FROM salt").Scan(&salt)
	return salt, account("read the salt", err)
}

// Invite lets an operator register a passkey until then with the code whose digest this is.
// Invitations that are over are forgotten.
func (a *Accounts) Invite(ctx context.Context, operator string, code [32]byte, now, until time.Time) error {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return account("invite", err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "DELETE FROM invitation WHERE until <= ?", now.Unix()); err != nil {
		return account("invite", err)
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO invitation VALUES (?, ?, ?)", code[:], operator, until.Unix()); err != nil {
		return account("invite", err)
	}
	return account("invite", tx.Commit())
}

// Remove forgets all passkeys and invitations of an operator and says how many passkeys
// there were.
func (a *Accounts) Remove(ctx context.Context, operator string) (n int64, err error) {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, account("forget passkeys", err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "DELETE FROM invitation WHERE operator = ?", operator); err != nil {
		return 0, account("forget passkeys", err)
	}
	r, err := tx.ExecContext(ctx, "DELETE FROM passkey WHERE operator = ?", operator)
	if err != nil {
		return 0, account("forget passkeys", err)
	}
	if n, err = r.RowsAffected(); err != nil {
		return 0, account("forget passkeys", err)
	}
	return n, account("forget passkeys", tx.Commit())
}

// Invited implements console.Accounts.
func (a *Accounts) Invited(ctx context.Context, code [32]byte, now time.Time) (operator string, err error) {
	err = a.db.QueryRowContext(ctx, "SELECT operator FROM invitation WHERE code = ? AND until > ?", code[:], now.Unix()).Scan(&operator)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return operator, account("look an invitation up", err)
}

// Register implements console.Accounts.
func (a *Accounts) Register(ctx context.Context, code [32]byte, now time.Time, passkey, record []byte) (bool, error) {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return false, account("register a passkey", err)
	}
	defer tx.Rollback()
	var operator string
	err = tx.QueryRowContext(ctx, "DELETE FROM invitation WHERE code = ? AND until > ? RETURNING operator", code[:], now.Unix()).Scan(&operator)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, account("register a passkey", err)
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO passkey VALUES (?, ?, ?)", passkey, operator, record); err != nil {
		return false, account("register a passkey", err)
	}
	if err := tx.Commit(); err != nil {
		return false, account("register a passkey", err)
	}
	return true, nil
}

// Find implements console.Accounts.
func (a *Accounts) Find(ctx context.Context, passkey []byte) (operator string, record []byte, err error) {
	err = a.db.QueryRowContext(ctx, "SELECT operator, record FROM passkey WHERE id = ?", passkey).Scan(&operator, &record)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, nil
	}
	return operator, record, account("look a passkey up", err)
}

// Update implements console.Accounts.
func (a *Accounts) Update(ctx context.Context, passkey, record []byte) error {
	_, err := a.db.ExecContext(ctx, "UPDATE passkey SET record = ? WHERE id = ?", record, passkey)
	return account("keep a passkey", err)
}

// account says what was attempted.
func account(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, typed(err))
}
