package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance/osia/cms"
)

const commandColumns = "id, system, name, card, act, reason, requester, state, why, officer, at, since"

func scanCommand(row interface{ Scan(...any) error }) (c cms.Command, err error) {
	var at, since int64
	err = row.Scan(&c.ID, &c.System, &c.Name, &c.Card, &c.Act, &c.Reason, &c.Requester, &c.State, &c.Why, &c.Officer, &at, &since)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c, cms.ErrUnknown
	case err != nil:
		return c, fmt.Errorf("read a command: %w", typed(err))
	}
	c.At, c.Since = time.UnixMicro(at).UTC(), time.UnixMicro(since).UTC()
	return c, nil
}

// Command stores a command under a name of its own, or returns the one that waits for the same
// already, or that its transaction was before.
func (o *OSIA) Command(ctx context.Context, c cms.Command) (cms.Command, error) {
	err := o.change(ctx, "store a command", func(tx *sql.Tx) error {
		there, err := scanCommand(tx.QueryRowContext(ctx, "SELECT "+commandColumns+` FROM command
			WHERE system = ? AND name = ? OR card = ? AND act = ? AND state = 'waiting' ORDER BY system = ? AND name = ? DESC LIMIT 1`,
			c.System, c.Name, c.Card, c.Act, c.System, c.Name))
		if err == nil {
			c = there
			return nil
		}
		if !errors.Is(err, cms.ErrUnknown) {
			return err
		}
		var b [10]byte
		rand.Read(b[:])
		c.ID = "O-" + strings.ToUpper(base32.HexEncoding.EncodeToString(b[:])[:10])
		_, err = tx.ExecContext(ctx, "INSERT INTO command ("+commandColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			c.ID, c.System, c.Name, c.Card, c.Act, c.Reason, c.Requester, string(c.State), c.Why, c.Officer, c.At.UnixMicro(), c.Since.UnixMicro())
		return err
	})
	return c, err
}

// Commanded returns a command by its name; cms.ErrUnknown.
func (o *OSIA) Commanded(ctx context.Context, id string) (cms.Command, error) {
	return scanCommand(o.db.QueryRowContext(ctx, "SELECT "+commandColumns+" FROM command WHERE id = ?", id))
}

// Commands lists the commands in some states, all without, oldest first.
func (o *OSIA) Commands(ctx context.Context, in ...cms.CommandState) ([]cms.Command, error) {
	where, args := "1", []any{}
	if len(in) > 0 {
		where = "state IN (?" + strings.Repeat(", ?", len(in)-1) + ")"
		for _, s := range in {
			args = append(args, string(s))
		}
	}
	rows, err := o.db.QueryContext(ctx, "SELECT "+commandColumns+" FROM command WHERE "+where+" ORDER BY at, id", args...)
	if err != nil {
		return nil, fmt.Errorf("read the commands: %w", typed(err))
	}
	defer rows.Close()
	var list []cms.Command
	for rows.Next() {
		c, err := scanCommand(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, typed(rows.Err())
}

// Decide ends a command that waits; cms.ErrConflict.
func (o *OSIA) Decide(ctx context.Context, id string, to cms.CommandState, why, officer string, at time.Time) error {
	return o.change(ctx, "decide on a command", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE command SET state = ?, why = ?, officer = ?, since = ? WHERE id = ? AND state = 'waiting'",
			string(to), why, officer, at.UnixMicro(), id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return cms.ErrConflict
		}
		return nil
	})
}
