package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

//go:embed migration/*.sql
var migrations embed.FS

// steps lists the migrations in their order. Their texts are fixed once released: a
// database remembers the checksum of each that made it.
func steps() ([]string, error) {
	files, err := migrations.ReadDir("migration")
	if err != nil {
		return nil, err
	}
	list := make([]string, len(files))
	for i, f := range files {
		text, err := migrations.ReadFile("migration/" + f.Name())
		if err != nil {
			return nil, err
		}
		list[i] = string(text)
	}
	return list, nil
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// checkVersion refuses a database without a ledger, of a newer program, and one that other
// scripts made. It says how many migrations the database lacks.
func checkVersion(ctx context.Context, q querier) (behind int, err error) {
	rows, err := q.Query(ctx, "SELECT checksum FROM migration ORDER BY number")
	if err != nil {
		return 0, missing(ctx, q, schema, err)
	}
	have, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, missing(ctx, q, schema, err)
	}
	list, err := steps()
	if err != nil {
		return 0, err
	}
	if len(have) > len(list) {
		return 0, fmt.Errorf("%w: schema %d, this program knows %d", ledger.ErrNewer, len(have), len(list))
	}
	for i, sum := range have {
		if sum != checksum(list[i]) {
			return 0, fmt.Errorf("%w: migration %d is another", ledger.ErrNotOurs, i+1)
		}
	}
	return len(list) - len(have), nil
}

// missing says why a table of a schema of ours was not found. To an account that may not use the
// schema the server says that the table is not there.
func missing(ctx context.Context, q querier, schema string, err error) error {
	switch state(err) {
	case stateUndefinedTable, stateUndefinedSchema, statePrivilege:
	default:
		return err
	}
	var account string
	var there, usable, moved bool
	looked := q.QueryRow(ctx, `SELECT current_user::text, to_regnamespace($1) IS NOT NULL, coalesce(has_schema_privilege(to_regnamespace($1), 'USAGE'), false),
		EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE starts_with(nspname::text, $2))`, schema, schema+"_"+asideMoved).
		Scan(&account, &there, &usable, &moved)
	switch {
	case looked == nil && there && (!usable || state(err) == statePrivilege):
		return fmt.Errorf("%w: the schema %s, by %s", ledger.ErrDenied, schema, account)
	case looked == nil && there:
		return fmt.Errorf("%w: the schema %s lacks tables", ledger.ErrNotOurs, schema)
	case looked == nil && moved:
		return ledger.ErrMoved
	case state(err) == statePrivilege:
		return err
	}
	return fmt.Errorf("%w: the database has no schema %s", ledger.ErrMissing, schema)
}

// migrate applies what the database lacks, all or none. Another program may do the same at
// once: the lock lets one do it, and the other find it done.
func migrate(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "LOCK TABLE migration IN ACCESS EXCLUSIVE MODE"); err != nil {
		return err
	}
	behind, err := checkVersion(ctx, tx)
	if err != nil {
		return err
	}
	list, err := steps()
	if err != nil {
		return err
	}
	return apply(ctx, tx, list, len(list)-behind)
}

// noTemporary keeps whoever logs in from filling the disk with tables of their own, where the
// database is the schema's owner's too: tables for a time anybody may make by default. The owner of
// another database has to say so.
const noTemporary = `DO $$ BEGIN
	IF pg_has_role((SELECT datdba FROM pg_catalog.pg_database WHERE datname = current_database()), 'USAGE') THEN
		EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
	END IF;
END $$`

// apply runs the migrations from one on.
func apply(ctx context.Context, tx pgx.Tx, list []string, from int) error {
	for i := from; i < len(list); i++ {
		if _, err := tx.Exec(ctx, list[i]); err != nil {
			return fmt.Errorf("migration %d: %w", i+1, err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO migration VALUES ($1, $2)", i+1, checksum(list[i])); err != nil {
			return fmt.Errorf("migration %d: %w", i+1, err)
		}
	}
	_, err := tx.Exec(ctx, noTemporary)
	return err
}
