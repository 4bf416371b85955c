package postgres

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Name says which database a DSN means, without user or password: HOST/DATABASE.
func Name(dsn string) (string, error) {
	c, err := config(dsn)
	if err != nil {
		return "", err
	}
	return name(c), nil
}

// HasPassword reports whether a DSN has a password in it: what is kept in a file that others
// read should have none.
func HasPassword(dsn string) bool {
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		_, has := u.User.Password()
		return has || slices.ContainsFunc(slices.Collect(maps.Keys(u.Query())), func(k string) bool { return strings.HasSuffix(k, "password") })
	}
	return strings.Contains(strings.Join(strings.Fields(dsn), ""), "password=")
}

// There reports whether the database has a ledger, or what would be in the way of one.
func There(ctx context.Context, dsn string) (bool, error) { return has(ctx, dsn, schema) }

func has(ctx context.Context, dsn, schema string) (there bool, err error) {
	c, err := config(dsn)
	if err != nil {
		return false, err
	}
	conn, err := pgx.ConnectConfig(ctx, c.ConnConfig)
	if err == nil {
		defer conn.Close(ctx)
		err = conn.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", schema).Scan(&there)
	}
	if err != nil {
		return false, fmt.Errorf("look for the schema %s in %s: %w", schema, name(c), typed(err))
	}
	return there, nil
}

// stateMoved is what the trigger of a log that goes on elsewhere says.
const stateMoved = "TM001"

// closing keeps whoever is connected, and only waits for the log's row, from adding to a log that
// goes on elsewhere.
const closing = `
CREATE OR REPLACE FUNCTION tamthe.moved() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RAISE EXCEPTION 'the ledger was moved' USING ERRCODE = '` + stateMoved + `';
END $$;
CREATE OR REPLACE TRIGGER moved BEFORE UPDATE ON tamthe.log FOR EACH ROW EXECUTE FUNCTION tamthe.moved()`

// Retire runs f, which copies the ledger elsewhere, while nothing is appended to it, and if f
// succeeds ends the ledger here: whoever appends, in this program or another that is connected,
// gets ledger.ErrMoved from then on. What is there can still be read. Only the schema's owner can.
// After an error the ledger goes on here, but for ledger.ErrAway, which leaves it open whether
// it was ended.
func (l *Ledger) Retire(ctx context.Context, f func() error) error {
	if l.writer == nil {
		return fmt.Errorf("move the ledger: %w", ledger.ErrReadOnly)
	}
	var failed error
	err := held(ctx, l.writer.config, func(tx pgx.Tx) error {
		if failed = f(); failed != nil {
			return failed
		}
		_, err := tx.Exec(ctx, closing)
		return err
	})
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return fmt.Errorf("move the ledger: %w", typed(err))
	}
	return nil
}

// held runs f in a transaction in which nobody else appends, however long it takes, on a
// connection of its own, and ends it as an append does: ledger.ErrAway where it is not known
// whether it holds.
//
// It locks the table of the log, not its row: an append that waits for the row would be in the
// way of the trigger, and the two of them would wait for each other.
func held(ctx context.Context, c *pgx.ConnConfig, f func(pgx.Tx) error) error {
	conn, err := pgx.ConnectConfig(ctx, c.Copy())
	if err != nil {
		return err
	}
	defer hangUp(conn)
	if err := settle(ctx, conn, patience); err != nil {
		return err
	}
	begun(conn)
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer abandon(conn)
	if _, err := tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE tamthe.log IN EXCLUSIVE MODE"); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	rest, stop := context.WithTimeout(context.WithoutCancel(ctx), patience) // what is asked is asked to its end
	defer stop()
	if err := tx.Commit(rest); err != nil {
		return err
	}
	return acknowledged(conn)
}

var isSuffix = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

// asideMoved begins the suffix of a schema whose ledger goes on elsewhere.
const asideMoved = "moved_"

// Aside ends the ledger of a database, as Retire does, and moves it out of the way, into the
// schema tamthe_SUFFIX: small letters, digits and underscores. It is not deleted. Only the
// schema's owner can, who may make schemas in the database. Where the suffix begins with
// "moved_", whoever opens the ledger here later is told ledger.ErrMoved.
func Aside(ctx context.Context, dsn, suffix string) error {
	c, err := config(dsn)
	if err != nil {
		return err
	}
	if !isSuffix.MatchString(suffix) {
		return fmt.Errorf("move the ledger aside: %q is no suffix", suffix)
	}
	err = held(ctx, c.ConnConfig, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, closing); err != nil {
			return err
		}
		aside := pgx.Identifier{schema + "_" + suffix}.Sanitize()
		_, err := tx.Exec(ctx, "ALTER SCHEMA "+schema+" RENAME TO "+aside+"; REVOKE ALL ON SCHEMA "+aside+" FROM tamthe_reader")
		return err
	})
	if err != nil {
		return fmt.Errorf("move the ledger %s aside: %w", name(c), typed(err))
	}
	return nil
}
