package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/issuance/postgres/submission"
)

// queue is a ledger whose desks hand in.
type queue struct {
	t   testing.TB
	dsn string // of the owner
	log *Ledger

	office *ledgertest.Office // at a desk of its own
}

// newQueue founds a ledger in a database of its own; nobody sequences yet.
func newQueue(t *testing.T) *queue { return foundQueue(t, pgtest.Database(t)) }

func foundQueue(t testing.TB, dsn string) *queue {
	t.Helper()
	q := &queue{t: t, dsn: dsn}
	key, _ := ledgertest.LogKey(t)
	var err error
	if q.log, err = Create(t.Context(), q.dsn, ledgertest.Origin, Options{Signer: key, Busy: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.log.Close() })
	ledgertest.NewOffice(t, q.log).Found(t)
	q.office = ledgertest.NewOffice(t, q.desk(10*time.Second))
	return q
}

// role makes an account that is in a group, for this test, and returns how it connects.
func (q *queue) role(group string) (name, dsn string) {
	q.t.Helper()
	var b [6]byte
	rand.Read(b[:])
	name = "r_" + hex.EncodeToString(b[:])
	q.exec(fmt.Sprintf("CREATE ROLE %s LOGIN IN ROLE %s", name, group))
	q.t.Cleanup(func() { q.exec("DROP ROLE " + name) })
	return name, strings.Replace(q.dsn, "user=postgres", "user="+name, 1)
}

// exec does something as the owner.
func (q *queue) exec(sql string, args ...any) {
	q.t.Helper()
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	if _, err := c.Exec(context.Background(), sql, args...); err != nil {
		q.t.Fatalf("%s: %v", sql, err)
	}
}

func (q *queue) connect(dsn string) *pgx.Conn {
	q.t.Helper()
	config, err := config(dsn)
	if err != nil {
		q.t.Fatal(err)
	}
	c, err := pgx.ConnectConfig(context.Background(), config.ConnConfig)
	if err != nil {
		q.t.Fatal(err)
	}
	return c
}

// desk opens the ledger as a desk of its own does, with an account that may only hand in.
func (q *queue) desk(busy time.Duration) *Ledger {
	q.t.Helper()
	_, dsn := q.role("tamthe_desk")
	l, err := Open(q.t.Context(), dsn, Options{Busy: busy})
	if err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(func() { l.Close() })
	return l
}

// sequence works on the queue until stop is called, or the test ends.
func (q *queue) sequence(o Sequencing) (stop func()) {
	q.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		if err := q.log.Sequence(ctx, o); err != nil {
			q.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); work.Wait() })
	q.t.Cleanup(stop)
	return stop
}

// waiting is how much is in the queue.
func (q *queue) waiting() (n int) {
	q.t.Helper()
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	if err := c.QueryRow(context.Background(), "SELECT count(*) FROM submission").Scan(&n); err != nil {
		q.t.Fatal(err)
	}
	return n
}

// build makes an enrolment.
func (q *queue) build(steps ...ledgertest.Step) (issuance.Head, []issuance.Entry) {
	q.t.Helper()
	at, entries, err := q.office.Build(q.t.Context(), true, steps...)
	if err != nil {
		q.t.Fatal(err)
	}
	return at, entries
}

// TestDesk: a desk that may only hand in goes on as if it appended itself, and what it did
// wrong is told as if it had.
func TestDesk(t *testing.T) {
	q := newQueue(t)
	q.sequence(Sequencing{})
	o := q.office
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	var transition *issuance.TransitionError
	at, entries := q.build(o.Approve("A-1"))
	if err := o.Ledger.Append(t.Context(), at, entries...); !errors.As(err, &transition) || transition.Act != issuance.Approve {
		t.Errorf("%v", err)
	}
	o.Must(t, o.Enrol("A-2", "bob", ""))
	var duplicate *issuance.DuplicateError
	at, entries = q.build(o.Enrol("A-3", "bob", ""))
	if err := o.Ledger.Append(t.Context(), at, entries...); !errors.As(err, &duplicate) || duplicate.Holder != issuance.Application("A-2") {
		t.Errorf("%v", err)
	}
	approve := o.Approve("A-2")
	approve.By = o.Registrar
	at, entries = q.build(approve)
	if err := o.Ledger.Append(t.Context(), at, entries...); !errors.Is(err, issuance.ErrRole) {
		t.Errorf("%v", err)
	}
	at, entries = q.build(o.Approve("A-2"))
	o.Must(t, o.Cancel("A-2", "bob"))
	if err := o.Ledger.Append(t.Context(), at, entries...); !errors.Is(err, issuance.ErrConflict) {
		t.Errorf("%v", err)
	}
	if n := q.waiting(); n > 0 {
		t.Errorf("%d are left in the queue", n)
	}
}

