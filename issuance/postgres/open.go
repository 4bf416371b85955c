package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// roles are groups that a database administrator gives to those who log in.
var roles = []string{"tamthe_reader", "tamthe_desk", "tamthe_sequencer"}

// Create makes a new, empty ledger of the given origin in the database, in a schema of its
// own, and the roles: tamthe_reader may read, tamthe_sequencer append with the log key. The
// role that it connects as becomes the owner; it must be allowed to make a schema in the
// database and, unless they are there, roles. A ledger that is there is fs.ErrExist; after
// any error nothing of it is there.
func Create(ctx context.Context, dsn, origin string, o Options) (*Ledger, error) {
	if o.Signer == nil {
		return nil, errors.New("create the ledger: the log key is missing")
	}
	c, err := config(dsn)
	if err != nil {
		return nil, fmt.Errorf("create the ledger: %w", err)
	}
	first, err := ledger.SignCheckpoint(origin, 0, (&ledger.Tree{}).Root(), o.Signer)
	if err == nil {
		err = create(ctx, c.ConnConfig, origin, first.Note)
	}
	if err != nil {
		return nil, fmt.Errorf("create the ledger %s: %w", name(c), typed(err))
	}
	return Open(ctx, dsn, o)
}

// create makes the schema of a log, or none.
func create(ctx context.Context, c *pgx.ConnConfig, origin string, checkpoint []byte) error {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := makeRoles(ctx, conn); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return makeSchema(ctx, tx, origin, checkpoint) })
}

// makeSchema makes the schema of a log that has no entries yet.
func makeSchema(ctx context.Context, tx pgx.Tx, origin string, checkpoint []byte) error {
	list, err := steps()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
		if code := state(err); code == stateDuplicateSchema || code == stateUniqueViolation {
			return fmt.Errorf("%w: the database has a schema %s", fs.ErrExist, schema)
		}
		return err
	}
	for _, text := range []string{
		"REVOKE ALL ON SCHEMA tamthe FROM PUBLIC",
		"GRANT USAGE ON SCHEMA tamthe TO tamthe_reader",
	} {
		if _, err := tx.Exec(ctx, text); err != nil {
			return err
		}
	}
	if err := apply(ctx, tx, list, 0); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO log VALUES (1, $1, 0, $2, 0, '', now())", origin, checkpoint)
	return err
}

// makeRoles makes the roles that the server lacks. They belong to all its databases, so that
// another program may make them at once.
func makeRoles(ctx context.Context, conn *pgx.Conn) error {
	for _, role := range roles {
		if err := makeRole(ctx, conn, role); err != nil {
			return err
		}
	}
	return nil
}

// makeRole makes one of them, unless it is there. Who may append or hand in may read.
func makeRole(ctx context.Context, conn *pgx.Conn, role string) error {
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)", role).Scan(&there); err != nil || there {
		return err
	}
	statements := []string{"CREATE ROLE " + role + " NOLOGIN"}
	if role == "tamthe_desk" || role == "tamthe_sequencer" {
		statements = append(statements, "GRANT tamthe_reader TO "+role)
	}
	for _, text := range statements {
		_, err := conn.Exec(ctx, text)
		if code := state(err); err != nil && code != stateDuplicateObject && code != stateUniqueViolation {
			return fmt.Errorf("make the role %s: %w", role, err)
		}
	}
	return nil
}

// Open opens the ledger in a database and, unless only for reading, migrates one that is
// older than the program and repairs the copy of its checkpoint.
//
// Errors: ledger.ErrMissing, ErrMoved, ErrLogin, ErrDenied, ErrOutdated, ErrNotAppender with the log
// key, ErrNotOurs, ErrNewer, ErrReadOnly, ErrDamaged, ErrBusy, ErrAway, and ErrRolledBack if the
// copy in o.Checkpoints is of a longer or another log than the database. Such a one can be opened
// for reading, so that Verify can say more; it tells nothing of its streams then, for what it
// would tell may be out of date.
func Open(ctx context.Context, dsn string, o Options) (*Ledger, error) {
	c, err := config(dsn)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	l, err := open(ctx, c, o)
	if err != nil {
		return nil, fmt.Errorf("open the ledger %s: %w", name(c), typed(err))
	}
	return l, nil
}

func open(ctx context.Context, c *pgxpool.Config, o Options) (*Ledger, error) {
	o.Busy = cmp.Or(o.Busy, patience)
	if !o.ReadOnly {
		onlyPrimary(c.ConnConfig)
	}
	c.ConnConfig.ConnectTimeout = min(c.ConnConfig.ConnectTimeout, max(o.Busy, quick))
	p, err := newPool(ctx, c, o)
	if err != nil {
		return nil, err
	}
	l := &Ledger{name: name(c), o: o, readers: p}
	if !o.ReadOnly {
		l.writer = &writer{config: c.ConnConfig, busy: o.Busy, cache: cache{holder: newHolder()}}
	}
	if !o.ReadOnly && o.Signer == nil {
		if l.desk, err = handing(ctx, c, o); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	if err := l.ready(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// ready checks what was opened and, unless only for reading, makes it fit to append to.
func (l *Ledger) ready(ctx context.Context) error {
	behind, err := checkVersion(ctx, l.readers)
	if err != nil {
		return err
	}
	if behind > 0 {
		if l.o.ReadOnly || l.o.Signer == nil {
			return fmt.Errorf("%w: %d migrations", ledger.ErrOutdated, behind)
		}
		if err := l.migrate(ctx); state(err) == statePrivilege {
			return fmt.Errorf("%w: %d migrations: %w", ledger.ErrOutdated, behind, err)
		} else if err != nil {
			return err
		}
	}
	if err := l.readers.QueryRow(ctx, "SELECT origin FROM log").Scan(&l.origin); err != nil {
		return err
	}
	if l.writer == nil {
		_, l.behind = l.continuesKept(ctx, l.looked)
		return nil
	}
	if l.o.Signer == nil { // a copy would be of what one server alone may have
		_, err = l.continuesKept(ctx, l.looked)
		return err
	}
	if s := l.o.Signer; s.Name() != l.origin {
		return fmt.Errorf("the log key is named %q, the log %q", s.Name(), l.origin)
	}
	now, err := l.confirmed(ctx)
	if err != nil {
		return err
	}
	l.copies, err = l.outside().Copy(now)
	return err
}

// confirmed returns the database's checkpoint once it is where it must be; see settled.
func (l *Ledger) confirmed(ctx context.Context) (now []byte, err error) {
	ctx, stop := context.WithTimeout(ctx, l.o.Busy) // without a standby a commit waits for ever
	defer stop()
	err = again(ctx, l.o.Busy, func() error {
		now, err = l.continuesKept(ctx, l.settled)
		if err != nil && !refused(err) {
			l.writer.hangUp()
		}
		return err
	})
	if state(err) == statePrivilege {
		err = fmt.Errorf("%w: %w", ledger.ErrNotAppender, err)
	}
	return now, err
}

// migrate brings the schema up to date, which only its owner can.
func (l *Ledger) migrate(ctx context.Context) error {
	conn, err := l.writer.connection(ctx)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return migrate(ctx, tx) })
}
