package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/verify/receipt"
)

// failing is a source that cannot give some leaves just now.
type failing struct {
	monitor.Source
	fails func(from int64) bool
	away  bool
}

func (s *failing) Checkpoint(ctx context.Context) ([]byte, error) {
	if s.away {
		return nil, monitor.ErrAway
	}
	return s.Source.Checkpoint(ctx)
}

func (s *failing) Leaves(ctx context.Context, size, from, to int64, each func(int64, []byte) error) error {
	if s.fails != nil && s.fails(from) {
		return fmt.Errorf("%w: status 500", monitor.ErrAway)
	}
	return s.Source.Leaves(ctx, size, from, to, each)
}

// TestWithholding: a server that signs checkpoints and does not give entries, be they new or
// such as it gave before, is told after a day; that it is away altogether meanwhile, and that
// the monitor is begun anew, makes no difference.
func TestWithholding(t *testing.T) {
	for name, fails := range map[string]func(from int64) bool{
		"all": func(int64) bool { return true }, "those before": func(from int64) bool { return from == 0 },
		"new ones": func(from int64) bool { return from > 0 },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := &failing{Source: monitor.Published(r.path("www"), nil)}
			r.o.Sources = []monitor.Source{s}
			r.start()
			r.export(t)
			r.quiet(t)
			s.fails = fails
			for n := range 4 {
				r.office.Must(t, r.office.Enrol(fmt.Sprint("A-", n), fmt.Sprint("p", n), ""))
				r.export(t)
				s.away = n == 1
				r.quiet(t)
				r.start()
				r.now = r.office.Pass(8 * time.Hour)
			}
			list := r.alarms(t, monitor.Withheld)
			if len(list) != 1 {
				t.Errorf("%v", list)
			}
			r.now = r.office.Pass(48 * time.Hour)
			r.quiet(t) // it is one
			s.fails = nil
			r.quiet(t)
		})
	}
}

// TestWithheldFromTheFirst: a server never gave anything but a checkpoint.
func TestWithheldFromTheFirst(t *testing.T) {
	r := newRig(t)
	r.export(t)
	files := http.FileServer(http.Dir(r.path("www")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		if strings.HasPrefix(in.URL.Path, "/tile/") {
			http.Error(w, "", http.StatusInternalServerError)
			return
		}
		files.ServeHTTP(w, in)
	}))
	defer server.Close()
	r.o.Sources = []monitor.Source{monitor.Published(server.URL, nil)}
	r.start()
	r.quiet(t)
	r.start()
	r.now = r.now.Add(25 * time.Hour)
	r.alarms(t, monitor.Withheld)
}

// TestOutOfOrder: a server that is out of order now and then withholds nothing.
func TestOutOfOrder(t *testing.T) {
	r := newRig(t)
	s := &failing{Source: monitor.Published(r.path("www"), nil)}
	r.o.Sources = []monitor.Source{s}
	r.start()
	r.export(t)
	for n := range 12 {
		s.fails = nil
		if n%3 > 0 {
			s.fails = func(int64) bool { return true }
		}
		r.quiet(t)
		r.now = r.office.Pass(11 * time.Hour)
	}
}

// ungiven is a rig whose source can be made to give no entries.
func ungiven(t *testing.T) (*rig, *failing) {
	t.Helper()
	r := newRig(t)
	s := &failing{Source: monitor.Published(r.path("www"), nil)}
	r.o.Sources, r.o.Silence, r.o.Lag = []monitor.Source{s}, time.Hour, 10*day
	r.start()
	r.export(t)
	r.quiet(t)
	return r, s
}

func none(int64) bool { return true }

// TestUngivenFork: the log signed a history whose entries are never given, and goes on with
// another.
func TestUngivenFork(t *testing.T) {
	r, s := ungiven(t)
	other, office := r.twin(t)
	office.IssueCard(t, "A-bob", "C-bob", "bob", "")
	r.anew(t, other)
	s.fails = none
	r.quiet(t)
	r.issue(t, "ann")
	r.issue(t, "cam")
	r.anew(t, r.ledger)
	s.fails = nil
	r.start()
	list := r.check(t)
	r.only(t, list, monitor.Fork)
	r.forked(t, list[0], "known", "shown")
}

// TestUngivenRollback: a source shows less than what it showed without entries.
func TestUngivenRollback(t *testing.T) {
	r, s := ungiven(t)
	if err := os.CopyFS(r.path("older"), os.DirFS(r.path("www"))); err != nil {
		t.Fatal(err)
	}
	r.issue(t, "ann")
	r.export(t)
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.fails = none
	r.quiet(t)
	if err := errors.Join(os.RemoveAll(r.path("www")), os.Rename(r.path("older"), r.path("www"))); err != nil {
		t.Fatal(err)
	}
	r.start()
	a := r.alarms(t, monitor.Rollback)[0]
	if string(r.evidence(t, a, "newest")) != string(c.Note) {
		t.Error("what was shown before is no evidence")
	}
}

