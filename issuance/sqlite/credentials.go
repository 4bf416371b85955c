package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/eid/credential"
)

//go:embed credentials/001_credentials.sql
var credentialsSchema string

var credentialsSide = side{
	what: "the record of credentials", id: 0x74616D6B /* tamk */, version: 1, schema: credentialsSchema, other: "it is no record of credentials",
}

// Credentials is the record of derived credentials in one file: a credential.Store. Several
// programs may use it at once.
type Credentials struct{ db *sql.DB }

var _ credential.Store = (*Credentials)(nil)

// CreateCredentials makes a new, empty record, readable by its owner only. A file that exists
// is fs.ErrExist; after any error there is no file.
func CreateCredentials(ctx context.Context, path string) error {
	return credentialsSide.create(ctx, path, func(context.Context, *sql.Tx) error { return nil })
}

// OpenCredentials opens a record. Errors: ledger.ErrMissing, ledger.ErrNotOurs, ledger.ErrNewer, ledger.ErrReadOnly,
// ledger.ErrDamaged, ledger.ErrBusy.
func OpenCredentials(ctx context.Context, path string) (*Credentials, error) {
	db, err := credentialsSide.open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	return &Credentials{db}, nil
}

// Close closes the file.
func (c *Credentials) Close() error { return typed(c.db.Close()) }

// Keep implements [credential.Store].
func (c *Credentials) Keep(ctx context.Context, i credential.Issued) error {
	card, err := json.Marshal(i.Card)
	if err != nil {
		return err
	}
	_, err = c.db.ExecContext(ctx, "INSERT INTO credential VALUES (?, ?, ?, ?, ?)", i.Place.List, i.Place.Index, string(card), i.Issued.Unix(), i.Expires.Unix())
	if e, ok := errors.AsType[sqlite3.Error](err); ok && e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey {
		return credential.ErrTaken
	}
	if err != nil {
		return fmt.Errorf("keep a credential: %w", typed(err))
	}
	return nil
}

// Count implements [credential.Store].
func (c *Credentials) Count(ctx context.Context, list int) (n int, err error) {
	if err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM credential WHERE list = ?", list).Scan(&n); err != nil {
		return 0, fmt.Errorf("count credentials: %w", typed(err))
	}
	return n, nil
}

// List implements [credential.Store]. The credentials are read before f is called with the
// first: nothing is held while it asks others.
func (c *Credentials) List(ctx context.Context, list int, f func(credential.Issued) error) error {
	all, err := c.list(ctx, list)
	if err != nil {
		return fmt.Errorf("read credentials: %w", typed(err))
	}
	for _, i := range all {
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *Credentials) list(ctx context.Context, list int) (all []credential.Issued, err error) {
	rows, err := c.db.QueryContext(ctx, "SELECT place, card, issued, expires FROM credential WHERE list = ? ORDER BY place", list)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		i := credential.Issued{Place: credential.Place{List: list}}
		var card string
		var issued, expires int64
		if err := rows.Scan(&i.Place.Index, &card, &issued, &expires); err != nil {
			return nil, err
		}
		if json.Unmarshal([]byte(card), &i.Card) != nil {
			return nil, ledger.ErrDamaged
		}
		i.Issued, i.Expires = time.Unix(issued, 0).UTC(), time.Unix(expires, 0).UTC()
		all = append(all, i)
	}
	return all, rows.Err()
}
