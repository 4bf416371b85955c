package postgres_test

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

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// wrappedSize is that of a key wrapped by AES-GCM.
const wrappedSize = 12 + 32 + 16

func newSubjects(t *testing.T, dsn string) *postgres.Subjects {
	t.Helper()
	s, err := postgres.CreateSubjects(t.Context(), dsn, "vault-001")
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func another(t *testing.T, dsn string) *postgres.Subjects {
	t.Helper()
	s, err := postgres.OpenSubjects(t.Context(), dsn, false)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestSubjects(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Database(t)
	if _, err := postgres.OpenSubjects(ctx, dsn, false); !errors.Is(err, ledger.ErrMissing) {
		t.Error(err)
	}
	s := newSubjects(t, dsn)
	if _, err := postgres.CreateSubjects(ctx, dsn, "x"); !errors.Is(err, fs.ErrExist) {
		t.Error("it is made over what is there:", err)
	}
	if _, known, err := s.Key(ctx, "A-1", 2); known || err != nil {
		t.Error("an empty database knows a key", err)
	}
	must(t, s.Add(ctx, "A-1", 2, []byte("one")))
	must(t, s.Add(ctx, "A-1", 2, []byte("two")))
	if got, known, err := s.Key(ctx, "A-1", 2); string(got) != "one" || !known || err != nil {
		t.Errorf("a key that was there is now %q, %v", got, err)
	}
	reader, err := postgres.OpenSubjects(ctx, dsn, true)
	must(t, err)
	defer reader.Close()
	if err := reader.Add(ctx, "A-2", 2, []byte("x")); !errors.Is(err, ledger.ErrReadOnly) {
		t.Error("opened for reading it writes:", err)
	}
	must(t, s.Destroy(ctx, "A-1", 2))
	must(t, s.Add(ctx, "A-1", 2, []byte("three")))
	must(t, s.Destroy(ctx, "A-0", 2)) // that never was
	for _, one := range []*postgres.Subjects{s, another(t, dsn), reader} {
		for _, subject := range []string{"A-0", "A-1"} {
			if got, known, err := one.Key(ctx, subject, 2); got != nil || !known || err != nil {
				t.Errorf("a destroyed key is %q, known %v, %v", got, known, err)
			}
		}
		if name := one.KEK(); name != "vault-001" {
			t.Error(name)
		}
	}
	conn := connect(t, dsn)
	for _, text := range []string{
		"UPDATE tamthe_vault.key SET live = true", "DELETE FROM tamthe_vault.key", "UPDATE tamthe_vault.key SET subject = 'A-2'",
		"UPDATE tamthe_vault.key SET wrapped = '\\x00'",
	} {
		if _, err := conn.Exec(ctx, text); err == nil {
			t.Errorf("%s: a destroyed key comes back", text)
		}
	}
	_, err = conn.Exec(ctx, "UPDATE tamthe_vault.vault SET version = 2")
	must(t, err)
	if _, err := postgres.OpenSubjects(ctx, dsn, false); !errors.Is(err, ledger.ErrNewer) {
		t.Error(err)
	}
}

// A desk's role can do all that desks do with the vault, and nothing else.
func TestSubjectsRole(t *testing.T) {
	ctx, server := t.Context(), pgtest.Server(t)
	dsn := pgtest.Database(t)
	newSubjects(t, dsn)
	c, err := pgx.ParseConfig(dsn)
	must(t, err)
	role := "desk_of_" + c.Database
	conn := connect(t, dsn)
	_, err = conn.Exec(ctx, "CREATE ROLE "+role+" LOGIN IN ROLE tamthe_vault")
	must(t, err)
	t.Cleanup(func() { conn.Exec(context.Background(), "DROP ROLE "+role) })
	its := server.DSN(c.Database, role)
	s := another(t, its)
	must(t, s.Add(ctx, "A-1", 2, []byte("one")))
	must(t, s.Destroy(ctx, "A-1", 2))
	must(t, s.Rewrap(ctx, "vault-002", func(string, uint32, []byte) ([]byte, error) { return []byte("x"), nil }))
	desk := connect(t, its)
	for _, text := range []string{
		"DELETE FROM tamthe_vault.key", "TRUNCATE tamthe_vault.key", "DROP SCHEMA tamthe_vault CASCADE", "DELETE FROM tamthe_vault.rest",
		"UPDATE tamthe_vault.key SET subject = 'A-2'", "ALTER TABLE tamthe_vault.key DISABLE TRIGGER ALL",
	} {
		if _, err := desk.Exec(ctx, text); err == nil {
			t.Errorf("the role of a desk may %s", text)
		}
	}
}

// holds lists which files of a server's tables hold octets, and whether its write-ahead log
// does.
func holds(t *testing.T, dsn string, octets []byte) (names []string, log bool) {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	must(t, err)
	data := filepath.Join(c.Host, "data") // beside the socket
	must(t, filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // a file that is gone by now
		}
		b, err := os.ReadFile(path)
		switch rel, _ := filepath.Rel(data, path); {
		case err != nil || !bytes.Contains(b, octets):
		case filepath.Dir(rel) == "pg_wal":
			log = true
		default:
			names = append(names, rel)
		}
		return nil
	}))
	return names, log
}

