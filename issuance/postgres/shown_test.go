package postgres_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/verify/receipt"
)

// TestForkIsFound: somebody has the database and the log key, puts an old copy back and goes
// on from there with other acts, every one signed and under a new checkpoint. The database
// agrees with itself; an old checkpoint, a citizen's receipt and an export each find it, and
// the latter two name the place.
func TestForkIsFound(t *testing.T) {
	dir := t.TempDir()
	l := applied(t, dir, 30)
	at, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := at.Size // the first entry that will be another
	l.Close()
	old := pgtest.Copy(t, address(t, dir))
	l = open(t, address(t, dir), dir)
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

	l = open(t, old, t.TempDir()) // with no checkpoints beside it
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
		index int64 // -1: no place is told; -2: one close before k
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
func held(t *testing.T, l *postgres.Ledger, index int64) *ledger.Older {
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

// TestRehashLocates: an audit of the hashes finds a changed leaf, a changed node and a
// missing row where they are.
func TestRehashLocates(t *testing.T) {
	template := t.TempDir()
	applied(t, template, 12).Close()
	for name, c := range map[string]struct {
		statement string
		code      ledger.Code
		index     int64
	}{
		"leaf": {`UPDATE entry SET leaf = leaf || '\x00' WHERE idx = 9`, ledger.LeafChanged, 9},
		"node": {"UPDATE entry SET nodes = decode(repeat('00', length(nodes)), 'hex') WHERE idx = 7", ledger.TreeChanged, 7},
		"row":  {"DELETE FROM entry WHERE idx = 5", ledger.LeafMissing, 5},
		"size": {"UPDATE log SET size = size + 1", ledger.CheckpointBad, -1},
	} {
		dir := duplicate(t, template)
		tamper(t, dir, c.statement)
		l := reading(t, dir)
		r, err := l.Rehash(t.Context())
		l.Close()
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range r.Findings {
			found = found || f.Code == c.code && f.Index == c.index
		}
		if !found {
			t.Errorf("%s: %v", name, r.Findings)
		}
	}
}
