package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func loadInto(t *testing.T, path string, octets []byte) error {
	t.Helper()
	x, err := ledger.OpenExcerpt(bytes.NewReader(octets))
	if err != nil {
		return err
	}
	_, v := ledgertest.LogKey(t)
	_, err = sqlite.Load(t.Context(), path, v, x)
	return err
}

// A file that was loaded is the log: the same octets, the same checkpoint, and it goes on under
// its key. More entries than are taken at once, cards among them that point to what came before.
func TestLoad(t *testing.T) {
	l := open(t, t.TempDir())
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "an", "")
	var steps []ledgertest.Step
	for i := range 1500 {
		steps = append(steps, o.Enrol(fmt.Sprintf("A-x%d", i), fmt.Sprint(i), ""))
	}
	steps[7].Attach = append(steps[7].Attach, issuance.Attachment{Name: "face", Sealed: []byte("another")}) // not in the order of names
	o.Must(t, steps...)
	o.IssueCard(t, "A-2", "C-2", "an", "C-1")
	whole := excerpt(t, l, 0)
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	if err := loadInto(t, path, whole); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := loadInto(t, path, whole); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file was loaded over: %v", err)
	}
	s, _ := ledgertest.LogKey(t)
	loaded, err := sqlite.Open(t.Context(), path, sqlite.Options{Signer: s})
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if !bytes.Equal(excerpt(t, loaded, 0), whole) {
		t.Error("the octets are not the log's")
	}
	if mode, err := loaded.Pragma(t.Context(), "journal_mode"); mode != "wal" {
		t.Error(mode, err)
	}
	if report, err := loaded.Verify(t.Context(), nil); err != nil || !report.OK() {
		t.Errorf("what was loaded does not agree: %v %v", report, err)
	}
	o.Ledger = loaded
	o.IssueCard(t, "A-3", "C-3", "an", "C-2")
}

// What is no whole log makes no file.
func TestLoadRefuses(t *testing.T) {
	l := open(t, t.TempDir())
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "an", "")
	whole := excerpt(t, l, 0)
	changed := bytes.Clone(whole)
	changed[len(changed)/2] ^= 1
	dir := t.TempDir()
	for name, octets := range map[string][]byte{
		"cut short": whole[:len(whole)-1], "changed": changed, "with an octet more": append(bytes.Clone(whole), 0), "not from its beginning": excerpt(t, l, 2),
	} {
		if err := loadInto(t, filepath.Join(dir, "ledger.db"), octets); err == nil {
			t.Errorf("%s: it was loaded", name)
		}
		if list, err := os.ReadDir(dir); len(list) > 0 || err != nil {
			t.Errorf("%s: it left %v, %v", name, list, err)
		}
	}
}
