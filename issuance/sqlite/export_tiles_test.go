package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// follow reads an export with another implementation's client, which checks every tile
// and leaf against the checkpoint.
func follow(t *testing.T, dir string) (leaves [][]byte) {
	t.Helper()
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	_, v := ledgertest.LogKey(t)
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	c, err := torchwood.ParseCheckpoint(n.Text)
	if err != nil {
		t.Fatal(err)
	}
	tiles, err := torchwood.NewTileFS(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(tiles)
	if err != nil {
		t.Fatal(err)
	}
	for i, leaf := range client.AllEntries(t.Context(), c.Tree, 0) {
		if i != int64(len(leaves)) {
			t.Fatalf("entry %d after %d", i, len(leaves))
		}
		leaves = append(leaves, bytes.Clone(leaf))
	}
	if err := client.Err(); err != nil {
		t.Fatal(err)
	}
	if int64(len(leaves)) != c.N {
		t.Fatalf("%d of %d entries", len(leaves), c.N)
	}
	return leaves
}

// An export, and what is added to it later, can be followed by any client of tlog-tiles.
func TestExport(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "log")
	l := applied(t, dir, 100)
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	total := 0
	for round, more := range []int{0, 90, 0, 120, 512, 3} {
		var steps []ledgertest.Step
		for i := range more {
			app := fmt.Sprintf("A-%d-%d", round, i)
			steps = append(steps, o.Enrol(app, app, ""))
		}
		if more > 0 {
			o.Must(t, steps...)
		}
		added, err := ledger.Export(t.Context(), out, l)
		if err != nil {
			t.Fatal(err)
		}
		leaves := follow(t, out)
		if int(added) != len(leaves)-total {
			t.Errorf("round %d: %d added, %d after %d are there", round, added, len(leaves), total)
		}
		total = len(leaves)
		for i, leaf := range leaves {
			if i%37 > 0 {
				continue
			}
			if want, err := l.Leaf(t.Context(), int64(i)); err != nil || !bytes.Equal(leaf, want) {
				t.Fatalf("leaf %d differs: %v", i, err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(out, "tile/0/000.p")); err == nil {
		t.Error("partial tiles stay beside the full one")
	}
	other := applied(t, t.TempDir(), 2)
	defer other.Close()
	if _, err := ledger.Export(t.Context(), out, other); !errors.Is(err, ledger.ErrExport) {
		t.Errorf("a log that does not continue the export: %v", err)
	}
}

// A log that was rewritten, as long as what was exported or longer, is not written over it.
func TestExportOfAnother(t *testing.T) {
	out := filepath.Join(t.TempDir(), "log")
	first := applied(t, t.TempDir(), 2)
	defer first.Close()
	if _, err := ledger.Export(t.Context(), out, first); err != nil {
		t.Fatal(err)
	}
	before := follow(t, out)
	for _, n := range []int{2, 5} {
		other := applied(t, t.TempDir(), n)
		defer other.Close()
		if _, err := ledger.Export(t.Context(), out, other); !errors.Is(err, ledger.ErrExport) {
			t.Errorf("rewritten, with %d applications: %v", n, err)
		}
		if after := follow(t, out); !slices.EqualFunc(after, before, bytes.Equal) {
			t.Error("what was exported is changed")
		}
	}
}

// The path of C2SP tlog-tiles' example, and those of another implementation.
func TestTilePath(t *testing.T) {
	if got := ledger.TilePath("0", 1234067, 0); got != "tile/0/x001/x234/067" {
		t.Error(got)
	}
	for _, n := range []int64{0, 1, 999, 1000, 999999, 1000000} {
		for _, w := range []int{1, 255, 256} {
			want := torchwood.TilePath(tlog.Tile{H: 8, L: 2, N: n, W: w})
			if got := ledger.TilePath("2", n, w%256); got != want {
				t.Errorf("%s, not %s", got, want)
			}
		}
	}
}

// A copy made while the ledger is open is whole, and continues what was known of it.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	l := applied(t, dir, 30)
	defer l.Close()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := l.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := l.Backup(t.Context(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	o := ledgertest.NewOffice(t, l)
	o.Must(t, o.Enrol("A-later", "later", "")) // appends go on
	c, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	report, err := c.Verify(t.Context(), nil)
	if err != nil || !report.OK() {
		t.Errorf("%+v %v", report, err)
	}
	now, err := l.Checkpoint(t.Context())
	if err != nil || now.Size <= report.Size {
		t.Errorf("%d entries after a copy of %d: %v", now.Size, report.Size, err)
	}
	behind, err := c.Verify(t.Context(), now)
	if err != nil || behind.OK() || behind.Findings[0].Code != ledger.RolledBack {
		t.Errorf("an old copy beside a newer checkpoint: %+v %v", behind, err)
	}
}
