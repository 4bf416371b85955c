package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/verify/eid/metrics"
)

type serveLedgerOptions struct{ metrics, log string }

func newServeLedger(p *program) *cobra.Command {
	var o serveLedgerOptions
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Append what desks without the log key hand in",
		Long: `Runs the sequencer of a ledger in PostgreSQL: it takes what desks hand in, by turns between
the desks, asks the rules of each act as if it came alone, appends what holds under the log key,
and tells each desk its outcome. It needs a home with keys/log (a file, or in a token), and in
TAMTHE_LEDGER an account of the role tamthe_sequencer. A desk needs neither: with an account of
tamthe_desk and no keys/log in its home, its verbs hand in and wait. What such an account can do
besides is to read.

Two of these services may run, on two machines: one works, the other takes over when it has
been silent for five seconds. Whoever was taken over can neither append nor tell an outcome.

Once it has opened the ledger it prints "ready" and the database; SIGINT or SIGTERM stops it,
and what it has begun it ends. --metrics shows /metrics, and at /healthz whether it works, stands
by, or cannot reach the database.
`,
		Example: "  tamthe serve ledger --metrics 127.0.0.1:9100",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runServeLedger(cmd.Context(), p, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.metrics, "metrics", "", "`ADDRESS` on this machine to show /metrics and /healthz at (else nowhere)")
	f.StringVar(&o.log, "log", "", "`FILE` to log to as JSON, beside standard error")
	return cmd
}

// sequenced is a store that has a queue.
type sequenced interface {
	Sequence(ctx context.Context, o postgres.Sequencing) error
	Waiting(ctx context.Context) (n int, oldest time.Duration, err error)
}

// errNoQueue says that nobody hands anything in to the ledger.
var errNoQueue = errors.New("the ledger lies in a file: whoever has the log key appends to it, and nobody hands in")

func runServeLedger(ctx context.Context, p *program, o serveLedgerOptions) error {
	if err := p.hide(); err != nil {
		return err
	}
	where := p.ledgerPlace()
	if err := where.mustBeThere(ctx); err != nil {
		return err
	}
	key, err := keystore.OpenLogIn(ctx, p.home.path(keysDir, logKeyName), laterRing{p})
	if err != nil {
		return err
	}
	options := p.readOnly()
	options.readOnly, options.signer = false, key
	l, err := where.open(ctx, options)
	if err != nil {
		return err
	}
	defer l.Close()
	q, ok := l.(sequenced)
	if !ok {
		return errNoQueue
	}
	log, done, err := p.logTo(o.log)
	if err != nil {
		return err
	}
	defer done()
	s := newStanding()
	if err := s.show(ctx, q); err != nil {
		return err
	}
	shown, err := listenMetrics(ctx, o.metrics)
	if err != nil {
		return err
	}
	if shown != nil {
		shown.health = s.health
		shown.serve(s.counts.Handler())
	}
	fmt.Fprintf(p.out, "ready %s\n", where)
	err = q.Sequence(ctx, postgres.Sequencing{Round: s.round, Logger: log})
	return errors.Join(err, shown.close(), ctx.Err())
}

// standing is how a sequencer stands, for whoever looks after it.
type standing struct {
	counts   *metrics.Metrics
	appended func(n int, labels ...string)
	refused  func(n int, labels ...string)
	dropped  func(n int, labels ...string)
	failed   func(n int, labels ...string)
	group    func(v float64)
	took     func(v float64)

	mu    sync.Mutex
	epoch int64
	err   error
}

func newStanding() *standing {
	m := metrics.New()
	return &standing{
		counts:   m,
		appended: m.Count("ledger_submissions_appended_total", "Submissions that were appended."),
		refused:  m.Count("ledger_submissions_refused_total", "Submissions that were refused, by why.", "why"),
		dropped:  m.Count("ledger_submissions_dropped_total", "Submissions that nobody waited for any more."),
		failed:   m.Count("ledger_rounds_failed_total", "Rounds that came to nothing: the database was away, or another sequencer took over."),
		group:    m.Spread("ledger_group_submissions", "Submissions of a round.", 1, 2, 4, 8, 16, 32, 64, 128, 256),
		took:     m.Spread("ledger_append_seconds", "How long a round took from reading its submissions to their standing in the log.", metrics.Fine()...),
	}
}

// show shows how long the queue is, and who works on it.
func (s *standing) show(ctx context.Context, q sequenced) error {
	waiting := func(of func(n int, oldest time.Duration) float64) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			n, oldest, err := q.Waiting(ctx)
			if err != nil {
				return math.NaN() // it is not known
			}
			return of(n, oldest)
		}
	}
	return errors.Join(
		s.counts.Gauge("ledger_queue_submissions", "Submissions that wait.", waiting(func(n int, _ time.Duration) float64 { return float64(n) })),
		s.counts.Gauge("ledger_queue_oldest_seconds", "How long the oldest of them has waited.", waiting(func(_ int, d time.Duration) float64 { return d.Seconds() })),
		s.counts.Gauge("ledger_queue_epoch", "Epoch of the queue while this service works on it, 0 while it stands by.", func() float64 {
			s.mu.Lock()
			defer s.mu.Unlock()
			return float64(s.epoch)
		}),
	)
}

// round takes note of a round.
func (s *standing) round(r postgres.Round) {
	s.mu.Lock()
	s.epoch, s.err = r.Epoch, r.Err
	s.mu.Unlock()
	if r.Err != nil {
		s.failed(1)
	}
	if r.Taken == 0 {
		return
	}
	s.appended(r.Appended)
	s.dropped(r.Dropped)
	for why, n := range r.Refused {
		s.refused(n, why)
	}
	s.group(float64(r.Taken))
	s.took(r.Append.Seconds())
}

// health says how it is: an answer of 503 is for whoever watches it. Why is in the log.
func (s *standing) health(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		http.Error(w, "away", http.StatusServiceUnavailable)
	case s.epoch == 0:
		fmt.Fprintln(w, "standing by")
	default:
		fmt.Fprintln(w, "working, epoch", s.epoch)
	}
}