// TestDestroyedIsGone looks for destroyed keys in every file of the server's tables, among some
// hundred that stay. What it says of the log is why keys are rewrapped.
func TestDestroyedIsGone(t *testing.T) {
	ctx := t.Context()
	dsn := pgtest.New(t).DSN("postgres", "postgres")
	s, conn := newSubjects(t, dsn), connect(t, dsn)
	keys := map[string][]byte{}
	for i := range 600 {
		key := make([]byte, wrappedSize)
		rand.Read(key)
		subject := fmt.Sprintf("A-%d", i)
		keys[subject] = key
		must(t, s.Add(ctx, subject, uint32(2+i%2), key))
	}
	checkpoint := func() {
		t.Helper()
		_, err := conn.Exec(ctx, "CHECKPOINT")
		must(t, err)
	}
	checkpoint()
	if names, _ := holds(t, dsn, keys["A-1"]); len(names) == 0 {
		t.Fatal("the search finds nothing")
	}
	var inLog int
	for i := range 12 {
		subject := fmt.Sprintf("A-%d", i)
		must(t, s.Destroy(ctx, subject, 2))
		must(t, s.Destroy(ctx, subject, 3))
	}
	checkpoint()
	for i := range 12 {
		subject := fmt.Sprintf("A-%d", i)
		names, log := holds(t, dsn, keys[subject])
		if len(names) > 0 {
			t.Fatalf("a destroyed key is in %v", names)
		}
		if log {
			inLog++
		}
		delete(keys, subject)
	}
	t.Logf("of 12 destroyed keys the write-ahead log still holds %d, wrapped", inLog)
	for subject, key := range keys {
		var class uint32 = 2
		if subject[len(subject)-1]%2 == 1 {
			class = 3
		}
		if got, _, err := s.Key(ctx, subject, class); !bytes.Equal(got, key) || err != nil {
			t.Fatalf("a key that was to stay is gone: %s %v", subject, err)
		}
	}
	must(t, s.Rewrap(ctx, "vault-002", func(string, uint32, []byte) ([]byte, error) { return bytes.Repeat([]byte{1}, wrappedSize), nil }))
	checkpoint()
	for i := 20; i < 25; i++ {
		if names, _ := holds(t, dsn, keys[fmt.Sprintf("A-%d", i)]); len(names) > 0 {
			t.Fatalf("an old wrapping is in %v", names)
		}
	}
}

// TestDestroyWhileRead: another program that reads keeps the files from being written anew; it
// is said, and done when asked again.
func TestDestroyWhileRead(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Database(t)
	s, conn := newSubjects(t, dsn), connect(t, dsn)
	must(t, s.Add(ctx, "A-1", 2, bytes.Repeat([]byte{0xC5}, wrappedSize)))
	tx, err := conn.Begin(ctx)
	must(t, err)
	var n int
	must(t, tx.QueryRow(ctx, "SELECT count(*) FROM tamthe_vault.key").Scan(&n))
	if err := s.Destroy(ctx, "A-1", 2); !errors.Is(err, ledger.ErrBusy) {
		t.Error("destroyed while another reads:", err)
	}
	if got, known, err := s.Key(ctx, "A-1", 2); got != nil || !known || err != nil {
		t.Error("it can still be had:", err)
	}
	must(t, tx.Rollback(ctx))
	must(t, s.Destroy(ctx, "A-9", 2))
	must(t, conn.QueryRow(ctx, "SELECT count(*) FROM tamthe_vault.rest").Scan(&n))
	if n != 0 {
		t.Error("of", n, "parts the files were not written anew")
	}
}