// TestNobodySequences: what cannot be appended now is in doubt, and the same again tells.
func TestNobodySequences(t *testing.T) {
	q := newQueue(t)
	hasty := q.desk(time.Second)
	enrol, refused := q.office.Enrol("A-1", "ann", ""), q.office.Approve("A-9")
	refused.Fields = map[string]string{}
	at, entries := q.build(enrol)
	if err := hasty.Append(t.Context(), at, entries...); !errors.Is(err, ledger.ErrUnattended) || !errors.Is(err, ledger.ErrAway) {
		t.Fatalf("%v", err)
	} else if strings.Contains(err.Error(), ledger.ErrAway.Error()) {
		t.Errorf("the ledger can be reached: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := q.office.Ledger.Append(ctx, at, entries...); !errors.Is(err, ledger.ErrAway) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	if n := q.waiting(); n != 1 {
		t.Errorf("%d submissions of one append", n)
	}
	if err := hasty.Present(t.Context()); !errors.Is(err, ledger.ErrUnattended) {
		t.Errorf("while nobody sequences: %v", err)
	}
	before := q.log
	stop := q.sequence(Sequencing{})
	patient := q.office.Ledger
	for range 2 {
		if err := patient.Append(t.Context(), at, entries...); err != nil {
			t.Errorf("%v", err)
		}
	}
	if err := errors.Join(hasty.Present(t.Context()), q.log.Present(t.Context())); err != nil {
		t.Error(err)
	}
	if e, err := before.Stream(t.Context(), enrol.Stream); err != nil || len(e) != 1 {
		t.Errorf("%d entries, %v", len(e), err)
	}
	stop()
	if err := hasty.Present(t.Context()); !errors.Is(err, ledger.ErrUnattended) {
		t.Errorf("after the sequencer has ended: %v", err)
	}
	if h, err := q.log.Health(t.Context()); err != nil || !h.Queue.Left || h.Queue.Worker == "" {
		t.Errorf("after the sequencer has ended: %+v, %v", h.Queue, err)
	}
	q.exec("DELETE FROM outcome") // as after a week
	q.sequence(Sequencing{})
	if err := patient.Append(t.Context(), at, entries...); err != nil {
		t.Errorf("after its outcome was forgotten: %v", err)
	}
}

// TestStale: what nobody waits for any more is not done behind the desk's back.
func TestStale(t *testing.T) {
	q := newQueue(t)
	at, entries := q.build(q.office.Enrol("A-1", "ann", ""))
	if err := q.desk(time.Second).Append(t.Context(), at, entries...); !errors.Is(err, ledger.ErrAway) {
		t.Fatalf("%v", err)
	}
	time.Sleep(1200 * time.Millisecond)
	dropped := make(chan int, 100)
	q.sequence(Sequencing{Round: func(r Round) {
		if r.Dropped > 0 {
			dropped <- r.Dropped
		}
	}})
	if n := <-dropped; n != 1 {
		t.Errorf("%d were dropped", n)
	}
	if e, err := q.log.Stream(t.Context(), issuance.Application("A-1")); err != nil || len(e) > 0 {
		t.Errorf("%d entries, %v", len(e), err)
	}
	if err := q.office.Ledger.Append(t.Context(), at, entries...); err != nil {
		t.Errorf("handed in again: %v", err)
	}
}

// TestPoison: what is no submission is refused, and the queue goes on.
func TestPoison(t *testing.T) {
	q := newQueue(t)
	_, dsn := q.role("tamthe_desk")
	c := q.connect(dsn)
	defer c.Close(context.Background())
	put := func(id, body []byte) error {
		_, err := c.Exec(t.Context(), "INSERT INTO submission (id, body) VALUES ($1, $2)", id, body)
		return err
	}
	at, entries := q.build(q.office.Enrol("A-0", "zoe", ""))
	whole, err := submission.Marshal(at, entries)
	if err != nil {
		t.Fatal(err)
	}
	poison := [][]byte{{0}, []byte("no submission"), whole[:len(whole)-1], append(whole, 0), make([]byte, 1<<20)}
	for _, body := range poison {
		id := submission.ID(body)
		if err := put(id[:], body); err != nil {
			t.Fatal(err)
		}
	}
	id := submission.ID(whole)
	for name, try := range map[string]func() error{
		"too large":          func() error { b := make([]byte, submission.Max+1); id := submission.ID(b); return put(id[:], b) },
		"nothing":            func() error { id := submission.ID(nil); return put(id[:], []byte{}) },
		"under another name": func() error { return put(id[:], []byte("another")) },
	} {
		if err := try(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	q.sequence(Sequencing{})
	q.office.Must(t, q.office.Enrol("A-1", "ann", ""))
	for _, body := range poison {
		h := &handIn{id: idOf(body)}
		if settled, err := h.look(t.Context(), c); !settled || !errors.Is(err, submission.ErrMalformed) {
			t.Errorf("%.20q: %v, %v", body, settled, err)
		}
	}
	if n := q.waiting(); n > 0 {
		t.Errorf("%d are left in the queue", n)
	}
}

func idOf(body []byte) []byte { id := submission.ID(body); return id[:] }

// TestToldIsFinal: what a desk was told to be refused is not done when the same is handed in
// again, though it would hold by then.
func TestToldIsFinal(t *testing.T) {
	q := newQueue(t)
	q.sequence(Sequencing{})
	o := q.office
	o.Must(t, o.Enrol("A-1", "ann", ""))
	at, entries := q.build(o.Enrol("A-2", "ann", ""))
	for _, same := range []func(){func() {}, func() { o.Must(t, o.Cancel("A-1", "ann")) }} {
		same()
		if _, ok := errors.AsType[*issuance.DuplicateError](o.Ledger.Append(t.Context(), at, entries...)); !ok {
			t.Error("it was not refused")
		}
	}
	body, err := submission.Marshal(at, entries)
	if err != nil {
		t.Fatal(err)
	}
	q.exec("INSERT INTO tamthe.submission (id, body) VALUES ($1, $2)", idOf(body), body) // past the desk's own look
	for q.waiting() > 0 {
		sleep(t.Context(), firstPoll)
	}
	if e, err := q.log.Stream(t.Context(), issuance.Application("A-2")); err != nil || len(e) > 0 {
		t.Errorf("%d entries, %v", len(e), err)
	}
}

// TestTurns: however much one desk hands in, another's is in the next group.
func TestTurns(t *testing.T) {
	q := newQueue(t)
	loud, loudDSN := q.role("tamthe_desk")
	quiet, quietDSN := q.role("tamthe_desk")
	fill := func(dsn string, n int) {
		c := q.connect(dsn)
		defer c.Close(context.Background())
		for i := range n {
			body := []byte(fmt.Sprintf("%s %d", dsn, i))
			if _, err := c.Exec(t.Context(), "INSERT INTO submission (id, body) VALUES ($1, $2)", idOf(body), body); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(loudDSN, 500)
	fill(quietDSN, 3)
	s := &sequencer{l: q.log, shares: map[string]int{}}
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	group, err := s.take(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var of []string
	for _, x := range group {
		of = append(of, x.desk)
	}
	if len(of) != maxShare+3 || strings.Join(of[:6], " ") != strings.Join([]string{loud, quiet, loud, quiet, loud, quiet}, " ") {
		t.Errorf("%d: %v", len(of), of[:6])
	}
	for _, x := range group {
		if x.desk == loud {
			x.settled, x.err = true, issuance.ErrSignature
			s.share(x)
		}
	}
	if group, err = s.take(t.Context(), c); err != nil || len(group) != 1+3 {
		t.Errorf("%d of a desk whose submissions are refused: %v", len(group)-3, err)
	}
	if err := fillUntilFull(t, q, loudDSN); err == nil || state(err) != stateBound {
		t.Errorf("%v", err)
	}
}

// fillUntilFull hands in until the desk's part of the queue is full.
func fillUntilFull(t *testing.T, q *queue, dsn string) error {
	c := q.connect(dsn)
	defer c.Close(context.Background())
	_, err := c.Exec(t.Context(), "INSERT INTO submission (id, body) SELECT sha256(b), b FROM (SELECT convert_to('more '||n, 'UTF8') AS b FROM generate_series(1, 2000) AS n) x")
	return err
}

type poison struct{}

func (poison) admit(context.Context, querier) error { panic("poison") }

// TestPanic: a submission over which the program fails fails alone.
func TestPanic(t *testing.T) {
	q := newQueue(t)
	s := &sequencer{l: q.log, o: Sequencing{Logger: slog.New(slog.DiscardHandler)}}
	if _, err := s.commit([]*waiting{{guard: poison{}}}); !errors.Is(err, errPanicked) {
		t.Errorf("%v", err)
	}
	office := ledgertest.NewOffice(t, q.log)
	office.Must(t, office.Enrol("A-1", "ann", ""))
}

// TestNotified: whoever may read can notify a sequencer as often as they like. It wakes once
// for all that came meanwhile, and keeps none of it.
func TestNotified(t *testing.T) {
	const many = 5000
	q := newQueue(t)
	_, dsn := q.role("tamthe_reader")
	thief := q.connect(dsn)
	defer thief.Close(context.Background())
	conf, err := config(q.dsn)
	if err != nil {
		t.Fatal(err)
	}
	came, wake := 0, conf.ConnConfig.OnNotification
	conf.ConnConfig.OnNotification = func(c *pgconn.PgConn, n *pgconn.Notification) {
		came++
		wake(c, n)
	}
	c, err := pgx.ConnectConfig(t.Context(), conf.ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), "LISTEN "+queueChannel); err != nil {
		t.Fatal(err)
	}
	if _, err := thief.Exec(t.Context(), "SELECT pg_notify($1, repeat('x', 4000) || n) FROM generate_series(1, $2::int) n", queueChannel, many); err != nil {
		t.Fatal(err)
	}
	woken := 0
	for ; came < many; woken++ {
		if err := listen(t.Context(), c, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Exec(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
	if woken > many/10 {
		t.Errorf("woken %d times by %d notifications", woken, many)
	}
	if kept := c.PgConn().CustomData()[awake]; kept != nil && kept != true {
		t.Errorf("kept of them: %v", kept)
	}
}
