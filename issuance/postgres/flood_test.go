package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// mostOfOne is how many small submissions of an account may wait, and how many leases it may have.
const mostOfOne = 1024

// crowd hands in so many more bodies in one statement.
const crowd = "INSERT INTO submission (id, body) SELECT sha256(b), b FROM (SELECT convert_to($1 || n, 'UTF8') AS b FROM generate_series(1, $2) AS n) x"

// flooded begins a transaction of an account in which it does something, and leaves it open.
func (q *queue) flooded(dsn, sql string, args ...any) pgx.Tx {
	q.t.Helper()
	c := q.connect(dsn)
	q.t.Cleanup(func() { c.Close(context.Background()) })
	tx, err := c.Begin(q.t.Context())
	if err == nil {
		_, err = tx.Exec(q.t.Context(), sql, args...)
	}
	if err != nil {
		q.t.Fatal(err)
	}
	return tx
}

// TestFlood: what an account can have waiting is bounded however many connections it has, and
// though none sees what the others have not committed.
func TestFlood(t *testing.T) {
	q := newQueue(t)
	_, dsn := q.role("tamthe_desk")
	one, other := q.flooded(dsn, crowd, "a", mostOfOne-24), q.connect(dsn)
	defer other.Close(context.Background())
	if _, err := other.Exec(t.Context(), "SET lock_timeout = '10ms'"); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		_, err := other.Exec(t.Context(), crowd, fmt.Sprint("b", n), 1)
		if err != nil && state(err) != stateLockTimeout && state(err) != stateUniqueViolation && state(err) != stateBound {
			t.Fatal(err)
		}
	}
	if err := one.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := q.waiting(); n > mostOfOne {
		t.Errorf("%d wait of one account", n)
	}
	for n := 0; ; n++ {
		if _, err := other.Exec(t.Context(), crowd, fmt.Sprint("c", n), 1); err != nil {
			if state(err) != stateBound {
				t.Error(err)
			}
			break
		}
	}
	if n := q.waiting(); n != mostOfOne {
		t.Errorf("%d wait of one account", n)
	}
	if _, err := other.Exec(t.Context(), "INSERT INTO submission (id, body) VALUES (sha256('c01'), 'c01') ON CONFLICT DO NOTHING"); err != nil {
		t.Errorf("what waits already is refused: %v", err)
	}
	q.sequence(Sequencing{})
	q.office.Must(t, q.office.Enrol("A-1", "ann", "")) // another account's
}

// TestLarge: of large bodies fewer may wait.
func TestLarge(t *testing.T) {
	q := newQueue(t)
	_, dsn := q.role("tamthe_desk")
	c := q.connect(dsn)
	defer c.Close(context.Background())
	const large = "INSERT INTO submission (id, body) SELECT sha256(b), b FROM (SELECT convert_to(repeat('x', $1) || $2, 'UTF8') AS b) x"
	for size, most := range map[int]int{1 << 20: 8, 1 << 16: 128} {
		for n := range most {
			if _, err := c.Exec(t.Context(), large, size, fmt.Sprint(n)); err != nil {
				t.Fatalf("%d of %d octets: %v", n, size, err)
			}
		}
		if _, err := c.Exec(t.Context(), large, size, "more"); state(err) != stateBound {
			t.Errorf("more than %d of %d octets: %v", most, size, err)
		}
	}
	if _, err := c.Exec(t.Context(), crowd, "small", 1); err != nil {
		t.Errorf("a small one beside them: %v", err)
	}
}

