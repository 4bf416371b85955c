package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/monitor"
)

// watchTx is one change of a monitor's memory.
type watchTx struct {
	ctx      context.Context
	tx       *sql.Tx
	logs     map[string]int64
	prepared map[string]*sql.Stmt // as long as the transaction
}

func (t *watchTx) stmt(query string) (*sql.Stmt, error) {
	if s := t.prepared[query]; s != nil {
		return s, nil
	}
	s, err := t.tx.PrepareContext(t.ctx, query)
	if err == nil {
		t.prepared[query] = s
	}
	return s, err
}

func (t *watchTx) exec(query string, args ...any) (changed int64, err error) {
	s, err := t.stmt(query)
	if err == nil {
		var res sql.Result
		if res, err = s.ExecContext(t.ctx, args...); err == nil {
			changed, err = res.RowsAffected()
		}
	}
	if err != nil {
		return 0, fmt.Errorf("the monitor's memory: %w", typed(err))
	}
	return changed, nil
}

// one reads a row; ok is false if there is none.
func (t *watchTx) one(query string, args []any, to ...any) (ok bool, err error) {
	s, err := t.stmt(query)
	if err == nil {
		err = s.QueryRowContext(t.ctx, args...).Scan(to...)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the monitor's memory: %w", typed(err))
	}
	return true, nil
}

// many reads rows.
func (t *watchTx) many(query string, args []any, each func(scan func(...any) error) error) error {
	rows, err := t.tx.QueryContext(t.ctx, query, args...)
	if err != nil {
		return fmt.Errorf("the monitor's memory: %w", typed(err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return typed(rows.Err())
}

// log is the number of a log, which is one that was set.
func (t *watchTx) log(origin string) (int64, error) {
	if n, ok := t.logs[origin]; ok {
		return n, nil
	}
	var n int64
	ok, err := t.one("SELECT number FROM log WHERE origin = ?", []any{origin}, &n)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, fmt.Errorf("%w: the log %q is not followed", monitor.ErrState, origin)
	}
	t.logs[origin] = n
	return n, nil
}

// Log implements [monitor.Tx].
func (t *watchTx) Log(origin string) (monitor.Known, error) {
	k := monitor.Known{Origin: origin}
	var since int64
	ok, err := t.one("SELECT size, checkpoint, since, facts FROM log WHERE origin = ?", []any{origin}, &k.Size, &k.Note, &since, &k.Facts)
	if ok {
		k.Since = time.UnixMicro(since).UTC()
	}
	return k, err
}

// SetLog implements [monitor.Tx]. Up to where entries were read again is of each source, and
// no longer in its column.
func (t *watchTx) SetLog(k monitor.Known) error {
	_, err := t.exec(`INSERT INTO log (origin, size, checkpoint, since, reread, facts) VALUES (?1, ?2, ?3, ?4, 0, ?5)
		ON CONFLICT (origin) DO UPDATE SET size = ?2, checkpoint = ?3, since = ?4, facts = ?5`,
		k.Origin, k.Size, k.Note, k.Since.UnixMicro(), k.Facts)
	return err
}

// Append implements [monitor.Tx].
func (t *watchTx) Append(origin string, index int64, completed []tlog.Hash) error {
	log, err := t.log(origin)
	if err != nil {
		return err
	}
	b := make([]byte, 0, len(completed)*tlog.HashSize)
	for _, h := range completed {
		b = append(b, h[:]...)
	}
	_, err = t.exec("INSERT INTO leaf VALUES (?, ?, ?)", log, index, b)
	return err
}

// Nodes implements [monitor.Tx].
func (t *watchTx) Nodes(origin string, places []ledger.Node) ([]tlog.Hash, error) {
	if len(places) == 0 {
		return nil, nil
	}
	log, err := t.log(origin)
	if err != nil {
		return nil, err
	}
	list := make([]tlog.Hash, len(places))
	for i, n := range places {
		var b []byte
		ok, err := t.one("SELECT substr(nodes, ?, ?) FROM leaf WHERE log = ? AND idx = ?",
			[]any{n.Level*tlog.HashSize + 1, tlog.HashSize, log, n.Completed()}, &b)
		if err != nil {
			return nil, err
		}
		if !ok || len(b) != tlog.HashSize {
			return nil, fmt.Errorf("%w: %s has no node %d at level %d", monitor.ErrState, origin, n.Index, n.Level)
		}
		list[i] = tlog.Hash(b)
	}
	return list, nil
}

// AddCard implements [monitor.Tx].
func (t *watchTx) AddCard(c monitor.Card) error {
	log, err := t.log(c.Origin)
	if err == nil {
		_, err = t.exec("INSERT INTO card VALUES (?, ?, ?, ?)", c.ID[:], log, c.Index, c.Signer)
	}
	return err
}

// Card implements [monitor.Tx]. Of a card that was prepared again the newest counts.
func (t *watchTx) Card(id [32]byte) (monitor.Card, bool, error) {
	c := monitor.Card{ID: id}
	ok, err := t.one("SELECT origin, idx, signer FROM card JOIN log ON log = number WHERE id = ? ORDER BY idx DESC LIMIT 1", []any{id[:]}, &c.Origin, &c.Index, &c.Signer)
	return c, ok, err
}

// UseBlank implements [monitor.Tx].
func (t *watchTx) UseBlank(origin, batch string, number uint64) (used bool, err error) {
	log, err := t.log(origin)
	if err != nil {
		return false, err
	}
	n, err := t.exec("INSERT OR IGNORE INTO blank VALUES (?, ?, ?)", log, batch, int64(number))
	return n == 0, err
}

// Used implements [monitor.Tx].
func (t *watchTx) Used(origin, batch string, first, last uint64) (uint64, error) {
	log, err := t.log(origin)
	if err != nil {
		return 0, err
	}
	var n int64
	_, err = t.one("SELECT count(*) FROM blank WHERE log = ? AND batch = ? AND number BETWEEN ? AND ?", []any{log, batch, int64(first), int64(last)}, &n)
	return uint64(n), err
}

// AddStock implements [monitor.Tx].
func (t *watchTx) AddStock(origin string, index int64, leaf []byte) error {
	log, err := t.log(origin)
	if err == nil {
		_, err = t.exec("INSERT INTO stock VALUES (?, ?, ?)", log, index, leaf)
	}
	return err
}

// Stock implements [monitor.Tx].
func (t *watchTx) Stock(origin string, each func(leaf []byte) error) error {
	return t.many("SELECT leaf FROM stock JOIN log ON log = number WHERE origin = ? ORDER BY idx", []any{origin}, func(scan func(...any) error) error {
		var leaf []byte
		if err := scan(&leaf); err != nil {
			return typed(err)
		}
		return each(leaf)
	})
}
