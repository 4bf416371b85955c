package monitor_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// followed is a rig whose monitor has seen a card being issued.
func followed(t *testing.T) *rig {
	r := newRig(t)
	r.issue(t, "ann")
	r.export(t)
	r.quiet(t)
	return r
}

// anew publishes another log in place of the one that was published.
func (r *rig) anew(t *testing.T, s ledger.Published) {
	t.Helper()
	if err := os.RemoveAll(r.path("www")); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Export(t.Context(), r.path("www"), s); err != nil {
		t.Fatal(err)
	}
}

// TestTruncated: the newest entries are gone, and the checkpoint with them.
func TestTruncated(t *testing.T) {
	r := newRig(t)
	r.export(t)
	if err := os.CopyFS(r.path("older"), os.DirFS(r.path("www"))); err != nil {
		t.Fatal(err)
	}
	r.issue(t, "ann")
	r.export(t)
	r.quiet(t)
	os.RemoveAll(r.path("www"))
	if err := os.Rename(r.path("older"), r.path("www")); err != nil {
		t.Fatal(err)
	}
	a := r.alarms(t, monitor.Rollback)[0]
	known, err := ledger.ParseCheckpoint(r.evidence(t, a, "newest"), r.key)
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := ledger.ParseCheckpoint(r.evidence(t, a, "shown"), r.key); err != nil || shown.Size >= known.Size {
		t.Errorf("%v, %v", shown, err)
	}
	r.quiet(t) // it is known, and stands until it is acknowledged
	if list, err := r.watch.Alarms(t.Context(), false); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestCutOff: the checkpoint is there, and not all that it signs.
func TestCutOff(t *testing.T) {
	r := followed(t)
	r.issue(t, "bob")
	r.export(t)
	if err := os.RemoveAll(r.path("www/tile/entries")); err != nil {
		t.Fatal(err)
	}
	r.alarms(t, monitor.Missing)
}

// TestRestored: an old backup is put back, and the office goes on with it: when it has come
// to more entries than before, and sooner.
func TestRestored(t *testing.T) {
	for _, cards := range []int{0, 1, 3} {
		r := newRig(t)
		old, office := r.twin(t)
		r.issue(t, "ann")
		r.issue(t, "bob")
		r.export(t)
		r.quiet(t)
		for i := range cards {
			office.IssueCard(t, fmt.Sprint("A-", i), fmt.Sprint("C-", i), fmt.Sprint("p", i), "")
		}
		r.anew(t, old)
		switch list := r.check(t); cards {
		case 0:
			r.only(t, list, monitor.Rollback)
		case 1:
			r.only(t, list, monitor.Rollback, monitor.Fork, monitor.Rewritten)
			r.forked(t, find(t, list, monitor.Fork), "known", "shown")
		default:
			r.only(t, list, monitor.Fork)
			a := find(t, list, monitor.Fork)
			if a.Index != 19 {
				t.Errorf("it is told of entry %d", a.Index)
			}
			r.forked(t, a, "known", "checkpoint")
		}
	}
}

func find(t *testing.T, list []monitor.Alarm, code monitor.Code) monitor.Alarm {
	t.Helper()
	for _, a := range list {
		if a.Code == code {
			return a
		}
	}
	t.Fatalf("no %s in %v", code, list)
	return monitor.Alarm{}
}

func (r *rig) only(t *testing.T, list []monitor.Alarm, codes ...monitor.Code) {
	t.Helper()
	if len(list) != len(codes) {
		t.Fatalf("alarms %v, want %v", list, codes)
	}
	for _, code := range codes {
		find(t, list, code)
	}
}

// TestRewritten: somebody changes an entry that was published, and makes fit what they can.
func TestRewritten(t *testing.T) {
	const index = 23
	for name, test := range map[string]struct {
		forge func(*testing.T, *rig, *forgery)
		code  monitor.Code
	}{
		"in its bundle": {func(t *testing.T, r *rig, f *forgery) {
			f.shown = append([][]byte(nil), f.leaves...)
			f.shown[index] = append([]byte(nil), f.rewrite(index)...)
			r.anew(t, r.copied(t))
			bundle(t, r, f.shown)
		}, monitor.TileChanged},
		"and the hashes of its tile": {func(t *testing.T, r *rig, f *forgery) {
			honest := r.copied(t)
			f.rewrite(index)
			f.hash(t)
			r.anew(t, f)
			c, _ := honest.Checkpoint(t.Context())
			put(t, r.path("www/checkpoint"), c.Note)
		}, monitor.Rewritten},
		"and the log's signature": {func(t *testing.T, r *rig, f *forgery) {
			f.rewrite(index)
			f.hash(t)
			r.anew(t, f)
		}, monitor.Fork},
	} {
		for _, more := range []bool{false, true} {
			t.Run(fmt.Sprint(name, more), func(t *testing.T) {
				r := followed(t)
				if more {
					r.issue(t, "bob")
				}
				test.forge(t, r, r.copied(t))
				list := r.check(t)
				if a := find(t, list, test.code); a.Code != monitor.Fork && a.Index != index || a.Code == monitor.Fork && more && a.Index != index {
					t.Errorf("it is told of entry %d", a.Index)
				} else if a.Code == monitor.Fork {
					other := "shown"
					if more {
						other = "checkpoint"
					}
					r.forked(t, a, "known", other)
				}
			})
		}
	}
}

// bundle writes the only bundle of leaves as it should not be.
func bundle(t *testing.T, r *rig, leaves [][]byte) {
	t.Helper()
	var b []byte
	for _, leaf := range leaves {
		b = append(append(b, byte(len(leaf)>>8), byte(len(leaf))), leaf...)
	}
	put(t, filepath.Join(r.path("www"), ledger.TilePath("entries", 0, len(leaves))), b)
}

func put(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRewrittenInPlace: an entry of the database is changed and nothing else; it is read
// again with the next checkpoint.
func TestRewrittenInPlace(t *testing.T) {
	r := newRig(t)
	r.issue(t, "ann")
	f := r.copied(t)
	r.o.Sources = []monitor.Source{monitor.Store("database", f)}
	r.start()
	r.quiet(t)
	f.shown = append([][]byte(nil), f.leaves...)
	f.rewrite(23)
	f.shown[23], f.leaves[23] = f.leaves[23], f.shown[23]
	if a := r.alarms(t, monitor.Rewritten)[0]; a.Index != 23 {
		t.Errorf("it is told of entry %d", a.Index)
	}
}

// TestRereadInTurn: where there is more than is read again at once, it comes to all of it.
func TestRereadInTurn(t *testing.T) {
	r := newRig(t)
	r.issue(t, "ann")
	f := r.copied(t)
	r.o.Sources, r.o.Reread = []monitor.Source{monitor.Store("database", f)}, 10
	r.start()
	r.quiet(t)
	f.shown = append([][]byte(nil), f.leaves...)
	f.rewrite(5)
	f.shown[5], f.leaves[5] = f.leaves[5], f.shown[5]
	for range len(f.leaves)/10 + 1 {
		if len(r.check(t)) > 0 {
			return
		}
	}
	t.Error("a changed entry is not read again")
}

// TestRereadOfEach: each source is read again in turn, whatever the others' turn is and however
// little they show.
func TestRereadOfEach(t *testing.T) {
	r := newRig(t)
	publish(t, r.ledger, r.path("older"))
	r.issue(t, "ann")
	f, honest := r.copied(t), monitor.Store("honest", r.copied(t))
	half := int64(len(f.leaves)+1) / 2
	for name, more := range map[string][]monitor.Source{"as much": {honest}, "less": {honest, monitor.Published(r.path("older"), nil)}} {
		for _, changed := range []int64{0, half} {
			state, err := sqlite.OpenWatch(t.Context(), r.path(fmt.Sprint(name, changed, ".db")))
			if err != nil {
				t.Fatal(err)
			}
			defer state.Close()
			f.shown = nil
			r.o.State, r.o.Sources, r.o.Reread = state, append([]monitor.Source{monitor.Store("database", f)}, more...), half
			r.start()
			r.quiet(t)
			f.shown = append([][]byte(nil), f.leaves...)
			f.shown[changed] = append([]byte("x"), f.shown[changed]...)
			found := false
			for range 3 {
				found = found || len(r.check(t)) > 0
			}
			if !found {
				t.Errorf("%s: entry %d is changed and not read again", name, changed)
			}
		}
	}
}

// TestTileSwapped: a hash above the leaves is not that of what it stands over.
func TestTileSwapped(t *testing.T) {
	r := newRig(t)
	for i := range 300 {
		r.office.Must(t, r.office.Enrol(fmt.Sprint("A-", i), fmt.Sprint("p", i), ""))
	}
	r.export(t)
	r.quiet(t)
	path := filepath.Join(r.path("www"), ledger.TilePath("1", 0, 2))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(b, b[32:])
	put(t, path, b)
	r.alarms(t, monitor.TileChanged)
	r.watch.Close() // who sees it for the first time finds it too
	if err := os.Remove(r.path("watch.db")); err != nil {
		t.Fatal(err)
	}
	if r.watch, err = sqlite.OpenWatch(t.Context(), r.path("watch.db")); err != nil {
		t.Fatal(err)
	}
	r.o.State = r.watch
	r.start()
	r.alarms(t, monitor.TileChanged)
}

// TestTwoInstances: two programs have the log's key and a copy of its ledger.
func TestTwoInstances(t *testing.T) {
	r := newRig(t)
	other, office := r.twin(t)
	r.o.Sources = append(r.o.Sources, monitor.Store("other", other))
	r.start()
	r.export(t)
	r.quiet(t)
	r.issue(t, "ann")
	office.IssueCard(t, "A-bob", "C-bob", "bob", "")
	r.export(t)
	list := r.check(t)
	r.forked(t, find(t, list, monitor.Fork), "known", "shown")
}

// TestShown: what others were shown is held against the log, be it older, newer, a checkpoint
// or a receipt.
func TestShown(t *testing.T) {
	r := newRig(t)
	r.o.Also = []string{r.path("also")}
	r.start()
	other, office := r.twin(t)
	office.IssueCard(t, "A-bob", "C-bob", "bob", "")
	first, err := other.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	honest, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put(t, r.path("also/police"), honest.Note)
	put(t, r.path("also/citizen"), first.Note) // the log has not come to it
	r.export(t)
	r.quiet(t)
	r.issue(t, "ann")
	r.issue(t, "cam")
	r.export(t)
	a := r.alarms(t, monitor.Fork)[0]
	r.forked(t, a, "known", "shown")
	r.quiet(t)

	put(t, r.path("also/nonsense"), []byte("nonsense"))
	round, err := r.m.Check(t.Context())
	if err != nil || len(round.Away) != 1 || len(round.Raised) > 0 {
		t.Errorf("%v, %v", round, err)
	}
}

// TestWithheld: somebody has a checkpoint that the log never comes to.
func TestWithheld(t *testing.T) {
	r := newRig(t)
	r.o.Also, r.o.Silence = []string{r.path("also")}, 24*time.Hour
	r.start()
	r.export(t)
	r.issue(t, "ann")
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put(t, r.path("also/citizen"), c.Note)
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	r.alarms(t, monitor.Withheld, monitor.Silent)
	r.export(t)
	r.quiet(t)
}

// TestOtherKey: a checkpoint of the log is signed by another key, or it is none.
func TestOtherKey(t *testing.T) {
	r := followed(t)
	f := r.copied(t)
	var err error
	if f.signer, err = otherSigner(); err != nil {
		t.Fatal(err)
	}
	r.anew(t, f)
	r.alarms(t, monitor.OtherKey)
	put(t, r.path("www/checkpoint"), []byte("nonsense"))
	r.alarms(t, monitor.BadCheckpoint)
}

// TestSyncFork: a desk's own log is forked, and the centre takes the other one over.
func TestSyncFork(t *testing.T) {
	r, branch := branched(t)
	twin, office := twinOf(t, branch)
	branch.office.IssueCard(t, "A-1", "C-1", "ann", "")
	office.IssueCard(t, "A-2", "C-2", "bob", "")
	publish(t, branch.ledger, r.path("branch"))
	r.export(t)
	r.quiet(t)
	r.sync(t, twin)
	r.export(t)
	list := r.alarms(t, monitor.SyncFork)
	if len(list) != 1 || list[0].Origin != branchOrigin {
		t.Error(list)
	}
}

// TestSyncForkShown: the monitor does not follow the desk's log; somebody shows a checkpoint
// of it.
func TestSyncForkShown(t *testing.T) {
	r, branch := branched(t)
	r.o.Sources, r.o.Also = r.o.Sources[:1], []string{r.path("also")}
	r.start()
	twin, office := twinOf(t, branch)
	branch.office.IssueCard(t, "A-1", "C-1", "ann", "")
	office.IssueCard(t, "A-2", "C-2", "bob", "")
	c, err := branch.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put(t, r.path("also/branch"), c.Note)
	r.export(t)
	r.quiet(t)
	r.sync(t, twin)
	r.export(t)
	r.alarms(t, monitor.SyncFork)
}

// TestSyncHonest: a centre takes over what the desk has, and the desk goes on.
func TestSyncHonest(t *testing.T) {
	r, branch := branched(t)
	for i := range 4 {
		branch.office.IssueCard(t, fmt.Sprint("A-", i), fmt.Sprint("C-", i), fmt.Sprint("p", i), "")
		r.sync(t, branch.ledger)
		if i%2 == 0 { // the desk publishes later than the centre
			publish(t, branch.ledger, r.path("branch"))
		}
		r.export(t)
		r.quiet(t)
	}
	r.office.Must(t, syncStep(r, 3, ledgertest.Digest("x")))
	r.export(t)
	r.alarms(t, monitor.SyncBack, monitor.SyncFork)
}

// TestUnsigned: who has the log's key, and no operator's, adds entries: they are told, be they
// signed by nobody who was enrolled, falsely, or by somebody whose key was revoked.
func TestUnsigned(t *testing.T) {
	r := followed(t)
	for i, forge := range []func(*forgery){
		func(f *forgery) {
			stranger := ledgertest.NewOfficer("thief", "p-66", issuance.Signer)
			f.leaves = append(f.leaves, leafBy(t, r, stranger, issuance.Card("C-x"), issuance.Prepare, map[string]string{"cardid": ledgertest.Digest("x"), "ds": "ds-001"}))
		},
		func(f *forgery) {
			f.leaves = append(f.leaves, leaf(t, r, issuance.Card("C-y"), issuance.Lock, nil))
			f.rewrite(len(f.leaves) - 1)
		},
		func(f *forgery) {
			o := r.office
			enrol := o.Hire(ledgertest.NewOfficer("thief", "p-66", issuance.Admin))
			f.leaves = append(f.leaves, leafBy(t, r, ledgertest.NewOfficer("thief", "p-66"), enrol.Stream, issuance.Enrol, enrol.Fields)) // by itself
		},
		func(f *forgery) {
			o := r.office
			f.leaves = append(f.leaves,
				leafBy(t, r, o.Root, issuance.OperatorStream(o.Signer.ID), issuance.Revoke, map[string]string{"reason": "stolen"}),
				leaf(t, r, issuance.Card("C-z"), issuance.Lock, nil))
		},
	} {
		f := r.copied(t)
		forge(f)
		f.hash(t)
		state, err := sqlite.OpenWatch(t.Context(), r.path(fmt.Sprint("watch-", i, ".db")))
		if err != nil {
			t.Fatal(err)
		}
		defer state.Close()
		r.o.State = state
		r.start()
		r.anew(t, f)
		if list := r.alarms(t, monitor.Unsigned); len(list) != 1 || list[0].Index != int64(len(f.leaves)-1) {
			t.Errorf("%d: %v", i, list)
		}
	}
}

// TestAlarmAnEntry: who has the log's key adds thousands of entries, each of which is an alarm:
// the first are told, and that there are more.
func TestAlarmAnEntry(t *testing.T) {
	r := followed(t)
	f := r.copied(t)
	first := len(f.leaves)
	for n := range 2_000 {
		f.leaves = append(f.leaves, fmt.Append(nil, "nonsense ", n))
	}
	f.hash(t)
	r.anew(t, f)
	list := r.alarms(t, monitor.Unreadable)
	if len(list) != 101 {
		t.Errorf("%d alarms", len(list))
	}
	for i, a := range list {
		if a.Index != int64(first+i) || strings.HasPrefix(a.Subject, "more ") != (i == 100) {
			t.Errorf("%d: %s (%s)", i, a, a.Subject)
		}
	}
}

// TestAlarmToldBefore: as many days of entries that are ahead as alarms are told, and none twice.
func TestAlarmToldBefore(t *testing.T) {
	r := newRig(t)
	r.now = r.now.Add(-24 * time.Hour)
	f := r.copied(t)
	add := func() { f.leaves = append(f.leaves, leaf(t, r, issuance.Card("C-x"), issuance.Lock, nil)) }
	for range 99 {
		r.office.Pass(day)
		add()
	}
	add()
	f.hash(t)
	r.anew(t, f)
	list := r.check(t)
	if len(list) != 100 {
		t.Errorf("%d alarms", len(list))
	}
	for _, a := range list {
		if a.Code != monitor.ClockAhead || strings.HasPrefix(a.Subject, "more ") {
			t.Errorf("%s (%s)", a, a.Subject)
		}
	}
}

// TestClockAhead: an entry is of a time to come.
func TestClockAhead(t *testing.T) {
	r := newRig(t)
	r.now = r.now.Add(-24 * time.Hour)
	r.export(t)
	r.alarms(t, monitor.ClockAhead)
}

// wiping is a source whose octets are gone once it has given them.
type wiping struct{ monitor.Source }

func (s wiping) Leaves(ctx context.Context, size, from, to int64, each func(int64, []byte) error) error {
	return s.Source.Leaves(ctx, size, from, to, func(index int64, leaf []byte) error {
		own := bytes.Clone(leaf)
		defer clear(own)
		return each(index, own)
	})
}

// TestEvidenceKept: evidence is what the source gave, whatever that does with its octets then.
func TestEvidenceKept(t *testing.T) {
	r := newRig(t)
	r.now = r.now.Add(-24 * time.Hour)
	r.o.Sources = []monitor.Source{wiping{monitor.Store("database", r.ledger)}}
	r.start()
	a := r.alarms(t, monitor.ClockAhead)[0]
	leaf, err := r.ledger.Leaf(t.Context(), a.Index)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.evidence(t, a, "leaf"), leaf) {
		t.Error("the evidence is not the leaf")
	}
}

func TestSilent(t *testing.T) {
	r := newRig(t)
	r.o.Silence = 72 * time.Hour
	r.start()
	r.export(t)
	r.quiet(t)
	for range 3 {
		r.now = r.now.Add(71 * time.Hour)
		r.office.Must(t, r.office.Enrol("A-"+r.now.Format("0102"), "p"+r.now.Format("0102"), ""))
		r.export(t)
		r.quiet(t)
	}
	r.now = r.now.Add(73 * time.Hour)
	r.alarms(t, monitor.Silent)
	r.now = r.now.Add(73 * time.Hour)
	r.quiet(t) // it is one silence
}

func TestAcknowledge(t *testing.T) {
	r := newRig(t)
	r.now = r.now.Add(-24 * time.Hour)
	r.export(t)
	a := r.alarms(t, monitor.ClockAhead)[0]
	if err := r.watch.Acknowledge(t.Context(), a.ID, r.now); err != nil {
		t.Fatal(err)
	}
	if err := r.watch.Acknowledge(t.Context(), "other", r.now); err == nil {
		t.Error("an alarm that is none was acknowledged")
	}
	if list, err := r.watch.Alarms(t.Context(), false); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := r.watch.Alarms(t.Context(), true); err != nil || len(list) != 1 || list[0].Acknowledged.IsZero() {
		t.Errorf("%v, %v", list, err)
	}
	r.start()
	r.quiet(t)
}
