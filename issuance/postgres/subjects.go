package postgres

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tamthe/tamthe/issuance/ledger"
)

//go:embed subjects/001_subjects.sql
var subjectsSchema string

const (
	vaultSchema     = "tamthe_vault"
	subjectsVersion = 1
	subjectsParts   = 64
)

// ErrRewrapped says so of the keys of the vault.
var ErrRewrapped = errors.New("the keys of the vault were wrapped anew meanwhile; try again")

// Subjects is the database of the vault of an office whose desks share a ledger: one wrapped key
// a subject and class, and the name of the key that wraps them. It is a schema of its own, and is
// best kept on a server of its own, so that copies of the ledger's hold no key. Several programs
// may use it at once.
//
// What was destroyed is gone from what can be asked and from the tables' files, here and, once
// they have followed, on standby servers. The server's write-ahead log, its archive and copies
// of the database hold it on, as wrapped as it was: Rewrap, and the end of the key that wrapped
// it, put it out of reach there.
type Subjects struct {
	name string
	db   *pgxpool.Pool
	kek  string
}

// subjectsConfig is that of the ledger, for the other schema.
func subjectsConfig(dsn string) (*pgxpool.Config, error) {
	c, err := config(dsn)
	if err != nil {
		return nil, err
	}
	c.MaxConns = readers
	c.ConnConfig.RuntimeParams["search_path"] = vaultSchema
	c.ConnConfig.RuntimeParams["lock_timeout"] = "5s"
	return c, nil
}

// CreateSubjects makes a new, empty vault in a database, and the role tamthe_vault of those who
// may use it. kek names the wrapping key. One that is there is fs.ErrExist; after any error there
// is none.
func CreateSubjects(ctx context.Context, dsn, kek string) (*Subjects, error) {
	c, err := subjectsConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("create the vault: %w", err)
	}
	if err := makeSubjects(ctx, c.ConnConfig, kek, func(pgx.Tx) error { return nil }); err != nil {
		return nil, fmt.Errorf("create the vault %s: %w", name(c), typed(err))
	}
	return OpenSubjects(ctx, dsn, false)
}

// SubjectsSource is a vault that is copied: each key as it lies there, those that were destroyed
// with none.
type SubjectsSource interface {
	KEK() string
	Each(ctx context.Context, f func(subject string, class uint32, wrapped []byte) error) error
}

// CopySubjects is CreateSubjects of what another vault holds.
func CopySubjects(ctx context.Context, dsn string, from SubjectsSource) error {
	c, err := subjectsConfig(dsn)
	if err != nil {
		return fmt.Errorf("copy the vault: %w", err)
	}
	err = makeSubjects(ctx, c.ConnConfig, from.KEK(), func(tx pgx.Tx) error {
		var rows [][]any
		send := func() error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"key"}, []string{"part", "subject", "class", "live", "wrapped"}, pgx.CopyFromRows(rows))
			rows = rows[:0]
			return err
		}
		err := from.Each(ctx, func(subject string, class uint32, wrapped []byte) error {
			rows = append(rows, []any{partOf(subject), subject, int64(class), wrapped != nil, append([]byte{}, wrapped...)})
			if len(rows) < subjectsAtOnce {
				return nil
			}
			return send()
		})
		return errors.Join(err, send())
	})
	if err != nil {
		return fmt.Errorf("copy the vault to %s: %w", name(c), typed(err))
	}
	return nil
}

// makeSubjects makes the schema of a vault and fills it, or makes none.
func makeSubjects(ctx context.Context, c *pgx.ConnConfig, kek string, fill func(pgx.Tx) error) error {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := makeRole(ctx, conn, vaultSchema); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+vaultSchema); err != nil {
			if code := state(err); code == stateDuplicateSchema || code == stateUniqueViolation {
				return fmt.Errorf("%w: the database has a schema %s", fs.ErrExist, vaultSchema)
			}
			return err
		}
		_, err := tx.Exec(ctx, "REVOKE ALL ON SCHEMA tamthe_vault FROM PUBLIC; GRANT USAGE ON SCHEMA tamthe_vault TO tamthe_vault")
		if err == nil {
			_, err = tx.Exec(ctx, subjectsSchema+";"+noTemporary)
		}
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO vault VALUES (1, $1, $2)", subjectsVersion, kek)
		}
		if err == nil {
			err = fill(tx)
		}
		return err
	})
}

// OpenSubjects opens the vault in a database, perhaps only for reading. Errors:
// ledger.ErrMissing, ErrNewer, ErrReadOnly, ErrBusy, ErrAway.
func OpenSubjects(ctx context.Context, dsn string, readOnly bool) (*Subjects, error) {
	c, err := subjectsConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("open the vault: %w", err)
	}
	if readOnly {
		c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	}
	s := &Subjects{name: name(c)}
	if s.db, err = pgxpool.NewWithConfig(ctx, c); err == nil {
		if err = s.ready(ctx); err != nil {
			s.db.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the vault %s: %w", s.name, typed(err))
	}
	return s, nil
}

func (s *Subjects) ready(ctx context.Context) error {
	var version int
	err := s.db.QueryRow(ctx, "SELECT version, kek FROM vault").Scan(&version, &s.kek)
	switch {
	case err != nil:
		return missing(ctx, s.db, vaultSchema, err)
	case version > subjectsVersion:
		return fmt.Errorf("%w: schema %d, this program knows %d", ledger.ErrNewer, version, subjectsVersion)
	}
	return nil
}

// DiscardSubjects deletes what CreateSubjects has just made and nobody uses yet.
func DiscardSubjects(ctx context.Context, dsn string) error {
	c, err := subjectsConfig(dsn)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, c.ConnConfig)
	if err == nil {
		_, err = conn.Exec(ctx, "DROP SCHEMA "+vaultSchema+" CASCADE")
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		return fmt.Errorf("delete what was made in %s: %w", name(c), typed(err))
	}
	return nil
}

// SubjectsThere reports whether the database has a vault.
func SubjectsThere(ctx context.Context, dsn string) (bool, error) { return has(ctx, dsn, vaultSchema) }

// Name says which database it is, without user or password: HOST/DATABASE.
func (s *Subjects) Name() string { return s.name }

// Close ends the connections.
func (s *Subjects) Close() error {
	s.db.Close()
	return nil
}

// partOf is where the keys of a subject lie.
func partOf(subject string) int16 {
	sum := sha256.Sum256([]byte(subject))
	return int16(sum[0] % subjectsParts)
}