// TestUngivenForAWhile: a log goes on while its honest server gives no entries; for longer that
// is silence, once.
func TestUngivenForAWhile(t *testing.T) {
	r, s := ungiven(t)
	for n := range 5 {
		s.fails = nil
		if n != 3 {
			s.fails = none
		}
		r.issue(t, fmt.Sprint("p", n))
		r.export(t)
		r.quiet(t)
		r.now = r.now.Add(15 * time.Minute)
	}
	s.fails = nil
	r.quiet(t)
	s.fails = none
	for n := range 3 {
		r.issue(t, fmt.Sprint("q", n))
		r.export(t)
		r.quiet(t)
	}
	r.now = r.now.Add(2 * time.Hour)
	r.only(t, r.check(t), monitor.Silent)
}

// TestContradictedAndAway: a source shows a checkpoint that contradicts what it showed before,
// with what is new of it, and does not give the older entries by which to tell where.
func TestContradictedAndAway(t *testing.T) {
	r := followed(t)
	f := r.copied(t)
	f.rewrite(5)
	f.leaves = append(f.leaves, f.leaves[7])
	f.hash(t)
	r.o.Sources = []monitor.Source{&failing{Source: monitor.Store("database", f), fails: func(from int64) bool { return from == 0 }}}
	r.start()
	r.alarms(t, monitor.Rewritten)
}

// unsound is a source that cannot be read for a reason of the monitor's own.
type unsound struct{ monitor.Source }

func (unsound) Name() string { return "unsound" }

func (unsound) Leaves(context.Context, int64, int64, int64, func(int64, []byte) error) error {
	return errUnsound
}

var errUnsound = errors.New("input/output error")

// TestOwnTrouble: what the monitor cannot do keeps nothing else back, and says nothing of a source.
func TestOwnTrouble(t *testing.T) {
	r := followed(t)
	www := r.o.Sources[0]
	put(t, r.path("liar/checkpoint"), []byte("nonsense"))
	r.o.Sources = []monitor.Source{unsound{www}, monitor.Published(r.path("liar"), nil), www}
	r.o.Silence = 72 * time.Hour
	r.o.Cosign = func(*receipt.Checkpoint, monitor.Prover) error { return errBusy }
	put(t, r.path("blocked"), nil) // there can be no folder in it
	honest := r.o.Evidence
	r.o.Evidence = r.path("blocked")
	r.start()
	r.issue(t, "bob")
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.export(t)
	round, err := r.m.Check(t.Context())
	if !errors.Is(err, errUnsound) || !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "blocked") {
		t.Errorf("not all trouble is told: %v", err)
	}
	if len(round.Logs) != 1 || round.Logs[0].Size != c.Size {
		t.Errorf("the log was not read: %v", round.Logs)
	}
	r.o.Evidence = honest
	r.start()
	r.now = r.now.Add(73 * time.Hour)
	round, err = r.m.Check(t.Context())
	if !errors.Is(err, errUnsound) {
		t.Errorf("%v", err)
	}
	r.only(t, round.Raised, monitor.BadCheckpoint, monitor.Silent)
}

// TestListGone: a list that was published is not any more, though its place is there, or its
// place is gone. One that was away for a while is not told.
func TestListGone(t *testing.T) {
	for _, gone := range []string{"pki/csca.crl", "pki"} {
		r, a, _ := signed(t)
		crl, err := os.ReadFile(r.path("pki/csca.crl"))
		if err != nil {
			t.Fatal(err)
		}
		status := a.statusList(t, r.office.Pass(0).Add(90*day))
		put(t, r.path("pki/status"), status)
		r.export(t)
		r.now = r.office.Pass(time.Second)
		r.quiet(t)
		for _, lost := range []bool{false, true} {
			if err := os.RemoveAll(r.path(gone)); err != nil {
				t.Fatal(err)
			}
			r.start()
			r.quiet(t)
			r.now = r.now.Add(23 * time.Hour)
			r.quiet(t)
			if !lost {
				put(t, r.path("pki/csca.crl"), crl)
				put(t, r.path("pki/status"), status)
				r.quiet(t)
			}
		}
		r.now = r.now.Add(2 * time.Hour)
		if list := r.alarms(t, monitor.ListGone); !strings.HasPrefix(list[0].Subject, "crl ") {
			t.Errorf("%v", list)
		}
		r.now = r.now.Add(48 * time.Hour)
		r.quiet(t)
	}
}
