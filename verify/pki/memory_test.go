package pki

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func openMemory(t testing.TB, path string) *Memory {
	t.Helper()
	m, err := OpenMemory(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// edition makes a mark; day 0 is a list without a time.
func edition(number uint64, d int, digest byte) Mark {
	m := Mark{Kind: "masterlist", Issuer: "C=DE", Sequence: number, Digest: [32]byte{digest}}
	if d != 0 {
		m.Signed = time.Date(2026, 1, d, 8, 0, 0, 0, time.UTC)
	}
	return m
}

func TestMemoryTakesNoOlderList(t *testing.T) {
	for _, c := range []struct {
		name        string
		seen, given Mark
		ok          bool
	}{
		{"the same", edition(0, 2, 1), edition(0, 2, 1), true},
		{"a newer one", edition(0, 2, 1), edition(0, 3, 2), true},
		{"an older one", edition(0, 2, 1), edition(0, 1, 2), false},
		{"an older copy of it", edition(0, 2, 1), edition(0, 1, 1), false},
		{"another of the same time", edition(0, 2, 1), edition(0, 2, 2), false},
		{"the next number", edition(7, 2, 1), edition(8, 3, 2), true},
		{"the next number at the same time", edition(7, 2, 1), edition(8, 2, 2), true},
		{"the next number, signed before", edition(7, 2, 1), edition(8, 1, 2), false},
		{"a smaller number, signed later", edition(7, 2, 1), edition(6, 3, 2), false},
		{"the same number, another list", edition(7, 2, 1), edition(7, 3, 2), false},
		{"the same number, the same list", edition(7, 2, 1), edition(7, 2, 1), true},
		{"a number where there was none", edition(0, 2, 1), edition(1, 3, 2), true},
		{"no number any more, signed before", edition(7, 2, 1), edition(0, 1, 2), false},
		{"numbers alone, smaller", edition(7, 0, 1), edition(6, 0, 2), false},
		{"numbers alone, greater", edition(7, 0, 1), edition(8, 0, 2), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "seen")
			m := openMemory(t, path)
			if err := m.Note(c.seen); err != nil {
				t.Fatal(err)
			}
			for _, m := range []*Memory{m, openMemory(t, path)} {
				if err := m.Check(c.given); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrRollback) {
					t.Errorf("check: %v", err)
				}
				err := m.Note(c.given)
				if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrRollback) {
					t.Errorf("note: %v", err)
				}
				if e, ok := errors.AsType[*RollbackError](err); ok && (e.Seen != c.seen || e.Given != c.given) {
					t.Errorf("names %+v", e)
				}
			}
		})
	}
}

