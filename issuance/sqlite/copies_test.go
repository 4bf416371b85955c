package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func readCopy(t *testing.T, dir string) *ledger.Checkpoint {
	t.Helper()
	octets, err := os.ReadFile(filepath.Join(dir, "checkpoints", ledger.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	_, v := ledgertest.LogKey(t)
	c, err := ledger.ParseCheckpoint(octets, v)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCopyFollows(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	if c := readCopy(t, dir); c.Size != 65 {
		t.Errorf("the copy signs %d entries", c.Size)
	}
	left, err := os.ReadDir(filepath.Join(dir, "checkpoints"))
	if err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}

// TestCopyIsRepaired: a copy that a crash left behind, cut short or never made is good
// again after opening.
func TestCopyIsRepaired(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	l.Close()
	name := filepath.Join(dir, "checkpoints", ledger.CheckpointFile)
	older, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	o.Ledger = l
	o.Must(t, o.Enrol("A-1", "ann", ""))
	l.Close()
	for what, change := range map[string]func() error{
		"behind":    func() error { return os.WriteFile(name, older, 0o600) },
		"cut short": func() error { return os.Truncate(name, 20) },
		"empty":     func() error { return os.Truncate(name, 0) },
		"gone":      func() error { return os.RemoveAll(filepath.Dir(name)) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		open(t, dir).Close()
		if c := readCopy(t, dir); c.Size != 21 {
			t.Errorf("%s: the copy signs %d entries", what, c.Size)
		}
	}
}

// TestRolledBack: an older copy of the file in its place is not appended to; it can be
// read, and the audit says what is wrong.
func TestRolledBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	l := open(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	l.Close()
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	o.Ledger = l
	o.Must(t, o.Enrol("A-1", "ann", ""))
	l.Close()
	if err := os.WriteFile(path, older, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, options(t, dir)); !errors.Is(err, ledger.ErrRolledBack) {
		t.Errorf("%v", err)
	}
	if readCopy(t, dir).Size != 21 {
		t.Error("the copy was overwritten")
	}
	codes(t, find(t, dir, nil), ledger.RolledBack)

	// and a file that went on differently
	away := options(t, t.TempDir())
	l, err = sqlite.Open(t.Context(), path, away)
	if err != nil {
		t.Fatal(err)
	}
	o.Ledger = l
	o.Must(t, o.Enrol("A-2", "bob", ""))
	o.Must(t, o.Enrol("A-3", "joe", ""))
	l.Close()
	if _, err := sqlite.Open(t.Context(), path, options(t, dir)); !errors.Is(err, ledger.ErrRolledBack) {
		t.Errorf("%v", err)
	}
	codes(t, find(t, dir, nil), ledger.Rewritten)
}

// TestCopyFails: as long as the last checkpoint is not out of the file, nothing is added.
func TestCopyFails(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	folder := filepath.Join(dir, "checkpoints")
	l.Settle()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	o.Must(t, o.Enrol("A-1", "ann", ""))
	l.Settle()
	if err := o.Do(t.Context(), o.Enrol("A-2", "bob", "")); !errors.Is(err, ledger.ErrCopy) {
		t.Errorf("%v", err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Must(t, o.Enrol("A-2", "bob", ""))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if c := readCopy(t, dir); c.Size != 23 {
		t.Errorf("the copy signs %d entries", c.Size)
	}
}
