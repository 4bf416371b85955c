package sqlite_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/receipt"
)

// applied is a ledger of at least n entries.
func applied(t testing.TB, dir string, n int) *sqlite.Ledger {
	l := open(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	var steps []ledgertest.Step
	for i := range n {
		app := fmt.Sprintf("A-%d", i)
		steps = append(steps, o.Enrol(app, app, ""))
		if len(steps) == 50 || i == n-1 {
			o.Must(t, steps...)
			steps = nil
		}
	}
	return l
}

// Proofs straight from the stored nodes are those of x/mod's own checks, for every leaf
// and every earlier size of every tree up to the whole.
func TestProofsOfEverySize(t *testing.T) {
	most := int64(90)
	if os.Getenv("TAMTHE_SOAK") != "" {
		most = 300
	}
	l := applied(t, t.TempDir(), int(most))
	defer l.Close()
	roots := make([]tlog.Hash, most+1)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(list []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range list {
			out = append(out, stored[i])
		}
		return out, nil
	})
	leaves := make([]tlog.Hash, most)
	for i := range most {
		leaf, err := l.Leaf(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		more, err := tlog.StoredHashes(i, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored, leaves[i] = append(stored, more...), tlog.RecordHash(leaf)
		if roots[i+1], err = tlog.TreeHash(i+1, reader); err != nil {
			t.Fatal(err)
		}
	}
	for size := int64(1); size <= most; size++ {
		for index := range size {
			p, err := l.Inclusion(t.Context(), index, size)
			if err == nil {
				err = tlog.CheckRecord(p, size, roots[size], index, leaves[index])
			}
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", index, size, err)
			}
		}
		for older := int64(1); older <= size; older++ {
			p, err := l.Consistency(t.Context(), older, size)
			if err == nil {
				err = tlog.CheckTree(p, size, roots[size], older, roots[older])
			}
			if err != nil {
				t.Fatalf("%d after %d: %v", size, older, err)
			}
		}
	}
	if _, err := l.Inclusion(t.Context(), 5, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a leaf beyond the tree: %v", err)
	}
	if _, err := l.Consistency(t.Context(), 6, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tree that shrinks: %v", err)
	}
}

func TestProve(t *testing.T) {
	dir := t.TempDir()
	l := applied(t, dir, 20)
	defer l.Close()
	_, v := ledgertest.LogKey(t)
	policy := receipt.Policy{Logs: []note.Verifier{v}}
	for index := range int64(20) {
		p, err := l.Prove(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := l.Leaf(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := receipt.Verify(p, leaf, policy); err != nil {
			t.Errorf("leaf %d: %v", index, err)
		}
	}
	if _, err := l.Prove(t.Context(), 1000); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such leaf: %v", err)
	}
}

// The newest checkpoint also goes to a second medium; a file that was put back is found
// by it alone, and without the medium nothing is appended.
func TestSecondMedium(t *testing.T) {
	dir, second := t.TempDir(), t.TempDir()
	applied(t, dir, 3).Close()
	o := options(t, dir)
	o.Second = second
	path := filepath.Join(dir, "ledger.db")
	l, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	office := ledgertest.NewOffice(t, l)
	office.Must(t, office.Enrol("A-last", "last", ""))
	l.Close()
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), path, o)
	if !errors.Is(err, ledger.ErrRolledBack) || !strings.Contains(err.Error(), second) {
		t.Errorf("an older file beside a newer second medium: %v", err)
	}
	o.Second = filepath.Join(second, "not-plugged-in")
	if _, err := sqlite.Open(t.Context(), path, o); !errors.Is(err, ledger.ErrCopy) {
		t.Errorf("without the second medium: %v", err)
	}
}
