package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		make func(t *testing.T, dir, path string)
		want error
	}{
		"missing": {func(_ *testing.T, _, path string) { os.Remove(path) }, ledger.ErrMissing},
		"empty":   {func(_ *testing.T, _, path string) { os.Truncate(path, 0) }, ledger.ErrNotOurs},
		"text":    {func(_ *testing.T, _, path string) { os.WriteFile(path, bytes.Repeat([]byte("text "), 100), 0o600) }, ledger.ErrNotOurs},
		"another program's": {func(t *testing.T, dir, _ string) {
			tamper(t, dir, "PRAGMA application_id = 7", "PRAGMA wal_checkpoint(TRUNCATE)")
		}, ledger.ErrNotOurs},
		"newer":         {func(t *testing.T, dir, _ string) { tamper(t, dir, "PRAGMA user_version = 99") }, ledger.ErrNewer},
		"other scripts": {func(t *testing.T, dir, _ string) { tamper(t, dir, "UPDATE migration SET checksum = 'x'") }, ledger.ErrNotOurs},
		"damaged": {func(t *testing.T, _, path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			clear(b[100:4096])
			os.WriteFile(path, b, 0o600)
		}, ledger.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open(t, dir).Close()
			path := filepath.Join(dir, "ledger.db")
			test.make(t, dir, path)
			before, _ := os.ReadFile(path)
			_, err := sqlite.Open(t.Context(), path, options(t, dir))
			if !errors.Is(err, test.want) {
				t.Errorf("%v", err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was written to")
			}
		})
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	l := open(t, dir)
	defer l.Close()
	if l.Origin() != ledgertest.Origin {
		t.Error(l.Origin())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := sqlite.Create(t.Context(), path, ledgertest.Origin, options(t, dir)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another: %v", err)
	}
	if _, err := sqlite.Create(t.Context(), filepath.Join(dir, "no", "ledger.db"), ledgertest.Origin, options(t, dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	other := filepath.Join(dir, "other.db")
	if _, err := sqlite.Create(t.Context(), other, "other.test", options(t, dir)); err == nil {
		t.Error("a log under another key's name")
	}
	if _, err := sqlite.Create(t.Context(), other, ledgertest.Origin, sqlite.Options{}); err == nil {
		t.Error("a log without a key")
	}
	if _, err := os.Stat(other); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was left behind")
	}
	r, err := l.Verify(t.Context(), nil)
	if err != nil || !r.OK() || r.Size != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestPath: names that mean something in a URI are only names.
func TestPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sổ thẻ?mode=memory#1 %20")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	busy(t, dir)
	if found := find(t, dir, nil); len(found) > 0 {
		t.Error(found)
	}
	if _, err := os.Stat(filepath.Join(dir, "ledger.db")); err != nil {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	l := open(t, t.TempDir())
	defer l.Close()
	for name, want := range map[string]string{
		"synchronous": "2", "journal_mode": "wal", "recursive_triggers": "1", "foreign_keys": "1",
		"secure_delete": "1", "application_id": "1952542068", "user_version": "3", "busy_timeout": "5000",
	} {
		if got, err := l.Pragma(t.Context(), name); err != nil || got != want {
			t.Errorf("%s = %s, %v", name, got, err)
		}
	}
}

// TestAppendOnly: the connection that appends can do nothing else.
func TestAppendOnly(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := open(t, dir)
	defer l.Close()
	for _, s := range []string{
		"UPDATE entry SET act = 'x' WHERE idx = 3", "DELETE FROM entry WHERE idx = 51",
		"INSERT OR REPLACE INTO entry SELECT 51, kind, stream, 99, zeroblob(16), act, time, leaf, payload, nodes FROM entry WHERE idx = 51",
		"INSERT INTO entry SELECT 99, kind, stream, 99, zeroblob(16), act, time, leaf, payload, nodes FROM entry WHERE idx = 51",
		"UPDATE attachment SET sealed = x''", "DELETE FROM attachment", "UPDATE claim SET value = 'x'", "DELETE FROM claim",
		"INSERT OR REPLACE INTO claim SELECT kind, value, stream_kind, 'C-X', idx FROM claim",
		"UPDATE hold SET stream = 'C-X'", "UPDATE stream SET phase = 'active'", "DELETE FROM stream",
		"UPDATE log SET size = 1", "UPDATE log SET origin = 'x', size = 99", "DELETE FROM log",
	} {
		if err := l.Exec(t.Context(), s); err == nil {
			t.Errorf("done: %s", s)
		}
	}
	if found := verify(t, l, nil); len(found) > 0 {
		t.Error(found)
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	at, entries := oneMore(t, dir)
	for name, change := range map[string]func(*sqlite.Options){
		"read-only":       func(o *sqlite.Options) { o.ReadOnly = true },
		"without its key": func(o *sqlite.Options) { o.Signer = nil },
	} {
		o := options(t, dir)
		change(&o)
		l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Append(t.Context(), at, entries...); !errors.Is(err, ledger.ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
		if found := verify(t, l, nil); len(found) > 0 {
			t.Error(found)
		}
		l.Close()
	}
	skey, _, err := note.GenerateKey(nil, "other.test")
	if err != nil {
		t.Fatal(err)
	}
	other, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), sqlite.Options{Signer: other}); err == nil {
		t.Error("opened with another log's key")
	}
}

// oneMore is an entry that the ledger of busy would take.
func oneMore(t testing.TB, dir string) (issuance.Head, []issuance.Entry) {
	t.Helper()
	l := open(t, dir)
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	at, entries, err := o.Build(t.Context(), false, o.Enrol("A-9", "zoe", ""))
	if err != nil {
		t.Fatal(err)
	}
	return at, entries
}

func TestFull(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := open(t, dir)
	defer l.Close()
	if err := l.LimitPages(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := ledgertest.NewOffice(t, l)
	before, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := o.Enrol("A-9", "zoe", "")
	s.Attach[0].Sealed = make([]byte, 1<<20)
	if err := o.Do(t.Context(), s); !errors.Is(err, ledger.ErrFull) {
		t.Errorf("%v", err)
	}
	after, err := l.Checkpoint(t.Context())
	if err != nil || after.Size != before.Size {
		t.Errorf("%d entries after %d, %v", after.Size, before.Size, err)
	}
	if found := verify(t, l, before); len(found) > 0 {
		t.Error(found)
	}
	o.Must(t, o.Revoke("C-2", "ann")) // a small one still fits
}

func TestBusy(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	at, entries := oneMore(t, dir)
	o := options(t, dir)
	o.Busy = 20 * time.Millisecond
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	other := raw(t, dir)
	defer other.Close()
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), at, entries...); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("%v", err)
	}
	if _, err := l.Stream(t.Context(), issuance.Card("C-1")); err != nil {
		t.Errorf("reading waits for writing: %v", err)
	}
	second, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		t.Errorf("opening waits for writing: %v", err)
	} else {
		second.Close()
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), at, entries...); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestTwoHandles: what another program appended is seen, cached or not.
func TestTwoHandles(t *testing.T) {
	dir := t.TempDir()
	one, two := open(t, dir), open(t, dir)
	defer one.Close()
	defer two.Close()
	a, b := ledgertest.NewOffice(t, one), ledgertest.NewOffice(t, two)
	a.Found(t)
	for i, o := range []*ledgertest.Office{a, b, a, b, b, a} {
		app := string(rune('a' + i))
		o.Must(t, o.Enrol(app, app, ""))
	}
	b.Must(t, ledgertest.Step{
		Stream: issuance.OperatorStream(a.Registrar.ID), Act: issuance.Revoke, By: a.Root, Second: &a.Mate,
		Fields: map[string]string{"reason": "left"}, Release: a.Hire(a.Registrar).Hold,
	})
	if err := a.Do(t.Context(), a.Enrol("late", "late", "")); !errors.Is(err, issuance.ErrOperator) {
		t.Errorf("revoked in another program: %v", err)
	}
	if found := verify(t, one, nil); len(found) > 0 {
		t.Error(found)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := open(t, dir)
	defer l.Close()
	for _, test := range []struct {
		kind   issuance.Kind
		phases []issuance.Phase
		want   string
	}{
		{issuance.KindCard, nil, "C-1 superseded, C-2 active, C-3 checked"},
		{issuance.KindCard, []issuance.Phase{issuance.Active, issuance.Checked}, "C-2 active, C-3 checked"},
		{issuance.KindApplication, []issuance.Phase{issuance.Issued}, "A-1 issued, A-2 issued"},
		{issuance.KindKey, nil, "ds-001 in-use"},
	} {
		list, err := l.List(t.Context(), test.kind, test.phases...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, s.Stream.ID+" "+string(s.Phase))
			if s.Since.Year() != 2026 || s.Seq == 0 {
				t.Errorf("%+v", s)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s %v: %s", test.kind, test.phases, got)
		}
	}
}

func TestVerifierOfTheFirstEntry(t *testing.T) {
	dir := t.TempDir()
	o := options(t, dir)
	o.Verifier = nil
	path := filepath.Join(dir, "ledger.db")
	l, err := sqlite.Create(t.Context(), path, ledgertest.Origin, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Checkpoint(t.Context()); !errors.Is(err, ledger.ErrCheckpoint) {
		t.Errorf("an empty log has a verifier: %v", err)
	}
	office := ledgertest.NewOffice(t, l)
	office.Found(t)
	_, want := ledgertest.LogKey(t)
	if v, err := l.Verifier(context.Background()); err != nil || v.KeyHash() != want.KeyHash() {
		t.Errorf("%v", err)
	}
	if found := verify(t, l, nil); len(found) > 0 {
		t.Error(found)
	}
}
