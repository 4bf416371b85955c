package sqlite_test

import (
	"errors"
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
}
