package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// warning is where a connection keeps that the server warned.
const warning = "warning"

// warned notes a warning.
func warned(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warning] = n.Message
	}
}

// begun forgets the warnings of before.
func begun(c *pgx.Conn) { delete(c.PgConn().CustomData(), warning) }

// acknowledged says, after a COMMIT that succeeded, whether it is an acknowledgement. One whose
// wait for the standby is cancelled is a success to the server, with a warning beside it:
// others see what it wrote, and a failover may take it back. To us it is none; whoever asks
// again waits again.
func acknowledged(c *pgx.Conn) error {
	if why := c.PgConn().CustomData()[warning]; why != nil {
		return fmt.Errorf("%w: %v", ledger.ErrAway, why)
	}
	return nil
}

// confirm waits until all that was seen on a connection is where it must be: what one server
// alone has may be gone after it. It writes a message of no content into that server's
// journal, whose commit waits for the standby like any other. A server without a standby, a
// standby itself, and an engine that has no such message are not asked.
func confirm(ctx context.Context, c *pgx.Conn) error {
	begun(c)
	var said *string
	err := c.QueryRow(ctx, `SELECT CASE WHEN current_setting('synchronous_standby_names', true) <> '' AND NOT pg_is_in_recovery()
		THEN pg_logical_emit_message(true, 'tamthe', '')::text END`).Scan(&said)
	if state(err) == stateUndefinedFunction {
		return nil
	}
	if err != nil {
		return err
	}
	return acknowledged(c)
}
