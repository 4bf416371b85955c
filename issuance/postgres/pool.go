package postgres

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// readers is how many connections a program reads by: a hundred desks share a server that
// allows some hundreds.
const readers = 4

// pool are the connections of those who read. Its look-ups begin again where the server went
// away or is occupied, until another has taken over or Options.Busy is over.
type pool struct {
	*pgxpool.Pool
	long time.Duration
}

// newPool connects those who read.
func newPool(ctx context.Context, c *pgxpool.Config, o Options) (*pool, error) {
	c = c.Copy()
	c.MaxConns = int32(cmp.Or(o.Readers, readers))
	// An audit thinks for long between what it reads, and locks nothing.
	c.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	c.ConnConfig.RuntimeParams["lock_timeout"] = strconv.FormatInt(o.Busy.Milliseconds(), 10)
	// Not a parameter of the connection: where the DSN wants the server that can be written
	// to, the driver asks each whether this is on.
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET default_transaction_read_only = on")
		return err
	}
	p, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	return &pool{p, o.Busy}, nil
}

// Query is that of the pool, begun again.
func (p *pool) Query(ctx context.Context, sql string, args ...any) (rows pgx.Rows, err error) {
	err = again(ctx, p.long, func() error {
		rows, err = p.Pool.Query(ctx, sql, args...)
		return err
	})
	return rows, err
}

// QueryRow is that of the pool, begun again.
func (p *pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return scan(func(into ...any) error {
		return again(ctx, p.long, func() error { return p.Pool.QueryRow(ctx, sql, args...).Scan(into...) })
	})
}

// scan is a row that is asked for when it is read.
type scan func(into ...any) error

// Scan implements [pgx.Row].
func (s scan) Scan(into ...any) error { return s(into...) }

// BeginTx is that of the pool, begun again.
func (p *pool) BeginTx(ctx context.Context, o pgx.TxOptions) (tx pgx.Tx, err error) {
	err = again(ctx, p.long, func() error {
		tx, err = p.Pool.BeginTx(ctx, o)
		return err
	})
	return tx, err
}

// Acquire is that of the pool, begun again.
func (p *pool) Acquire(ctx context.Context) (c *pgxpool.Conn, err error) {
	err = again(ctx, p.long, func() error {
		c, err = p.Pool.Acquire(ctx)
		return err
	})
	return c, err
}
