package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	patience = 30 * time.Second // for another program's append, and for a server that is away
	dialling = 5 * time.Second  // one try to connect
	quick    = 2 * time.Second  // the same, where little patience is asked for
	goodbye  = 2 * time.Second  // to end what is not needed any more
	idle     = 10 * time.Second // a transaction of a program that stands still; the server ends it
)

// schema is where everything lies.
const schema = "tamthe"

// config reads a DSN, in words or as an address. Its text is in no error: it may hold a
// password.
func config(dsn string) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN
	}
	// What the address says of these is not asked: the ledger's promises rest on them.
	p := c.ConnConfig.RuntimeParams
	p["search_path"] = schema
	p["application_name"] = cmp.Or(p["application_name"], "tamthe")
	p["timezone"] = "UTC"
	// What joins here, audits apart, joins a few keys to a table by its key. What a planner knows of
	// a young table says otherwise: that it is small, and best read whole.
	p["enable_hashjoin"], p["enable_mergejoin"], p["jit"] = "off", "off", "off"
	p["idle_in_transaction_session_timeout"] = strconv.FormatInt(idle.Milliseconds(), 10)
	if c.ConnConfig.ConnectTimeout == 0 || c.ConnConfig.ConnectTimeout > dialling {
		c.ConnConfig.ConnectTimeout = dialling
	}
	// A cable that was cut says nothing, and neither does a machine that lost its power.
	c.ConnConfig.DialFunc = (&net.Dialer{Control: unanswered, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: dialling, Interval: dialling / 2, Count: 3,
	}}).DialContext
	c.ConnConfig.OnNotice = warned
	c.ConnConfig.OnNotification = woken
	return c, nil
}

var errDSN = errors.New("the address of the database cannot be read: host=… dbname=… or postgres://…")

// name says which database it is, without user or password.
func name(c *pgxpool.Config) string { return c.ConnConfig.Host + "/" + c.ConnConfig.Database }

// writer is the one connection that appends, made anew where it was lost. Whoever has the
// turn has it.
type writer struct {
	config *pgx.ConnConfig
	busy   time.Duration
	conn   *pgx.Conn // nil if there is none
	cache  cache
	acked  int64 // how many entries the log had after the last append that was acknowledged
}

// connection returns the connection, made anew if it was lost.
func (w *writer) connection(ctx context.Context) (*pgx.Conn, error) {
	if w.conn != nil && !w.conn.IsClosed() {
		return w.conn, nil
	}
	w.cache.drop()
	conn, err := pgx.ConnectConfig(ctx, w.config.Copy())
	if err != nil {
		return nil, err
	}
	if err := settle(ctx, conn, w.busy); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	w.conn = conn
	return conn, nil
}

// settle makes sure that a commit waits for the disk, and for the synchronous standby where
// there is one, and that no lock is waited for longer than busy.
func settle(ctx context.Context, conn *pgx.Conn, busy time.Duration) error {
	var commits string
	if err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit')").Scan(&commits); err != nil {
		return err
	}
	if commits != "on" && commits != "remote_apply" {
		if _, err := conn.Exec(ctx, "SET synchronous_commit = on"); err != nil {
			return err
		}
	}
	// No statement of an append is planned better for the values that it gets, and none reads a
	// table whole.
	_, err := conn.Exec(ctx, fmt.Sprintf("SET lock_timeout = %d; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off", busy.Milliseconds()))
	return err
}

// hang up ends a connection of which it is not known how it stands.
func (w *writer) hangUp() {
	w.cache.drop()
	if w.conn == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), goodbye)
	defer stop()
	_ = w.conn.Close(ctx)
	w.conn = nil
}

func (w *writer) close() error {
	w.hangUp()
	return nil
}
