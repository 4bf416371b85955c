package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/receipt"
)

// Somebody has the database and the log key, puts an old copy back and goes on from there
// with other acts, every one signed and under a new checkpoint. The file agrees with
// itself; an old checkpoint, a citizen's receipt and an export each find it, and the
// latter two name the place.
func TestForkIsFound(t *testing.T) {
	dir := t.TempDir()
	l := applied(t, dir, 30)
	at, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := at.Size // the first entry that will be another
	old := filepath.Join(dir, "old.db")
	if err := l.Backup(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	o := ledgertest.NewOffice(t, l)
	for _, app := range []string{"A-x1", "A-x2", "A-x3", "A-x4", "A-x5"} {
		o.Must(t, o.Enrol(app, app, ""))
	}
	honest, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	export := filepath.Join(dir, "export")
	if _, err := ledger.Export(t.Context(), export, l); err != nil {
		t.Fatal(err)
	}
	late, early := k+2, int64(3)
	receipts := map[int64]*ledger.Older{late: held(t, l, late), early: held(t, l, early)}
	l.Close()

	if err := os.Rename(old, filepath.Join(dir, "ledger.db")); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"checkpoints", "ledger.db-wal", "ledger.db-shm"} {
		if err := os.RemoveAll(filepath.Join(dir, gone)); err != nil {
			t.Fatal(err)
		}
	}
	l = open(t, dir)
	defer l.Close()
	o = ledgertest.NewOffice(t, l)
	for _, app := range []string{"A-y1", "A-y2", "A-y3", "A-y4", "A-y5", "A-y6"} {
		o.Must(t, o.Enrol(app, app, ""))
	}
	if r, err := l.Verify(t.Context(), nil); err != nil || !r.OK() {
		t.Fatalf("the fork does not agree with itself: %+v %v", r, err)
	}
	for _, c := range []struct {
		name  string
		shown *ledger.Older
		index int64 // -1: no place is told
	}{
		{"checkpoint", ledger.ShownCheckpoint("yesterday", honest), -1},
		{"export", ledger.ShownExport(export, honest), k},
		{"receipt of a later act", receipts[late], -2},
		{"receipt of an earlier act", receipts[early], -2},
	} {
		for mode, verify := range map[string]func() (*ledger.Report, error){
			"verify": func() (*ledger.Report, error) { return l.VerifyAgainst(t.Context(), again(c.shown)) },
			"rehash": func() (*ledger.Report, error) { return l.Rehash(t.Context(), again(c.shown)) },
		} {
			r, err := verify()
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) != 1 || r.Findings[0].Code != ledger.Rewritten {
				t.Errorf("%s, %s: %v", c.name, mode, r.Findings)
				continue
			}
			f := r.Findings[0]
			t.Logf("%s, %s: %s", c.name, mode, f)
			switch {
			case c.index == -2 && (f.Index > k || f.Index < k-16):
				t.Errorf("%s, %s: the range begins at %d, not close before %d", c.name, mode, f.Index, k)
			case c.index > -2 && f.Index != c.index:
				t.Errorf("%s, %s: the place is %d, not %d", c.name, mode, f.Index, c.index)
			}
		}
	}
}

// again is the same thing shown to another audit.
func again(o *ledger.Older) *ledger.Older {
	return &ledger.Older{Name: o.Name, Checkpoint: o.Checkpoint, Receipt: o.Receipt, Leaf: o.Leaf, Hash: o.Hash}
}

// held is a receipt as a citizen holds it.
func held(t *testing.T, l *sqlite.Ledger, index int64) *ledger.Older {
	t.Helper()
	p, err := l.Prove(t.Context(), index)
	if err != nil {
		t.Fatal(err)
	}
	if p.Extra, err = l.Leaf(t.Context(), index); err != nil {
		t.Fatal(err)
	}
	_, v := ledgertest.LogKey(t)
	proven, err := receipt.Verify(p, p.Extra, receipt.Policy{Logs: []note.Verifier{v}})
	if err != nil {
		t.Fatal(err)
	}
	older, err := ledger.ShownReceipt("a receipt", p, &proven.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return older
}

// An audit of the hashes finds a changed leaf, a changed node and a missing row where
// they are, for every row of a ledger.
func TestRehashLocates(t *testing.T) {
	template := t.TempDir()
	applied(t, template, 12).Close()
	for name, c := range map[string]struct {
		statement string
		code      ledger.Code
		index     int64
	}{
		"leaf": {"UPDATE entry SET leaf = CAST(leaf || x'00' AS BLOB) WHERE idx = 9", ledger.LeafChanged, 9},
		"node": {"UPDATE entry SET nodes = zeroblob(length(nodes)) WHERE idx = 7", ledger.TreeChanged, 7},
		"row":  {"DELETE FROM entry WHERE idx = 5", ledger.LeafMissing, 5},
		"size": {"UPDATE log SET size = size + 1", ledger.CheckpointBad, -1},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
			t.Fatal(err)
		}
		tamper(t, dir, c.statement)
		o := options(t, dir)
		o.ReadOnly = true
		l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Rehash(t.Context())
		l.Close()
		found := false
		for _, f := range r.Findings {
			found = found || f.Code == c.code && f.Index == c.index
		}
		if err != nil || !found {
			t.Errorf("%s: %v %v", name, r.Findings, err)
		}
	}
}