func TestMemoryKeepsTheSeriesApart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	m := openMemory(t, path)
	if !m.Newest().IsZero() || len(m.marks()) != 0 {
		t.Error("a new memory has seen something")
	}
	other, crl := edition(0, 1, 9), edition(3, 5, 8)
	other.Issuer, crl.Kind = "C=VN, CN=\"Việt\"\nNam", "crl"
	if err := m.Note(edition(0, 4, 1), other, crl); err != nil {
		t.Fatal(err)
	}
	// All or none: the second of these is older.
	if err := m.Note(edition(0, 9, 1), edition(0, 1, 1)); !errors.Is(err, ErrRollback) {
		t.Error(err)
	}
	for _, m := range []*Memory{m, openMemory(t, path)} {
		if got := m.marks(); !slices.Equal(got, []Mark{crl, edition(0, 4, 1), other}) {
			t.Errorf("%+v", got)
		}
		if !m.Newest().Equal(crl.Signed) {
			t.Error(m.Newest())
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

// Every file that is not exactly what was written is refused, and stays as it is.
func TestMemoryRefusesDamagedFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	m := openMemory(t, path)
	if err := m.Note(edition(7, 2, 1)); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := [][]byte{{}, append(slices.Clone(good), '\n'), bytes.Repeat([]byte{'x'}, maxMemory+1)}
	for i := range good {
		flipped := slices.Clone(good)
		flipped[i] ^= 1
		bad = append(bad, flipped, good[:i])
	}
	for i, b := range bad {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenMemory(path); !errors.Is(err, ErrMemory) {
			t.Fatalf("file %d: %v", i, err)
		}
		if err := m.Note(edition(8, 3, 1)); !errors.Is(err, ErrMemory) {
			t.Fatalf("file %d: %v", i, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, b) {
			t.Fatal("a damaged file was written over", err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenMemory(path); !errors.Is(err, ErrMemory) {
		t.Error(err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := openMemory(t, filepath.Join(t.TempDir(), "seen"))
	for name, bad := range map[string]Mark{
		"no kind":          {Issuer: "C=DE", Sequence: 1},
		"a kind of two":    {Kind: "two words", Issuer: "C=DE", Sequence: 1},
		"no issuer":        {Kind: "crl", Sequence: 1},
		"a long issuer":    {Kind: "crl", Issuer: strings.Repeat("x", maxMarkIssuer+1), Sequence: 1},
		"no text":          {Kind: "crl", Issuer: "\xff", Sequence: 1},
		"no edition":       {Kind: "crl", Issuer: "C=DE"},
		"beyond all years": {Kind: "crl", Issuer: "C=DE", Signed: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := m.Note(bad); !errors.Is(err, ErrMemory) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many []Mark
	for i := range maxMarks {
		many = append(many, Mark{Kind: "crl", Issuer: fmt.Sprint(i, strings.Repeat("Ω", 200)), Sequence: 1, Signed: now})
	}
	if err := m.Note(many...); err != nil {
		t.Fatal(err)
	}
	if got := len(openMemory(t, m.path).marks()); got != maxMarks {
		t.Errorf("%d marks", got)
	}
	if err := m.Note(edition(1, 1, 1)); !errors.Is(err, ErrMemory) {
		t.Error("a mark too many:", err)
	}
	if err := m.Check(many[0]); err != nil {
		t.Error(err)
	}
}

// Several processes note editions of their own list and of a common one: nothing is
// forgotten, and the common one never goes back.
func TestMemoryOfSeveralProcesses(t *testing.T) {
	const processes, editions = 4, 20
	if path := os.Getenv("TEST_MEMORY"); path != "" {
		m := openMemory(t, path)
		for i := 1; i <= editions; i++ {
			own := edition(uint64(i), 1, byte(i))
			own.Issuer = os.Getenv("TEST_ISSUER")
			if err := m.Note(own); err != nil {
				t.Fatal(err)
			}
			if err := m.Note(edition(uint64(i), 1, byte(i))); err != nil && !errors.Is(err, ErrRollback) {
				t.Fatal(err)
			}
		}
		return
	}
	path := filepath.Join(t.TempDir(), "seen")
	var group sync.WaitGroup
	for p := range processes {
		group.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryOfSeveralProcesses$")
			cmd.Env = append(os.Environ(), "TEST_MEMORY="+path, fmt.Sprintf("TEST_ISSUER=process %d", p))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	marks := openMemory(t, path).marks()
	if len(marks) != processes+1 {
		t.Fatalf("%d series", len(marks))
	}
	for _, m := range marks {
		if m.Sequence != editions {
			t.Errorf("%s: %d", m.Issuer, m.Sequence)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*")); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

func FuzzMemory(f *testing.F) {
	good, err := marshalMemory(map[series]Mark{edition(7, 2, 1).series(): edition(7, 2, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(memoryHeader))
	f.Fuzz(func(t *testing.T, b []byte) {
		seen, err := parseMemory(b)
		if err != nil {
			if seen != nil || !errors.Is(err, ErrMemory) {
				t.Error(seen, err)
			}
			return
		}
		if again, err := marshalMemory(seen); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q, %v", again, err)
		}
	})
}
