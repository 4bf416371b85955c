package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// key is the key of a home.
func key(t testing.TB) *keystore.Secret {
	t.Helper()
	s, err := keystore.GenerateSecret(filepath.Join(t.TempDir(), "drafts"), keystore.UseVault)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func head(n int) Head {
	return Head{Name: fmt.Sprintf("A-%010d", n), Taken: time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC).Add(time.Duration(-n) * time.Minute), Operator: [32]byte{byte(n)}}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// content is what a request says; a test looks for it where it must not be.
var content = []byte("Nguyễn Thị Thử Nghiệm, 003190000017")

func TestKeep(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: filepath.Join(t.TempDir(), "drafts")}, key(t)
	if list, err := b.List(); err != nil || len(list) > 0 {
		t.Fatalf("where no box is: %v, %v", list, err)
	}
	for n := range 3 {
		check(t, b.Keep(t.Context(), w, head(n), content))
	}
	wantError(t, "twice", b.Keep(t.Context(), w, head(1), content), ErrExists)
	wantError(t, "too large", b.Keep(t.Context(), w, head(9), make([]byte, MaxContent+1)), ErrFormat)
	wantError(t, "a path", b.Keep(t.Context(), w, Head{Name: "../A-1"}, content), ErrFormat)
	list, err := b.List()
	check(t, err)
	for i, item := range list {
		if item.Head != head(2-i) || item.Err != nil || item.Refusal != nil { // the one taken first first
			t.Errorf("%d: %+v", i, item)
		}
	}
	h, got, err := b.Open(t.Context(), w, head(1).Name)
	if check(t, err); h != head(1) || !bytes.Equal(got, content) {
		t.Errorf("%+v, %q", h, got)
	}
	for _, name := range []string{"A-9", "../x", ""} {
		_, _, err := b.Open(t.Context(), w, name)
		wantError(t, name, err, ErrMissing)
	}
	if info, err := os.Stat(b.path(head(1).Name + draftEnd)); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file's mode: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(b.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder's mode: %v, %v", info.Mode(), err)
	}
	nothingIn(t, b.Dir)
}

// nothingIn looks for the content in every file.
func nothingIn(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	check(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		check(t, err)
		if bytes.Contains(raw, []byte("003190")) || bytes.Contains(raw, []byte("Th")) {
			t.Errorf("%s holds content", f.Name())
		}
	}
}

// A box that is full takes no more, and takes one again when one is filed.
func TestMany(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: t.TempDir()}, key(t)
	for n := range MaxDrafts {
		check(t, os.WriteFile(b.path(head(n).Name+draftEnd), nil, 0o600))
	}
	wantError(t, "one too many", b.Keep(t.Context(), w, head(MaxDrafts), content), ErrMany)
	check(t, b.Filed(head(0).Name))
	check(t, b.Keep(t.Context(), w, head(MaxDrafts), content))
}

// What was changed, cut, put in another's place or sealed by another home does not open.
func TestChanged(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: t.TempDir()}, key(t)
	check(t, b.Keep(t.Context(), w, head(1), content))
	check(t, b.Keep(t.Context(), w, head(2), content))
	path := b.path(head(1).Name + draftEnd)
	raw, err := os.ReadFile(path)
	check(t, err)
	for at := range raw {
		changed := bytes.Clone(raw)
		changed[at] ^= 1
		check(t, os.WriteFile(path, changed, 0o600))
		if _, got, err := b.Open(t.Context(), w, head(1).Name); !errors.Is(err, ErrSealed) && !errors.Is(err, ErrFormat) || got != nil {
			t.Fatalf("octet %d changed: %q, %v", at, got, err)
		}
		check(t, os.WriteFile(path, raw[:at], 0o600))
		if _, got, err := b.Open(t.Context(), w, head(1).Name); err == nil || got != nil {
			t.Fatalf("cut at %d: %q", at, got)
		}
	}
	check(t, os.WriteFile(path, raw, 0o600))
	_, _, err = b.Open(t.Context(), key(t), head(1).Name)
	wantError(t, "another home's key", err, ErrSealed)
	check(t, os.Rename(path, b.path(head(2).Name+draftEnd)))
	_, _, err = b.Open(t.Context(), w, head(2).Name)
	wantError(t, "in another's place", err, ErrFormat)
	list, err := b.List()
	if check(t, err); len(list) != 1 || list[0].Err == nil || list[0].Name != head(2).Name {
		t.Errorf("a draft that can't be read is not listed as one: %+v", list)
	}
}

// A refusal is told until the draft is filed, and the newest counts.
func TestRefuse(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: t.TempDir()}, key(t)
	check(t, b.Keep(t.Context(), w, head(1), content))
	for _, code := range []string{"role", "duplicate"} {
		check(t, b.Refuse(head(1).Name, Refusal{At: head(0).Taken, Code: code, Message: strings.Repeat("ệ", 4000)}))
	}
	list, err := b.List()
	if check(t, err); len(list) != 1 || list[0].Refusal == nil || list[0].Refusal.Code != "duplicate" || list[0].Refusal.Message == "" {
		t.Fatalf("%+v", list)
	}
	wantError(t, "of none", b.Refuse(head(2).Name, Refusal{}), ErrMissing)
	check(t, b.Filed(head(1).Name))
	check(t, b.Filed(head(1).Name)) // again
	if left := files(t, b.Dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// files are those of the box but its locks.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	check(t, err)
	for _, f := range list {
		if f.Name() != lockFile && f.Name() != sendFile {
			names = append(names, f.Name())
		}
	}
	return names
}

// TestDiscardWhileSent: what is being filed is thrown away afterwards or not at all.
func TestDiscardWhileSent(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: t.TempDir()}, key(t)
	check(t, b.Keep(t.Context(), w, head(1), content))
	list, err := b.List()
	check(t, err)
	thrown := make(chan error, 1)
	check(t, b.Sending(func() error {
		go func() { thrown <- b.Discard(list[0], head(0).Taken, [32]byte{7}, "withdrawn") }()
		select {
		case err := <-thrown:
			t.Errorf("while it is sent: %v", err)
			thrown <- err
		case <-time.After(100 * time.Millisecond):
		}
		return b.Filed(head(1).Name)
	}))
	wantError(t, "once it is filed", <-thrown, ErrMissing)
	if _, err := os.ReadFile(b.path(discarded)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is on record as thrown away: %v", err)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: t.TempDir()}, key(t)
	check(t, b.Keep(t.Context(), w, head(1), content))
	list, err := b.List()
	check(t, err)
	check(t, b.Discard(list[0], head(0).Taken, [32]byte{7}, "withdrawn"))
	wantError(t, "again", b.Discard(list[0], head(0).Taken, [32]byte{7}, "withdrawn"), ErrMissing)
	raw, err := os.ReadFile(b.path(discarded))
	check(t, err)
	want := `{"draft":"A-0000000001","taken":"2026-11-26T08:59:00Z","by":"01` + strings.Repeat("0", 62) + `","at":"2026-11-26T09:00:00Z","key":"07` + strings.Repeat("0", 62) + `","reason":"withdrawn"}` + "\n"
	if string(raw) != want {
		t.Errorf("%s, want %s", raw, want)
	}
	if left := files(t, b.Dir); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
