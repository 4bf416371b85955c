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

// A ledger that was moved takes nothing more, not from a program that has it open either; one
// whose copy failed goes on.
func TestRetire(t *testing.T) {
	dir := t.TempDir()
	l, other := open(t, dir), open(t, dir)
	defer l.Close()
	defer other.Close()
	o := ledgertest.NewOffice(t, other)
	o.Found(t)
	fails := errors.New("no room")
	if err := l.Retire(t.Context(), func() error { return fails }); !errors.Is(err, fails) {
		t.Fatal(err)
	}
	o.Must(t, o.Enrol("A-1", "an", ""))
	if err := l.Retire(t.Context(), func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := o.Do(t.Context(), o.Enrol("A-2", "binh", "")); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("appended by a program that had it open: %v", err)
	}
	s, _ := ledgertest.LogKey(t)
	path := filepath.Join(dir, "ledger.db")
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Signer: s}); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("opened to append: %v", err)
	}
	reader, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if c := checkpoint(t, reader); c.Size != checkpoint(t, l).Size {
		t.Error(c.Size)
	}
	if err := reader.Retire(t.Context(), func() error { return nil }); !errors.Is(err, ledger.ErrReadOnly) {
		t.Error(err)
	}
	if err := os.Rename(path, path+".moved-20261126T180000Z"); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true}); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("opened where it was: %v", err)
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "other.db"), sqlite.Options{ReadOnly: true}); !errors.Is(err, ledger.ErrMissing) {
		t.Errorf("opened where none ever was: %v", err)
	}
}

// TestStill: reading a copy leaves nothing beside it; where something of it lies beside it, that
// is read.
func TestStill(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	medium := t.TempDir()
	path := filepath.Join(medium, "copy.db")
	if err := l.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	audit := func() {
		t.Helper()
		copied, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true, Still: true})
		if err != nil {
			t.Fatal(err)
		}
		defer copied.Close()
		r, err := copied.Verify(t.Context(), nil)
		if want := checkpoint(t, l); err != nil || !r.OK() || r.Size != want.Size || r.Root != want.Root {
			t.Errorf("%+v, %v", r, err)
		}
	}
	audit()
	if files, err := os.ReadDir(medium); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	o.Must(t, o.Enrol("A-1", "an", ""))
	for _, suffix := range []string{"", "-wal"} { // as somebody copies the files of a ledger in use
		b, err := os.ReadFile(filepath.Join(dir, "ledger.db"+suffix))
		if err == nil {
			err = os.WriteFile(path+suffix, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	audit()
}
