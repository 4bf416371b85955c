package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Sequencing says how a sequencer works. The zero value will do.
type Sequencing struct {
	Lease time.Duration // how long one that is silent keeps the queue; zero: 5 s
	Keep  time.Duration // how long outcomes are kept, refusals for an hour at the most; zero: a week
	Poll  time.Duration // how long the queue is left alone if nobody wakes it; zero: 200 ms

	Round  func(Round)  // told of every round in which something happened; nil: nobody
	Logger *slog.Logger // nil: silent
}

// Round is what a sequencer did at a time.
type Round struct {
	Epoch    int64 // of the queue; 0 while another works on it
	Taken    int   // submissions
	Appended int
	Refused  map[string]int // by kind, as submission.KindOf has it
	Dropped  int            // nobody waited for them any more
	Append   time.Duration  // from taking them to their being in the log
	Err      error          // why the round came to nothing
}

// Sequence takes what desks hand in, in turns between the desks and for each desk in the order
// of its coming, appends what holds, and tells each desk its outcome, until ctx ends; what it
// has begun it ends. The error is nil then. ErrReadOnly without the log key.
//
// Of several that run at once one works; another takes over when it has been silent for
// Sequencing.Lease. Whoever was taken over can neither append what it took nor tell an
// outcome, whenever it goes on.
func (l *Ledger) Sequence(ctx context.Context, o Sequencing) error {
	if l.o.Signer == nil || l.o.ReadOnly {
		return fmt.Errorf("sequence: %w: it was opened without the log key", ledger.ErrReadOnly)
	}
	o.Lease, o.Keep, o.Poll = cmp.Or(o.Lease, 5*time.Second), cmp.Or(o.Keep, 7*24*time.Hour), cmp.Or(o.Poll, 200*time.Millisecond)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &sequencer{l: l, o: o, strikes: map[[32]byte]int{}, shares: map[string]int{}}
	for wait := o.Poll; ctx.Err() == nil; wait = min(2*wait, o.Lease) {
		worked, err := s.stand(ctx)
		if ctx.Err() != nil {
			break
		}
		s.epoch = 0
		o.Logger.Warn("the queue is left", "why", err)
		s.tell(Round{Err: err})
		if worked {
			wait = o.Poll
		}
		sleep(ctx, wait)
	}
	return nil
}

// sequencer works on the queue, or waits until it may.
type sequencer struct {
	l *Ledger
	o Sequencing

	epoch   int64            // of the queue, while it is this one's
	beaten  time.Time        // when it last said so
	swept   time.Time        // when no old outcomes were left
	strikes map[[32]byte]int // how often a submission failed for no reason that its desk could be told
	shares  map[string]int   // of a group, by desk: less for those whose submissions are refused
}

func (s *sequencer) tell(r Round) {
	r.Epoch = s.epoch
	if s.o.Round != nil {
		s.o.Round(r)
	}
}

// stand works on one connection until that fails or another takes over.
func (s *sequencer) stand(ctx context.Context) (worked bool, err error) {
	c, err := pgx.ConnectConfig(ctx, s.l.writer.config.Copy())
	if err != nil {
		return false, err
	}
	defer hangUp(c)
	_, _ = c.Exec(ctx, "LISTEN "+queueChannel)
	if err := s.stage(ctx, c); err != nil {
		return false, err
	}
	defer s.leave(ctx, c)
	for ctx.Err() == nil {
		n, err := s.round(ctx, c)
		if err != nil {
			return worked, err
		}
		worked = true
		if n == 0 {
			if err := listen(ctx, c, s.o.Poll); err != nil {
				return worked, err
			}
		}
	}
	return worked, ctx.Err()
}

