package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errStandby means that a server follows another.
var errStandby = errors.New("the server is a standby, or not yet the primary")

// onlyPrimary lets connections be made only to a server that is the primary. One that is being
// made so answers before it has caught up with what its predecessor acknowledged, and a proxy
// may lead to it already: whoever reads there sees the ledger as it was.
func onlyPrimary(c *pgx.ConnConfig) {
	before := c.ValidateConnect
	c.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if before != nil {
			if err := before(ctx, conn); err != nil {
				return err
			}
		}
		r := conn.ExecParams(ctx, "SELECT pg_is_in_recovery()", nil, nil, nil, nil).Read()
		if r.Err != nil {
			return r.Err
		}
		if len(r.Rows) != 1 || string(r.Rows[0][0]) != "f" {
			return errStandby
		}
		return nil
	}
}
