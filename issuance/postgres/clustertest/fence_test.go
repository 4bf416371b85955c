//go:build linux && cgo

package clustertest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
)

// log is a ledger on a new cluster, with the operators of the ledger's own tests.
type log struct {
	cluster *Cluster
	test    *ledgertest.Office
	n       int
}

func newLog(t testing.TB) *log {
	t.Helper()
	l := &log{cluster: Start(t)}
	store := must(postgres.Create(t.Context(), l.cluster.DSN(), ledgertest.Origin, options(t, 2*time.Minute)))(t)
	t.Cleanup(func() { store.Close() })
	l.test = ledgertest.NewOffice(t, store)
	l.test.Found(t)
	return l
}

// options are those of a program that is so patient.
func options(t testing.TB, busy time.Duration) postgres.Options {
	signer, _ := ledgertest.LogKey(t)
	return postgres.Options{Signer: signer, Checkpoints: t.TempDir(), Busy: busy}
}

// impatient is how long a program waits that soon gives up.
const impatient = 3 * time.Second

// open is the ledger as another program has it.
func (l *log) open(t testing.TB, dsn string, busy time.Duration) *postgres.Ledger {
	t.Helper()
	store := must(postgres.Open(t.Context(), dsn, options(t, busy)))(t)
	t.Cleanup(func() { store.Close() })
	return store
}

// enrol appends somebody's application through a handle, and returns its stream.
func (l *log) enrol(ctx context.Context, by *postgres.Ledger) (issuance.StreamID, error) {
	l.n++
	s := l.test.Enrol(fmt.Sprint("A-", l.n), fmt.Sprint(l.n), "")
	o := *l.test
	o.Ledger = by
	return s.Stream, o.Do(ctx, s)
}

// epoch is how often the log has changed hands.
func (c *Cluster) epoch(t testing.TB) string {
	t.Helper()
	return c.ask(t, c.DSN(), "SELECT epoch FROM tamthe.log")
}

// ask asks a server directly, as its administrator.
func (c *Cluster) ask(t testing.TB, dsn, query string) string {
	t.Helper()
	var out []byte
	c.await(t, query, func() (ok bool) {
		var err error
		out, err = exec.Command(filepath.Join(c.bin, "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", query, dsn).Output()
		return err == nil
	})
	return strings.TrimSpace(string(out))
}

// TestOldSequencer: a program that stands on the primary's own machine goes on after that
// was cut off. Nothing that it appends is acknowledged to it; another appends meanwhile, as
// the log's next holder; and when the machine is back, the old one's acts are nowhere.
func TestOldSequencer(t *testing.T) {
	l := newLog(t)
	old := l.cluster.Primary(t)
	within := l.open(t, old.DSN(), impatient)
	kept := must(l.enrol(t.Context(), within))(t)
	before := l.cluster.epoch(t)
	old.Cut(t)
	lost, err := l.enrol(t.Context(), within)
	if !errors.Is(err, ledger.ErrAway) && !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("appended on a primary that is cut off: %v", err)
	}
	t.Logf("cut off: %v", err)
	l.cluster.Primary(t)
	next := must(l.enrol(t.Context(), l.open(t, l.cluster.DSN(), patience)))(t)
	if after := l.cluster.epoch(t); after <= before {
		t.Errorf("epoch %s after %s", after, before)
	}
	old.Join(t)
	l.cluster.Settle(t)
	if _, err := l.enrol(t.Context(), within); !errors.Is(err, ledger.ErrReadOnly) && !errors.Is(err, ledger.ErrAway) {
		t.Errorf("appended on a standby: %v", err)
	}
	l.holds(t, map[issuance.StreamID]bool{kept: true, lost: false, next: true})
}

// TestOneServerOnly: without a standby nothing is acknowledged, not even where the wait for it
// is cancelled, which leaves the act on the primary's disk for all to see. When a standby is
// back the same act is acknowledged, once.
func TestOneServerOnly(t *testing.T) {
	l := newLog(t)
	program := l.open(t, l.cluster.DSN(), patience)
	primary := l.cluster.Primary(t)
	l.others(t, primary, (*Node).Kill)
	acknowledged := make(chan error, 1)
	go func() {
		_, err := l.enrol(context.Background(), program)
		acknowledged <- err
	}()
	for cancelled := 0; cancelled < 2; time.Sleep(100 * time.Millisecond) { // it comes back to its wait
		if l.cluster.ask(t, primary.DSN(), "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()") == "1" {
			cancelled++
		}
	}
	select {
	case err := <-acknowledged:
		t.Errorf("acknowledged by one server: %v", err)
	default:
	}
	if n := l.cluster.ask(t, primary.DSN(), "SELECT count(*) FROM tamthe.stream WHERE kind = 'application'"); n != "1" {
		t.Errorf("%s applications on the primary's disk: nothing was cancelled", n)
	}
	l.others(t, primary, (*Node).Start)
	check(t, <-acknowledged)
	l.holds(t, map[issuance.StreamID]bool{issuance.Application("A-1"): true})
}

// TestTakenBack: an act that is on the primary's disk only, where all can see it, is gone with
// the primary. Nobody was told that it is kept, and who repeats it adds it once.
func TestTakenBack(t *testing.T) {
	l := newLog(t)
	program := l.open(t, l.cluster.DSN(), time.Second)
	s := l.test.Enrol("A-1", "1", "")
	at, entries, err := l.test.Build(t.Context(), false, s)
	check(t, err)
	primary := l.cluster.Primary(t)
	l.others(t, primary, (*Node).Cut) // with them the primary loses its lease, too, but not at once
	if err := program.Append(t.Context(), at, entries...); !errors.Is(err, ledger.ErrAway) {
		t.Errorf("appended on one server: %v", err)
	}
	l.cluster.await(t, "the act on the primary's disk", func() bool {
		return l.cluster.ask(t, primary.DSN(), "SELECT count(*) FROM tamthe.stream WHERE kind = 'application'") == "1"
	})
	primary.Kill(t)
	l.others(t, primary, (*Node).Join)
	l.cluster.Primary(t)
	l.holds(t, map[issuance.StreamID]bool{s.Stream: false})
	again := l.open(t, l.cluster.DSN(), patience)
	for range 2 {
		check(t, again.Append(t.Context(), at, entries...))
	}
	l.holds(t, map[issuance.StreamID]bool{s.Stream: true})
}

// others does something to all nodes but one.
func (l *log) others(t testing.TB, but *Node, do func(*Node, testing.TB)) {
	t.Helper()
	for _, n := range l.cluster.Nodes {
		if n != but {
			do(n, t)
		}
	}
}

// holds: the ledger, as its primary has it now, has these streams and lacks those, and is sound.
func (l *log) holds(t testing.TB, streams map[issuance.StreamID]bool) {
	t.Helper()
	now := l.open(t, l.cluster.DSN(), patience)
	for id, want := range streams {
		if e := must(now.Stream(t.Context(), id))(t); len(e) == 1 != want {
			t.Errorf("%s: %d entries", id, len(e))
		}
	}
	if report := must(now.Verify(t.Context(), nil))(t); !report.OK() {
		t.Errorf("the ledger is not sound: %v", report.Findings)
	}
}
