package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres/submission"
)

// How a desk waits for an outcome. A notification wakes it; the polls are what it relies on.
const (
	firstPoll = 4 * time.Millisecond
	lastPoll  = 500 * time.Millisecond
	handAgain = 5 * time.Second // what a sequencer dropped, or a failover lost, is handed in again
)

const queueChannel = "tamthe_queue" // somebody handed something in

// outcomeChannel is where a desk hears that something of it has an outcome.
func outcomeChannel(desk string) string {
	sum := sha256.Sum256([]byte(desk))
	return "tamthe_" + hex.EncodeToString(sum[:8])
}

// Present tells whether somebody would append now what this program appends or hands in: nil
// with the log key, and where a sequencer works on the queue; else ledger.ErrUnattended, or
// ErrAway where that cannot be asked.
func (l *Ledger) Present(ctx context.Context) error {
	if l.o.Signer != nil {
		return nil
	}
	var works bool
	err := l.readers.QueryRow(ctx, `SELECT beat BETWEEN clock_timestamp() - make_interval(secs => $1) AND clock_timestamp() + make_interval(secs => $1)
		FROM queue`, ledger.Unheard.Seconds()).Scan(&works)
	if err == nil && !works {
		err = ledger.ErrUnattended
	}
	if err != nil {
		return fmt.Errorf("see whether the ledger takes anything: %w", typed(err))
	}
	return nil
}

// handIn is a submission on its way to its outcome.
type handIn struct {
	id, body []byte
	until    time.Time
	handed   bool      // it may have arrived, so that something can come of it
	answered time.Time // when the server last said that there is no outcome yet
}

// submit has a sequencer append the entries, for a desk that holds no log key.
//
// A refusal is what it would be if the desk itself had appended. ledger.ErrAway means that no
// outcome came in time: if the entries were handed in, they may be in the log or, for as long
// as Options.Busy, come to be; to append them again is safe, and tells.
func (l *Ledger) submit(ctx context.Context, at issuance.Head, entries []issuance.Entry) error {
	body, err := submission.Marshal(at, entries)
	if err != nil {
		return err
	}
	id := submission.ID(body)
	h := &handIn{id: id[:], body: body, until: time.Now().Add(l.o.Busy)}
	wait, cancel := context.WithDeadline(ctx, h.until)
	defer cancel()
	for {
		settled, err := l.follow(wait, h)
		switch {
		case settled:
			return err
		case ctx.Err() != nil && !h.handed:
			return ctx.Err()
		case ctx.Err() != nil:
			return fmt.Errorf("%w: no outcome yet: %w", ledger.ErrAway, ctx.Err())
		case wait.Err() != nil:
			return errors.Join(fmt.Errorf("%w: no outcome within %s", h.unanswered(err), l.o.Busy), unlessTimeout(err))
		case !passing(err):
			return err
		}
		sleep(wait, lastPoll) // the server went away: another may take its place
	}
}

// unanswered is who is away: the sequencer, where the server took the submission and is still
// there.
func (h *handIn) unanswered(err error) error {
	if h.handed && unlessTimeout(err) == nil && time.Since(h.answered) < 4*lastPoll {
		return ledger.ErrUnattended
	}
	return ledger.ErrAway
}

func unlessTimeout(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// follow hands in and waits on one connection. settled says that err is the outcome; else
// the connection failed with err.
func (l *Ledger) follow(ctx context.Context, h *handIn) (settled bool, err error) {
	conn, err := l.desk.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	c := conn.Conn()
	_, _ = c.Exec(ctx, "LISTEN "+outcomeChannel(c.Config().User)) // an engine that has none is polled
	var handed time.Time
	for wait := firstPoll; ; wait = min(wait*3/2, lastPoll) {
		fresh := false // without an outcome, then
		if time.Since(handed) > handAgain {
			handed = time.Now()
			if fresh, err = h.hand(ctx, c); err != nil {
				return false, err
			}
		}
		if !fresh {
			if settled, err := h.look(ctx, c); settled || err != nil {
				return settled, err
			}
		}
		if err := listen(ctx, c, wait); err != nil {
			return false, err
		}
	}
}

// look asks for the outcome.
func (h *handIn) look(ctx context.Context, c *pgx.Conn) (settled bool, err error) {
	var refusal *string
	err = c.QueryRow(ctx, "SELECT refusal FROM outcome WHERE id = $1", h.id).Scan(&refusal)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		h.answered = time.Now()
		return false, nil
	case err != nil:
		return false, err
	case refusal != nil:
		return true, submission.ParseRefusal(*refusal)
	}
	err = confirm(ctx, c)
	return err == nil, err
}

// handOnce hands in, unless it has an outcome. The server leaves out what waits already.
const handOnce = `INSERT INTO submission (id, body, wait) SELECT $1, $2, $3
	WHERE NOT EXISTS (SELECT FROM outcome WHERE id = $1)`

// hand hands in, and tells whether it was not there. The notification is no part of that
// transaction: those who commit one wait for each other.
func (h *handIn) hand(ctx context.Context, c *pgx.Conn) (fresh bool, err error) {
	seconds := min(max(int(time.Until(h.until)/time.Second), 1), 3600)
	before := h.handed
	h.handed = true
	tag, err := c.Exec(ctx, handOnce, h.id, h.body, seconds)
	for state(err) == stateUniqueViolation { // by another that was handed in at once: it has the place
		tag, err = c.Exec(ctx, handOnce, h.id, h.body, seconds)
	}
	if state(err) == stateBound {
		if before { // it may have been taken: that it is not there now is no refusal
			return false, nil
		}
		h.handed = false
		return false, fmt.Errorf("%w: what this desk has handed in is not taken", ledger.ErrBusy)
	}
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	_, _ = c.Exec(ctx, "SELECT pg_notify($1, '')", queueChannel)
	return true, nil
}

// awake is where a connection keeps that it was notified.
const awake = "awake"

// woken notes that somebody notified, and nothing of what: whoever may connect may notify, as
// often and as much as they like, and none of it is kept.
func woken(c *pgconn.PgConn, _ *pgconn.Notification) { c.CustomData()[awake] = true }

// listen waits for a notification, so long at the most. However many came since, they are one.
func listen(ctx context.Context, c *pgx.Conn, d time.Duration) error {
	data := c.PgConn().CustomData()
	defer delete(data, awake)
	if data[awake] != nil {
		return ctx.Err()
	}
	short, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := c.PgConn().WaitForNotification(short)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return nil
	}
	return err
}

// stopListening keeps a connection that goes back to its pool from gathering what nobody
// reads.
func stopListening(c *pgx.Conn) (keep bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := c.Exec(ctx, "UNLISTEN *")
	return err == nil
}

// sleep waits so long, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// handing connects a desk that hands in.
func handing(ctx context.Context, c *pgxpool.Config, o Options) (*pgxpool.Pool, error) {
	c = c.Copy()
	c.MaxConns = int32(cmp.Or(o.Readers, readers))
	c.AfterRelease = stopListening
	return pgxpool.NewWithConfig(ctx, c)
}
