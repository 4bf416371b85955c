package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/witness"
	"github.com/tamthe/tamthe/verify/receipt"
)

// watcher looks at logs again and again, and tells what it finds.
type watcher struct {
	p     *program
	o     watchOptions
	m     *monitor.Monitor
	state monitor.State
	inbox *monitor.Inbox       // nil if readers cannot hand anything in
	told  map[string]time.Time // when an alarm was last told

	witness *witness.Witness
	keys    []note.Verifier

	mu      sync.Mutex // what others see and change of it
	refused map[refusedCheckpoint]*receipt.Checkpoint
	last    time.Time // when a look ended well
	seen    *monitor.Round
	open    []monitor.Alarm
}

// refusedCheckpoint names a checkpoint that a witness was asked for and that may contradict others.
type refusedCheckpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

// mostRefused bounds how many are kept until the next look. The log signed each.
const mostRefused = 1024

func newWatcher(p *program, o watchOptions, keys []note.Verifier, w *witness.Witness, state monitor.State) (*watcher, error) {
	x := &watcher{p: p, o: o, state: state, told: map[string]time.Time{}, witness: w, keys: keys, refused: map[refusedCheckpoint]*receipt.Checkpoint{}}
	w.Refused = x.refuse
	var sources []monitor.Source
	for _, text := range o.logs {
		s, err := p.logSource(text)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	if o.drop != "" {
		var err error
		if x.inbox, err = monitor.OpenInbox(o.drop); err != nil {
			return nil, err
		}
	}
	x.m = monitor.New(monitor.Options{
		State: state, Keys: keys, Sources: sources, Evidence: filepath.Join(o.dir, "evidence"), Now: p.now,
		Inbox: x.inbox, Also: o.also, SODs: o.sods, Lists: o.lists, Silence: o.silence, Lag: o.lag, Unclosed: o.unclosed,
		Cosign: func(c *receipt.Checkpoint, prove monitor.Prover) error {
			_, err := w.Continue(c, prove)
			if _, refused := err.(*witness.Refusal); refused { //nolint:errorlint // what it refused it told
				return nil
			}
			return err
		},
	})
	return x, nil
}

// logSource is where a log can be read.
func (p *program) logSource(text string) (monitor.Source, error) {
	if path, ok := strings.CutPrefix(text, "excerpt:"); ok {
		return monitor.Excerpt(path), nil
	}
	scheme, _, _ := strings.Cut(text, ":")
	if scheme == "http" || scheme == "https" || !strings.Contains(text, ":") || filepath.VolumeName(text) != "" {
		return monitor.Published(text, nil), nil
	}
	at, err := parsePlace(text)
	if err != nil {
		return nil, usagef("--log: %w, or is an address, a folder or excerpt:FILE", err) // without text: it may hold a password
	}
	if at.dsn != "" && postgres.HasPassword(at.dsn) {
		return nil, usageError{errPassword}
	}
	return monitor.Store(at.String(), readLog{at}), nil
}

// readLog opens a ledger each time that it is read: it may have been put back from a copy.
type readLog struct{ at place }

func (r readLog) with(ctx context.Context, f func(store) error) error {
	l, err := r.at.open(ctx, storeOptions{readOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	return f(l)
}

// Checkpoint implements [monitor.Log].
func (r readLog) Checkpoint(ctx context.Context) (c *ledger.Checkpoint, err error) {
	err = r.with(ctx, func(l store) error { c, err = l.Checkpoint(ctx); return err })
	return c, err
}

// Entries implements [monitor.Log].
func (r readLog) Entries(ctx context.Context, from int64, each func(int64, []byte, []byte) error) error {
	return r.with(ctx, func(l store) error { return l.Entries(ctx, from, each) })
}

// Nodes implements [monitor.Log].
func (r readLog) Nodes(ctx context.Context, places []ledger.Node) (list []tlog.Hash, err error) {
	err = r.with(ctx, func(l store) error { list, err = l.Nodes(ctx, places); return err })
	return list, err
}

// look looks once, and lists the alarms that stand. An error is of a part only: what else was
// found is there all the same.
func (x *watcher) look(ctx context.Context) (*monitor.Round, []monitor.Alarm, error) {
	failed := x.witnessed(ctx)
	r, err := x.m.Check(ctx)
	failed = errors.Join(failed, err)
	open, err := x.state.Alarms(ctx, false)
	if err != nil {
		return r, nil, errors.Join(failed, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen, x.open = r, open
	if failed == nil && len(r.Away) == 0 {
		x.last = x.p.now()
	}
	return r, open, failed
}

// witnessed tells the monitor what the witness has cosigned, perhaps for others, and refused.
func (x *watcher) witnessed(ctx context.Context) error {
	var failed []error
	for _, v := range x.keys {
		signed, err := x.witness.Newest(v.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = x.m.Witnessed(ctx, signed)
		}
		failed = append(failed, err)
	}
	x.mu.Lock()
	list := slices.Collect(maps.Values(x.refused))
	x.mu.Unlock()
	for _, c := range list {
		if err := x.m.Witnessed(ctx, c.Note); err != nil {
			failed = append(failed, err) // with the next look
			continue
		}
		x.mu.Lock()
		delete(x.refused, refusedCheckpoint{c.Origin, c.Size, c.Root})
		x.mu.Unlock()
	}
	return errors.Join(failed...)
}

// refuse keeps what the witness refused for the next look, each once however often it is asked.
func (x *watcher) refuse(c *receipt.Checkpoint) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.refused) < mostRefused {
		x.refused[refusedCheckpoint{c.Origin, c.Size, c.Root}] = c
	}
}

// once looks, and tells by the exit status what stands.
func (x *watcher) once(ctx context.Context) error {
	r, open, failed := x.look(ctx)
	switch {
	case len(open) > 0:
		for _, a := range open {
			if err := x.tell(ctx, a); err != nil {
				x.p.say("%s: %v", a.ID, err)
			}
		}
		if failed != nil {
			x.p.say("%s", oneLine(failed.Error()))
		}
		return verdictError(exitRefused)
	case failed != nil:
		return failed
	case len(r.Away) > 0:
		return fmt.Errorf("%w: %w", errLogAway, r.Away[0])
	}
	for _, k := range r.Logs {
		if err := x.p.logStands(k); err != nil {
			return err
		}
	}
	return nil
}

// run looks until ctx ends. What fails of a look is said, and made again.
func (x *watcher) run(ctx context.Context) error {
	tick := time.NewTicker(x.o.every)
	defer tick.Stop()
	for {
		r, open, err := x.look(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			x.p.say("%s", oneLine(err.Error()))
		}
		for _, away := range r.Away {
			x.p.say("%s", oneLine(away.Error()))
		}
		x.tellAll(ctx, open)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// tellAll tells alarms that were not told lately. One that could not be told is told with the
// next look.
func (x *watcher) tellAll(ctx context.Context, open []monitor.Alarm) {
	now := x.p.now()
	for _, a := range open {
		if last, ok := x.told[a.ID]; ok && now.Sub(last) < x.o.repeat {
			continue
		}
		if err := x.tell(ctx, a); err != nil {
			x.p.say("%s: %v", a.ID, err)
			continue
		}
		x.told[a.ID] = now
	}
}

// health says whether the last look was good and nothing stands.
func (x *watcher) health(w http.ResponseWriter, _ *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	late := x.p.now().Sub(x.last) > 3*x.o.every+time.Minute
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if late || len(x.open) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if late {
		fmt.Fprintln(w, "no complete look lately")
	}
	fmt.Fprintf(w, "%d alarms\n", len(x.open))
}

// metrics shows counts for Prometheus.
func (x *watcher) metrics(w http.ResponseWriter, _ *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprintf(w, "# HELP tamthe_watch_alarms Alarms that stand, by code.\n# TYPE tamthe_watch_alarms gauge\n")
	codes := map[monitor.Code]int{}
	for _, a := range x.open {
		codes[a.Code]++
	}
	for _, c := range monitor.Codes() {
		fmt.Fprintf(w, "tamthe_watch_alarms{code=%q} %d\n", string(c), codes[c])
	}
	fmt.Fprintf(w, "# HELP tamthe_watch_last_seconds When a look last reached everything.\n# TYPE tamthe_watch_last_seconds gauge\n")
	if !x.last.IsZero() {
		fmt.Fprintf(w, "tamthe_watch_last_seconds %d\n", x.last.Unix())
	}
	if x.inbox != nil {
		ours, strange, most := x.inbox.Waiting()
		fmt.Fprintf(w, "# HELP tamthe_watch_drop Security objects that were handed in and wait to be judged, by whose keys signed them.\n# TYPE tamthe_watch_drop gauge\n")
		fmt.Fprintf(w, "tamthe_watch_drop{by=\"ours\"} %d\ntamthe_watch_drop{by=\"strange\"} %d\n", ours, strange)
		fmt.Fprintf(w, "# HELP tamthe_watch_drop_most How many of the logs' own keys may wait.\n# TYPE tamthe_watch_drop_most gauge\ntamthe_watch_drop_most %d\n", most)
	}
	if x.seen == nil {
		return
	}
	fmt.Fprintf(w, "# HELP tamthe_watch_away Places that the last look did not reach.\n# TYPE tamthe_watch_away gauge\ntamthe_watch_away %d\n", len(x.seen.Away))
	fmt.Fprintf(w, "# HELP tamthe_watch_entries Entries of a log that were verified.\n# TYPE tamthe_watch_entries gauge\n")
	for _, k := range x.seen.Logs {
		fmt.Fprintf(w, "tamthe_watch_entries{log=%q} %d\n", k.Origin, k.Size)
	}
	fmt.Fprintf(w, "# HELP tamthe_watch_since_seconds When a log's newest checkpoint was first seen.\n# TYPE tamthe_watch_since_seconds gauge\n")
	for _, k := range x.seen.Logs {
		fmt.Fprintf(w, "tamthe_watch_since_seconds{log=%q} %d\n", k.Origin, k.Since.Unix())
	}
}