// TestRewrap: every live key is replaced, the destroyed ones stay destroyed, a failure changes
// nothing, and who opened the vault before keeps no key under the old wrapping.
func TestRewrap(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Database(t)
	s, other := newSubjects(t, dsn), (*postgres.Subjects)(nil)
	old := bytes.Repeat([]byte{0xC5}, wrappedSize)
	for i := range 600 {
		must(t, s.Add(ctx, fmt.Sprintf("A-%d", i), 2, old))
	}
	must(t, s.Destroy(ctx, "A-7", 2))
	other = another(t, dsn)
	again := func(string, uint32, []byte) ([]byte, error) { return bytes.Repeat([]byte{0x3A}, wrappedSize+8), nil }
	fails, n := errors.New("no token"), 0
	err := s.Rewrap(ctx, "vault-002", func(subject string, class uint32, b []byte) ([]byte, error) {
		if n++; n == 400 {
			return nil, fails
		}
		return again(subject, class, b)
	})
	if !errors.Is(err, fails) {
		t.Fatal(err)
	}
	if got, _, err := s.Key(ctx, "A-1", 2); s.KEK() != "vault-001" || !bytes.Equal(got, old) {
		t.Error("a rewrapping that failed left its traces", err)
	}
	must(t, s.Rewrap(ctx, "vault-002", again))
	live := 0
	must(t, s.Live(ctx, 2, func(subject string) error {
		live++
		if b, _, err := s.Key(ctx, subject, 2); len(b) != wrappedSize+8 || err != nil || subject == "A-7" {
			t.Fatalf("%s: %d octets, %v", subject, len(b), err)
		}
		return nil
	}))
	if name := s.KEK(); live != 599 || name != "vault-002" {
		t.Error(live, name)
	}
	if err := other.Add(ctx, "A-new", 2, old); !errors.Is(err, postgres.ErrRewrapped) {
		t.Error("a key under the old wrapping is kept:", err)
	}
	if err := other.Rewrap(ctx, "vault-003", again); !errors.Is(err, postgres.ErrRewrapped) {
		t.Error("wrapped anew from an old wrapping:", err)
	}
	must(t, s.Add(ctx, "A-new", 2, old))
}

// TestSubjectsRace: two programs that make the key of a subject at once have the same.
func TestSubjectsRace(t *testing.T) {
	ctx, dsn := context.Background(), pgtest.Database(t)
	s, other := newSubjects(t, dsn), another(t, dsn)
	done := make(chan error)
	for i, s := range []*postgres.Subjects{s, other} {
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
	must(t, errors.Join(<-done, <-done))
	for n := range 50 {
		one, _, err := s.Key(ctx, fmt.Sprint(n), 2)
		must(t, err)
		two, _, err := other.Key(ctx, fmt.Sprint(n), 2)
		must(t, err)
		if !bytes.Equal(one, two) || len(one) != 1 {
			t.Fatal("two keys of one subject")
		}
	}
}

// A vault that goes from a file to a database and back holds the same, what was destroyed too.
func TestCopySubjects(t *testing.T) {
	ctx, dsn, dir := t.Context(), pgtest.Database(t), t.TempDir()
	first, err := sqlite.CreateSubjects(ctx, filepath.Join(dir, "first.db"), "vault-003")
	must(t, err)
	defer first.Close()
	want := map[string][]byte{}
	for i := range 300 {
		subject := fmt.Sprintf("A-%d", i)
		want[subject] = []byte(subject + " wrapped")
		must(t, first.Add(ctx, subject, uint32(2+i%2), want[subject]))
	}
	must(t, first.Destroy(ctx, "A-4", 2))
	want["A-4"] = nil
	must(t, postgres.CopySubjects(ctx, dsn, first))
	if err := postgres.CopySubjects(ctx, dsn, first); !errors.Is(err, fs.ErrExist) {
		t.Error("copied over what is there:", err)
	}
	second := another(t, dsn)
	path := filepath.Join(dir, "third.db")
	must(t, sqlite.CopySubjects(ctx, path, second))
	third, err := sqlite.OpenSubjects(ctx, path, true)
	must(t, err)
	defer third.Close()
	for _, s := range []interface {
		KEK() string
		Key(ctx context.Context, subject string, class uint32) ([]byte, bool, error)
	}{second, third} {
		if s.KEK() != "vault-003" {
			t.Error(s.KEK())
		}
		for i := range 300 {
			subject := fmt.Sprintf("A-%d", i)
			if got, known, err := s.Key(ctx, subject, uint32(2+i%2)); !bytes.Equal(got, want[subject]) || !known || err != nil {
				t.Fatalf("%s: %q, known %v, %v", subject, got, known, err)
			}
		}
	}
}
