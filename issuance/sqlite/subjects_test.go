package sqlite

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// wrappedSize is that of a key wrapped by AES-GCM.
const wrappedSize = 12 + 32 + 16

func newSubjects(t *testing.T) (*Subjects, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "subjects.db")
	s, err := CreateSubjects(t.Context(), path, "vault-001")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds lists which files of a folder hold the octets.
func holds(t *testing.T, dir string, octets []byte) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		ok(t, err)
		if bytes.Contains(b, octets) {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestSubjects(t *testing.T) {
	ctx := t.Context()
	s, path := newSubjects(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("mode", info.Mode(), err)
	}
	if _, known, err := s.Key(ctx, "A-1", 2); known || err != nil {
		t.Error("an empty database knows a key", err)
	}
	ok(t, s.Add(ctx, "A-1", 2, []byte("one")))
	ok(t, s.Add(ctx, "A-1", 2, []byte("two")))
	if got, known, err := s.Key(ctx, "A-1", 2); string(got) != "one" || !known || err != nil {
		t.Errorf("a key that was there is now %q, %v", got, err)
	}
	ok(t, s.Destroy(ctx, "A-1", 2))
	ok(t, s.Add(ctx, "A-1", 2, []byte("three")))
	for _, again := range []func(){func() {}, func() {
		ok(t, s.Close())
		var err error
		s, err = OpenSubjects(ctx, path, false)
		ok(t, err)
	}} {
		again()
		if got, known, err := s.Key(ctx, "A-1", 2); got != nil || !known || err != nil {
			t.Errorf("a destroyed key is %q, known %v, %v", got, known, err)
		}
	}
	if name := s.KEK(); name != "vault-001" {
		t.Error(name)
	}
	for _, text := range []string{
		"UPDATE key SET live = 1", "DELETE FROM key", "UPDATE key SET subject = 'A-2'", "INSERT OR REPLACE INTO key VALUES (1, 'A-1', 2, 1, x'00')",
	} {
		if _, err := s.db.ExecContext(ctx, text); err == nil {
			t.Errorf("%s: a destroyed key comes back", text)
		}
	}
}

func TestSubjectsFiles(t *testing.T) {
	ctx := t.Context()
	s, path := newSubjects(t)
	if _, err := CreateSubjects(ctx, path, "x"); !errors.Is(err, fs.ErrExist) {
		t.Error("it is made over what is there:", err)
	}
	if _, err := OpenSubjects(ctx, path+"x", false); !errors.Is(err, ledger.ErrMissing) {
		t.Error(err)
	}
	ok(t, os.WriteFile(path+"x", make([]byte, 4096), 0o600))
	if _, err := OpenSubjects(ctx, path+"x", false); !errors.Is(err, ledger.ErrNotOurs) {
		t.Error(err)
	}
	reader, err := OpenSubjects(ctx, path, true)
	ok(t, err)
	defer reader.Close()
	ok(t, s.Add(ctx, "A-1", 2, []byte("one")))
	if got, _, err := reader.Key(ctx, "A-1", 2); string(got) != "one" || err != nil {
		t.Error(got, err)
	}
	if err := reader.Add(ctx, "A-2", 2, []byte("x")); !errors.Is(err, ledger.ErrReadOnly) {
		t.Error("opened for reading it writes:", err)
	}
	_, err = s.db.ExecContext(ctx, "PRAGMA user_version = 2")
	ok(t, err)
	if _, err := OpenSubjects(ctx, path, false); !errors.Is(err, ledger.ErrNewer) {
		t.Error(err)
	}
}

// TestDestroyedIsGone looks for destroyed keys in every octet of the database, its journal
// and its shared memory while it is open, and after, among three thousand that stay.
func TestDestroyedIsGone(t *testing.T) {
	ctx := t.Context()
	s, path := newSubjects(t)
	const n = 3000
	keys := map[string][]byte{}
	_, err := s.db.ExecContext(ctx, "PRAGMA synchronous = OFF") // only until the keys are there
	ok(t, err)
	for i := range n {
		key := make([]byte, wrappedSize)
		rand.Read(key)
		subject := fmt.Sprintf("A-%08X", rand16())
		keys[subject] = key
		ok(t, s.Add(ctx, subject, uint32(2+i%2), key))
		if i == n/2 {
			ok(t, s.empty(ctx)) // some are only in the journal, some in both
		}
	}
	_, err = s.db.ExecContext(ctx, "PRAGMA synchronous = FULL")
	ok(t, err)
	for _, key := range keys {
		if len(holds(t, filepath.Dir(path), key)) == 0 {
			t.Fatal("the search finds nothing")
		}
		break
	}
	gone := 0
	for subject := range keys {
		if gone++; gone > 40 {
			break
		}
		ok(t, s.Destroy(ctx, subject, 2))
		ok(t, s.Destroy(ctx, subject, 3))
		if where := holds(t, filepath.Dir(path), keys[subject]); where != nil {
			t.Fatalf("a destroyed key is in %v", where)
		}
		delete(keys, subject)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	ok(t, CopySubjects(ctx, backup, s))
	ok(t, s.Close())
	all, err := os.ReadFile(path)
	ok(t, err)
	copied, err := os.ReadFile(backup)
	ok(t, err)
	for _, key := range keys {
		if !bytes.Contains(all, key) || !bytes.Contains(copied, key) {
			t.Fatal("a key that was to stay is gone")
		}
	}
}

func rand16() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
}

// TestDestroyWhileRead: another program that reads keeps the journal from being emptied;
// it is said, and done when asked again.
func TestDestroyWhileRead(t *testing.T) {
	ctx := t.Context()
	s, path := newSubjects(t)
	key := bytes.Repeat([]byte{0xC5}, wrappedSize)
	ok(t, s.Add(ctx, "A-1", 2, key))
	reader, err := OpenSubjects(ctx, path, true)
	ok(t, err)
	defer reader.Close()
	tx, err := reader.db.BeginTx(ctx, nil)
	ok(t, err)
	var n int
	ok(t, tx.QueryRowContext(ctx, "SELECT count(*) FROM key").Scan(&n))
	_, err = s.db.ExecContext(ctx, "PRAGMA busy_timeout = 50")
	ok(t, err)
	if err := s.Destroy(ctx, "A-1", 2); !errors.Is(err, ledger.ErrBusy) {
		t.Error("destroyed while another reads:", err)
	}
	if got, known, err := s.Key(ctx, "A-1", 2); got != nil || !known || err != nil {
		t.Error("it can still be had:", err)
	}
	ok(t, tx.Rollback())
	ok(t, s.Destroy(ctx, "A-1", 2))
	if where := holds(t, filepath.Dir(path), key); where != nil {
		t.Errorf("it is in %v", where)
	}
}

// TestRewrap: every live key is replaced, the destroyed ones stay destroyed, nothing of
// the old is left, and a failure changes nothing.
func TestRewrap(t *testing.T) {
	ctx := t.Context()
	s, path := newSubjects(t)
	old := bytes.Repeat([]byte{0xC5}, wrappedSize)
	for i := range 600 {
		ok(t, s.Add(ctx, fmt.Sprintf("A-%d", i), 2, old))
	}
	ok(t, s.Destroy(ctx, "A-7", 2))
	other, err := OpenSubjects(ctx, path, false)
	ok(t, err)
	defer other.Close()
	again := func(string, uint32, []byte) ([]byte, error) { return bytes.Repeat([]byte{0x3A}, wrappedSize+8), nil }
	fails, n := errors.New("no token"), 0
	err = s.Rewrap(ctx, "vault-002", func(subject string, class uint32, b []byte) ([]byte, error) {
		if n++; n == 400 {
			return nil, fails
		}
		return again(subject, class, b)
	})
	if !errors.Is(err, fails) {
		t.Fatal(err)
	}
	if name := s.KEK(); name != "vault-001" || len(holds(t, filepath.Dir(path), old)) == 0 {
		t.Error("a rewrapping that failed left its traces")
	}
	ok(t, s.Rewrap(ctx, "vault-002", again))
	if where := holds(t, filepath.Dir(path), old[:32]); where != nil {
		t.Errorf("old wrappings are in %v", where)
	}
	live := 0
	ok(t, s.Live(ctx, 2, func(subject string) error {
		live++
		if b, _, err := s.Key(ctx, subject, 2); len(b) != wrappedSize+8 || err != nil || subject == "A-7" {
			t.Fatalf("%s: %d octets, %v", subject, len(b), err)
		}
		return nil
	}))
	if name := s.KEK(); live != 599 || name != "vault-002" {
		t.Error(live, name)
	}
	if err := other.Add(ctx, "A-new", 2, old); !errors.Is(err, ErrRewrapped) {
		t.Error("a key under the old wrapping is kept:", err)
	}
	ok(t, s.Add(ctx, "A-new", 2, old))
}

// TestSubjectsRace: two programs that make the key of a subject at once have the same.
func TestSubjectsRace(t *testing.T) {
	ctx := context.Background()
	s, path := newSubjects(t)
	other, err := OpenSubjects(ctx, path, false)
	ok(t, err)
	defer other.Close()
	done := make(chan error)
	for i, s := range []*Subjects{s, other} {
		go func() {
			for n := range 50 {
				if err := s.Add(ctx, fmt.Sprint(n), 2, []byte{byte(i)}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	ok(t, errors.Join(<-done, <-done))
	for n := range 50 {
		one, _, err := s.Key(ctx, fmt.Sprint(n), 2)
		ok(t, err)
		two, _, err := other.Key(ctx, fmt.Sprint(n), 2)
		ok(t, err)
		if !bytes.Equal(one, two) {
			t.Fatal("two keys of one subject")
		}
	}
}