// stage waits until the queue is nobody else's, and takes it.
func (s *sequencer) stage(ctx context.Context, c *pgx.Conn) error {
	s.epoch = 0
	s.tell(Round{})
	for {
		err := c.QueryRow(ctx, `UPDATE queue SET holder = $1, epoch = epoch + 1, beat = clock_timestamp()
			WHERE holder = $1 OR beat NOT BETWEEN clock_timestamp() - make_interval(secs => $2) AND clock_timestamp() + make_interval(secs => $2)
			RETURNING epoch`, s.l.writer.cache.holder, s.o.Lease.Seconds()).Scan(&s.epoch)
		if err == nil {
			s.beaten = time.Now()
			s.o.Logger.Info("the queue is taken over", "epoch", s.epoch)
			s.tell(Round{})
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := listen(ctx, c, s.o.Lease/4); err != nil {
			return err
		}
	}
}

// leave gives the queue up where the sequencer is to end, so that another need not wait, nor a
// desk hope.
func (s *sequencer) leave(ctx context.Context, c *pgx.Conn) {
	if ctx.Err() == nil {
		return
	}
	if c.IsClosed() { // it was waiting for something when it was told to end
		c = nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer stop()
	if c == nil {
		var err error
		if c, err = pgx.ConnectConfig(ctx, s.l.writer.config.Copy()); err != nil {
			return
		}
		defer hangUp(c)
	}
	_, _ = c.Exec(ctx, "UPDATE queue SET beat = '-infinity' WHERE epoch = $1", s.epoch)
}

// beat says that this one works on the queue: ErrFenced if it does not any more. It locks the
// queue for the transaction, if c is in one.
func (s *sequencer) beat(ctx context.Context, c interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) error {
	var epoch int64
	err := c.QueryRow(ctx, "UPDATE queue SET beat = clock_timestamp() WHERE epoch = $1 RETURNING epoch", s.epoch).Scan(&epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("the queue: %w", ledger.ErrFenced)
	}
	if err == nil {
		s.beaten = time.Now()
	}
	return err
}

// admit implements guard: it refuses in an append's transaction, where the log is locked, what
// another sequencer may have refused already.
func (s *sequencer) admit(ctx context.Context, q querier) error {
	var epoch int64
	if err := q.QueryRow(ctx, "SELECT epoch FROM queue").Scan(&epoch); err != nil {
		return err
	}
	if epoch != s.epoch {
		return fmt.Errorf("the queue: %w", ledger.ErrFenced)
	}
	return nil
}

// round does what waits, as far as it goes into one group, and returns how much that was.
func (s *sequencer) round(ctx context.Context, c *pgx.Conn) (int, error) {
	begun := time.Now()
	taken, err := s.take(ctx, c)
	if err != nil {
		return 0, err
	}
	if len(taken) == 0 {
		return 0, s.idle(ctx, c)
	}
	rest := context.WithoutCancel(ctx) // what was begun is brought to its end: else its desk would wait for nothing
	r := Round{Taken: len(taken), Refused: map[string]int{}}
	failed := s.judge(rest, taken)
	r.Append = time.Since(begun)
	for _, t := range taken {
		t.count(&r)
		s.share(t)
	}
	if err := s.settle(rest, c, taken); err != nil {
		return len(taken), err
	}
	s.tell(r)
	if failed == nil {
		failed = s.sweep(ctx, c)
	}
	return r.Appended + r.Dropped + r.refusals(), failed
}

func (r *Round) refusals() (n int) {
	for _, of := range r.Refused {
		n += of
	}
	return n
}

// idle beats, and sweeps.
func (s *sequencer) idle(ctx context.Context, c *pgx.Conn) error {
	if time.Since(s.beaten) > s.o.Lease/4 {
		if err := s.beat(ctx, c); err != nil {
			return err
		}
	}
	return s.sweep(ctx, c)
}

// hangUp ends a connection that is not needed any more.
func hangUp(c *pgx.Conn) {
	ctx, stop := context.WithTimeout(context.Background(), goodbye)
	defer stop()
	_ = c.Close(ctx)
}