// TestPlaceTaken: who was after the same place as another connection of the account gets
// another one.
func TestPlaceTaken(t *testing.T) {
	q := newQueue(t)
	_, dsn := q.role("tamthe_desk")
	tx, c := q.flooded(dsn, crowd, "a", mostOfOne-1), q.connect(dsn)
	defer c.Close(context.Background())
	body := []byte("mine")
	h := &handIn{id: idOf(body), body: body, until: time.Now().Add(time.Minute)}
	handed := q.meanwhile(c, func() error {
		fresh, err := h.hand(context.Background(), c)
		if err == nil && !fresh {
			err = errors.New("it was not handed in")
		}
		return err
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := handed(); err != nil {
		t.Error(err)
	}
	if n := q.waiting(); n != mostOfOne {
		t.Errorf("%d wait", n)
	}
}

// meanwhile runs f until it waits for a lock on its connection, or is done. end waits for it.
func (q *queue) meanwhile(c *pgx.Conn, f func() error) (end func() error) {
	q.t.Helper()
	owner := q.connect(q.dsn)
	defer owner.Close(context.Background())
	done := make(chan error, 1)
	go func() { done <- f() }()
	for waits := false; !waits; sleep(q.t.Context(), firstPoll) {
		select {
		case err := <-done:
			return func() error { return err }
		default:
		}
		err := owner.QueryRow(q.t.Context(), "SELECT wait_event_type = 'Lock' IS TRUE FROM pg_stat_activity WHERE pid = $1", c.PgConn().PID()).Scan(&waits)
		if err != nil {
			q.t.Fatal(err)
		}
	}
	return func() error { return <-done }
}

// TestLeaseFlood: what an account can lease is bounded however many connections it has. What
// is over makes room, and others have theirs.
func TestLeaseFlood(t *testing.T) {
	q := newQueue(t)
	const take = "SELECT take_lease($1 || n, 'an', $3) FROM generate_series(1, $2) AS n"
	_, dsn := q.role("tamthe_desk")
	tx, other := q.flooded(dsn, take, "a", mostOfOne-1, time.Minute), q.connect(dsn)
	defer other.Close(context.Background())
	done := q.meanwhile(other, func() error {
		_, err := other.Exec(context.Background(), take, "b", 2, time.Minute)
		return err
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := done(); state(err) != stateBound {
		t.Errorf("more leases than %d: %v", mostOfOne, err)
	}
	if _, err := other.Exec(t.Context(), take, "c", 1, time.Minute); err != nil {
		t.Errorf("the last one: %v", err)
	}
	if _, err := other.Exec(t.Context(), take, "a", 1, time.Minute); err != nil {
		t.Errorf("one that it has already: %v", err)
	}
	if _, err := q.desk(time.Second).Lease(t.Context(), "of another account", "binh", time.Minute); err != nil {
		t.Errorf("another account's: %v", err)
	}
	q.exec("UPDATE lease SET until = until - interval '1 hour' WHERE subject LIKE 'a%'")
	if _, err := other.Exec(t.Context(), take, "d", mostOfOne/2, time.Minute); err != nil {
		t.Errorf("where others are over: %v", err)
	}
	var n int
	if err := other.QueryRow(t.Context(), "SELECT count(*) FROM lease WHERE holder = 'an'").Scan(&n); err != nil || n > mostOfOne {
		t.Errorf("%d leases of an account: %v", n, err)
	}
}

// TestLeaseOfBefore: a transaction that reads as of before the account's other leases does not
// count them, and takes none.
func TestLeaseOfBefore(t *testing.T) {
	q := newQueue(t)
	const take = "SELECT take_lease($1 || n, 'an', $3) FROM generate_series(1, $2) AS n"
	_, dsn := q.role("tamthe_desk")
	first, other := q.connect(dsn), q.connect(dsn)
	defer first.Close(context.Background())
	defer other.Close(context.Background())
	if _, err := first.Exec(t.Context(), take, "a", 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	tx, err := other.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer rollback(tx)
	if _, err := tx.Exec(t.Context(), "SELECT FROM log"); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Exec(t.Context(), take, "b", mostOfOne-1, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), take, "c", 1, time.Minute); state(err) != stateSerialization {
		t.Errorf("one more than %d: %v", mostOfOne, err)
	}
}

// TestLeaseLooked: whoever asks for another's lease, and does not end its transaction, is not
// in the way of its being renewed and given back.
func TestLeaseLooked(t *testing.T) {
	q := newQueue(t)
	_, honest := q.role("tamthe_desk")
	_, thief := q.role("tamthe_desk")
	l, err := Open(t.Context(), honest+" options='-c lock_timeout=2000'", Options{Busy: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mine, err := l.Lease(t.Context(), "application/A-1", "an", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	tx := q.flooded(thief, "SELECT take_lease(subject, 'thief', $1) FROM lease", time.Minute)
	defer rollback(tx)
	if mine, err = l.Renew(t.Context(), mine, time.Minute); err != nil {
		t.Error(err)
	}
	if err := l.Release(t.Context(), mine); err != nil {
		t.Error(err)
	}
}
