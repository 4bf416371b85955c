// Package monitor follows ledgers from afar and says what is wrong with them.
//
// A [Monitor] reads what anybody may read of a log, its leaves and checkpoints, and needs
// no key of the office. It rebuilds the tree, so that each newer checkpoint is proven to
// continue all before it, reads older entries again, compares what it knows with what others
// were shown, and holds what was signed against what was logged. What it finds is an
// [Alarm], which stands until somebody acknowledges it, with evidence that convinces others.
//
// Sources are not trusted: what they give is bounded, and what cannot be of an honest log is
// an alarm too.
package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/receipt"
)

// Options of a Monitor.
type Options struct {
	State    State
	Keys     []note.Verifier // of the logs, each named as its log's origin
	Sources  []Source        // where the logs are; several may have the same
	Evidence string          // folder that gets a folder of evidence an alarm; empty: none is kept
	Now      func() time.Time

	// Also are files, folders and addresses with what others were shown of the logs:
	// checkpoints, receipts, continuations. SODs are such with security objects of cards:
	// files EF.SOD as they are, and bundles of evidence. Lists are such with what the
	// authority publishes: certificates and lists.
	Also, SODs, Lists []string
	Inbox             *Inbox       // what strangers hand in; nil if they cannot
	Client            *http.Client // for addresses; nil is one that waits a minute at most

	Silence  time.Duration // how long no new checkpoint is borne; 0 is for ever
	Lag      time.Duration // how long what was seen or signed may not be published; 0 is a day
	Unclosed time.Duration // how long a place may go without closing a day; 0 is for ever
	Reread   int64         // how many older entries are read again each time; 0 is a million

	// Cosign is given each checkpoint that was found to continue all before it, with what
	// proves consistency between any two sizes up to its own. nil cosigns nothing.
	Cosign func(c *receipt.Checkpoint, prove Prover) error
}

// Prover proves that the log of one size continues that of another.
type Prover func(older, newer int64) ([]tlog.Hash, error)

const (
	defaultLag    = 24 * time.Hour
	defaultReread = 1 << 20

	defaultPatience = 5 * time.Minute
	mostPatience    = 7 * 24 * time.Hour
)

// Monitor follows logs. One goroutine may use it at a time, but for [Monitor.Hand].
type Monitor struct {
	o     Options
	drops drops
	logs  map[string][]note.Verifier
	forks map[string]*LieError // by log and root: found already
	begun bool                 // with what the end before may have cut off
	ours  atomic.Pointer[authorities]

	patience time.Duration // with a source that has little to give
}

// New makes a monitor.
func New(o Options) *Monitor {
	if o.Lag <= 0 {
		o.Lag = defaultLag
	}
	if o.Reread <= 0 {
		o.Reread = defaultReread
	}
	m := &Monitor{o: o, logs: map[string][]note.Verifier{}, forks: map[string]*LieError{}, drops: drops{client: o.Client}, patience: defaultPatience}
	for _, v := range o.Keys {
		m.logs[v.Name()] = append(m.logs[v.Name()], v)
	}
	return m
}

// Round is what one look at everything gave.
type Round struct {
	Raised []Alarm // that were not known before
	Logs   []Known // as they stand
	// Away are the sources that could not be reached, and what could not be read of what
	// others were shown. Nothing follows from it but that nothing is known.
	Away []error

	honest map[string]bool // places that were reached, if none of what they gave is a lie
	failed []error         // the monitor's own trouble
}

// fails notes trouble of the monitor's own, nil for none: the round goes on without what it hit.
func (r *Round) fails(err error) {
	if err != nil {
		r.failed = append(r.failed, err)
	}
}

// Check looks at everything once. Its errors are the monitor's own trouble, all of it: whatever
// that did not hit was looked at, and what was found before is kept.
func (m *Monitor) Check(ctx context.Context) (*Round, error) {
	r := &Round{}
	if !m.begun {
		err := m.refiled()
		m.begun = err == nil
		r.fails(err)
	}
	m.gather(ctx, r)
	given := look{fresh: map[string]bool{}, given: map[reading]bool{}, followed: map[string]bool{}}
	for _, s := range m.o.Sources {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		m.visit(ctx, s, r, given)
	}
	m.settle(ctx, r)
	for _, step := range []func(context.Context, *Round, look) error{m.reformed, m.judge} {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		r.fails(step(ctx, r, given))
	}
	return r, errors.Join(r.failed...)
}

