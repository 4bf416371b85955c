package monitor_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/receipt"
)

// rig is an office with a ledger that is published in a folder, and a monitor elsewhere.
type rig struct {
	dir    string
	ledger *sqlite.Ledger
	office *ledgertest.Office
	signer note.Signer
	key    note.Verifier
	watch  *sqlite.Watch
	o      monitor.Options
	m      *monitor.Monitor
	now    time.Time
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	r.signer, r.key = ledgertest.LogKey(t)
	var err error
	r.ledger, err = sqlite.Create(t.Context(), r.path("ledger.db"), ledgertest.Origin,
		sqlite.Options{Signer: r.signer, Verifier: r.key, Checkpoints: r.path("checkpoints")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.ledger.Close() })
	r.office = ledgertest.NewOffice(t, r.ledger)
	r.office.Found(t)
	if r.watch, err = sqlite.OpenWatch(t.Context(), r.path("watch.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.watch.Close() })
	r.o = monitor.Options{
		State: r.watch, Keys: []note.Verifier{r.key}, Sources: []monitor.Source{monitor.Published(r.path("www"), nil)},
		Evidence: r.path("evidence"), Now: func() time.Time { return r.now },
	}
	r.start()
	return r
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

// start begins the monitor anew, with nothing but what it keeps.
func (r *rig) start() { r.m = monitor.New(r.o) }

// export publishes the log.
func (r *rig) export(t testing.TB) {
	t.Helper()
	if _, err := ledger.Export(t.Context(), r.path("www"), r.ledger); err != nil {
		t.Fatal(err)
	}
}

// check looks once and returns what is new.
func (r *rig) check(t testing.TB) []monitor.Alarm {
	t.Helper()
	round, err := r.m.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range round.Away {
		t.Log(err)
	}
	return round.Raised
}

// quiet wants nothing new.
func (r *rig) quiet(t testing.TB) {
	t.Helper()
	for _, a := range r.check(t) {
		t.Fatalf("a false alarm: %s (%s)", a, a.Subject)
	}
}

// alarms wants exactly the codes.
func (r *rig) alarms(t testing.TB, want ...monitor.Code) []monitor.Alarm {
	t.Helper()
	list := r.check(t)
	var got []monitor.Code
	for _, a := range list {
		got = append(got, a.Code)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(slices.Compact(got), want) {
		t.Fatalf("alarms %v, want %v: %v", got, want, list)
	}
	return list
}

// issue takes a card from application into its holder's hand.
func (r *rig) issue(t testing.TB, name string) {
	t.Helper()
	r.office.IssueCard(t, "A-"+name, "C-"+name, name, "")
}

func (r *rig) policy() receipt.Policy { return receipt.Policy{Logs: []note.Verifier{r.key}} }

// evidence reads a piece of an alarm's evidence.
func (r *rig) evidence(t testing.TB, a monitor.Alarm, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.path("evidence"), a.ID, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// forked shows to others that the log signed two histories.
func (r *rig) forked(t testing.TB, a monitor.Alarm, one, other string) {
	t.Helper()
	proof, _ := os.ReadFile(filepath.Join(r.path("evidence"), a.ID, "fork"))
	x, y := r.evidence(t, a, one), r.evidence(t, a, other)
	if err := monitor.CheckFork(x, y, proof, r.policy()); err != nil {
		t.Errorf("the evidence does not convince: %v", err)
	}
	if err := monitor.CheckFork(x, x, proof, r.policy()); err == nil {
		t.Error("one checkpoint is a fork")
	}
	if len(proof) > 0 {
		at := bytes.IndexByte(proof, '\n') - 8
		proof[at] ^= 1
		if err := monitor.CheckFork(x, y, proof, r.policy()); err == nil {
			t.Error("a changed proof convinces")
		}
	}
}

// twin opens a copy of the ledger as it is now, as somebody who has the log's key.
func (r *rig) twin(t testing.TB) (*sqlite.Ledger, *ledgertest.Office) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	if err := r.ledger.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.Open(t.Context(), path, sqlite.Options{Signer: r.signer, Verifier: r.key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, ledgertest.NewOffice(t, l)
}

func publish(t testing.TB, l *sqlite.Ledger, dir string) {
	t.Helper()
	if _, err := ledger.Export(context.Background(), dir, l); err != nil {
		t.Fatal(err)
	}
}