// visit follows a source, and says how that went.
func (m *Monitor) visit(ctx context.Context, s Source, r *Round, look look) {
	look.followed[s.Name()] = true
	origin, err := m.follow(ctx, s, r)
	switch {
	case errors.Is(err, ErrPart):
		r.Away = append(r.Away, fmt.Errorf("%s: %w", s.Name(), err))
		return
	case errors.Is(err, ErrAway):
		r.Away = append(r.Away, fmt.Errorf("%s: %w", s.Name(), err))
	case err != nil: // it is not the source that gave nothing
		r.fails(fmt.Errorf("%s: %w", s.Name(), err))
		return
	}
	if origin == "" {
		return
	}
	look.given[reading{origin, s.Name()}] = err == nil
	if l, is := s.(live); is && l.Live() && err == nil {
		look.fresh[origin] = true
	}
}

// within bounds how long a source may take to give so many entries: a second for each bundle of
// them, besides what it may always take. One that takes longer is away, or it would hold up the
// others, and the memory, for days.
func (m *Monitor) within(ctx context.Context, entries int64, f func(context.Context) error) error {
	bundles := min(entries/tileWidth, int64(mostPatience/time.Second))
	short, cancel := context.WithTimeout(ctx, m.patience+time.Duration(bundles)*time.Second)
	defer cancel()
	err := f(short)
	if _, lied := errors.AsType[*LieError](err); err == nil || lied || short.Err() == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: it takes too long: %w", ErrAway, err)
}

// look is what the sources gave in a round.
type look struct {
	fresh map[string]bool  // logs of which a live source was read
	given map[reading]bool // where a checkpoint of the log was shown: whether its entries were, too

	followed map[string]bool // the sources
}

// reading is a log at a source.
type reading struct{ origin, source string }

// follow reads what is new at a source. origin is the log of which that showed a checkpoint,
// unless it lied.
func (m *Monitor) follow(ctx context.Context, s Source, r *Round) (origin string, err error) {
	var signed []byte
	err = m.within(ctx, 0, func(ctx context.Context) (err error) { signed, err = s.Checkpoint(ctx); return err })
	if err == nil {
		var c *receipt.Checkpoint
		if c, err = m.open(signed); err == nil {
			origin, err = c.Origin, m.take(ctx, s, c, r)
		}
	}
	found, is := errors.AsType[*LieError](err)
	switch {
	case !is:
		if err == nil {
			r.shows(s.Name(), false)
		}
		return origin, err
	case found.Code == Fork: // the log signed it
		return "", m.raise(ctx, r, newAlarm(Fork, origin, found.Index, forkOf(found), "%s: %s", s.Name(), found.Why).with(append(found.Files, File{"checkpoint", signed})...))
	}
	return "", m.lied(ctx, r, s.Name(), originOf(origin, signed), found, File{"checkpoint", signed})
}

// forkOf tells forks apart by what the log signed.
func forkOf(found *LieError) string {
	subject := fmt.Sprint(found.Index)
	for _, f := range found.Files {
		h := sha256.Sum256(f.Octets)
		subject += " " + hex.EncodeToString(h[:4])
	}
	return subject
}

// originOf is the name of the log that a checkpoint says it is of.
func originOf(origin string, signed []byte) string {
	if origin != "" {
		return origin
	}
	if c, err := receipt.ParseCheckpoint(signed); err == nil {
		return c.Origin
	}
	return ""
}

// open verifies a checkpoint under the keys of the logs that are followed.
func (m *Monitor) open(signed []byte) (*receipt.Checkpoint, error) {
	c, err := receipt.ParseCheckpoint(signed)
	if err != nil {
		return nil, lie(BadCheckpoint, -1, "%v", err).with(File{"checkpoint", signed})
	}
	keys := m.logs[c.Origin]
	if len(keys) == 0 {
		return nil, lie(OtherKey, -1, "it is of the log %.128q, which is not followed", c.Origin).with(File{"checkpoint", signed})
	}
	c, _, err = receipt.Policy{Logs: keys}.Open(signed)
	if err != nil {
		return nil, lie(OtherKey, -1, "%v", err).with(File{"checkpoint", signed})
	}
	return c, nil
}

// raise keeps alarms with their evidence, the evidence first.
func (m *Monitor) raise(ctx context.Context, r *Round, alarms ...Alarm) error {
	if len(alarms) == 0 {
		return nil
	}
	var raised []Alarm
	err := m.o.State.Change(ctx, func(tx Tx) (err error) {
		raised, err = m.keep(tx, alarms)
		return err
	})
	if err == nil {
		r.Raised = append(r.Raised, raised...)
	}
	return err
}

func (m *Monitor) keep(tx Tx, alarms []Alarm) (raised []Alarm, err error) {
	for _, a := range alarms {
		a.Raised = m.o.Now().UTC().Truncate(time.Second)
		if err := m.file(a); err != nil {
			return nil, err
		}
		fresh, err := tx.Raise(a)
		if err != nil {
			return nil, err
		}
		if fresh {
			raised = append(raised, a)
		}
	}
	return raised, nil
}
