package record

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/evidence"
)

func newDevice(t testing.TB) *evidence.Device {
	t.Helper()
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	d, err := evidence.NewDevice(key)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func entry(n int) Entry {
	policy, _ := verify.PolicyByName("checkpoint")
	r := &verify.Report{Policy: policy, At: now, Verdict: verify.Refuse, Checks: []verify.Check{{ID: "chip.aa", Outcome: verify.Failed, Reason: verify.ReasonChipKeyMismatch, Detail: "not kept"}}}
	e := New("verify", r, now.Add(time.Duration(n)*time.Minute))
	e.Purpose = "<kiểm tra>"
	return e
}

// written makes a record of n entries.
func written(t testing.TB, d *evidence.Device, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "inspections")
	for i := range n {
		e, err := Append(dir, d, entry(i))
		if err != nil || e.Number != uint64(i+1) || e.Mended {
			t.Fatal(e.Number, err)
		}
	}
	return dir
}

func read(t testing.TB, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put2(t testing.TB, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRecord(t *testing.T) {
	d := newDevice(t)
	if _, err := Verify(t.TempDir(), d.ID(), nil); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	dir := written(t, d, 5)
	s, err := Verify(dir, d.ID(), nil)
	if err != nil || s.Head.Entries != 5 || s.Torn {
		t.Fatalf("%+v, %v", s, err)
	}
	n := 0
	for line, err := range Entries(dir) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := ParseEntry(line)
		if err != nil || e.Verdict != verify.Refuse || len(e.Checks) != 1 || bytes.Contains(line, []byte("not kept")) {
			t.Errorf("%s: %v", line, err)
		}
		n++
	}
	if n != 5 {
		t.Error(n)
	}
	for _, name := range []string{entriesFile, headFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestTampering: each way to change a record is found, and said where.
func TestTampering(t *testing.T) {
	d, other := newDevice(t), newDevice(t)
	const n = 6
	whole := written(t, d, n)
	lines := bytes.SplitAfter(read(t, whole, entriesFile), []byte("\n"))[:n]
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	older := written(t, d, 3)
	stranger := written(t, other, n)
	for name, c := range map[string]struct {
		change func(dir string)
		entry  uint64
		append bool // Append notices as well
	}{
		"an octet of the first": {func(dir string) {
			put2(t, dir, entriesFile, bytes.Replace(join(lines...), []byte(`"refuse"`), []byte(`"accept"`), 1))
		}, 2, false},
		"one deleted": {func(dir string) { put2(t, dir, entriesFile, join(slices.Delete(slices.Clone(lines), 2, 3)...)) }, 3, true},
		"two exchanged": {func(dir string) {
			put2(t, dir, entriesFile, join(lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]))
		}, 2, false},
		"one twice": {func(dir string) {
			put2(t, dir, entriesFile, join(lines[0], lines[0], lines[1], lines[2], lines[3], lines[4], lines[5]))
		}, 2, true},
		"two cut off":    {func(dir string) { put2(t, dir, entriesFile, join(lines[:4]...)) }, 6, true},
		"cut within one": {func(dir string) { put2(t, dir, entriesFile, join(lines...)[:len(join(lines[:4]...))+10]) }, 6, true},
		"all gone":       {func(dir string) { put2(t, dir, entriesFile, nil) }, 6, true},
		"no file":        {func(dir string) { _ = os.Remove(filepath.Join(dir, entriesFile)) }, 0, true},
		"the last another": {func(dir string) {
			put2(t, dir, entriesFile, bytes.ReplaceAll(join(lines...), lines[5], bytes.Replace(lines[5], []byte("refuse"), []byte("accept"), 1)))
		}, 6, true},
		"one added":         {func(dir string) { put2(t, dir, entriesFile, join(join(lines...), lines[5])) }, 7, true},
		"half a line added": {func(dir string) { put2(t, dir, entriesFile, join(join(lines...), lines[5][:20])) }, 7, true},
		"no head":           {func(dir string) { _ = os.Remove(filepath.Join(dir, headFile)) }, 1, true},
		"an older head":     {func(dir string) { put2(t, dir, headFile, read(t, older, headFile)) }, 4, true},
		"a stranger's head": {func(dir string) { put2(t, dir, headFile, read(t, stranger, headFile)) }, 0, true},
		"the head's line": {func(dir string) {
			put2(t, dir, headFile, bytes.Replace(read(t, dir, headFile), []byte("kiểm"), []byte("kiem"), 1))
		}, 6, true},
		"the head's count": {func(dir string) {
			put2(t, dir, headFile, bytes.Replace(read(t, dir, headFile), []byte(`"entries":6`), []byte(`"entries":5`), 1))
		}, 0, true},
		"a stranger's all": {func(dir string) {
			put2(t, dir, headFile, read(t, stranger, headFile))
			put2(t, dir, entriesFile, read(t, stranger, entriesFile))
		}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put2(t, dir, entriesFile, join(lines...))
			put2(t, dir, headFile, read(t, whole, headFile))
			if _, err := Verify(dir, d.ID(), nil); err != nil {
				t.Fatal(err)
			}
			c.change(dir)
			_, err := Verify(dir, d.ID(), nil)
			tamper, ok := errors.AsType[*TamperError](err)
			if !ok || tamper.Entry != c.entry {
				t.Errorf("%v, want entry %d", err, c.entry)
			}
			before := slices.Clone(readIf(dir))
			_, err = Append(dir, d, entry(9))
			if _, ok := errors.AsType[*TamperError](err); ok != c.append {
				t.Errorf("append: %v", err)
			}
			if c.append && !bytes.Equal(before, readIf(dir)) {
				t.Error("written to")
			}
		})
	}
}

func readIf(dir string) []byte {
	b, _ := os.ReadFile(filepath.Join(dir, entriesFile))
	return b
}

// TestPutBack: an older record with its older head is right in itself, and found by a head
// that was kept elsewhere.
func TestPutBack(t *testing.T) {
	d := newDevice(t)
	dir := written(t, d, 3)
	old, oldHead := read(t, dir, entriesFile), read(t, dir, headFile)
	if _, err := Append(dir, d, entry(4)); err != nil {
		t.Fatal(err)
	}
	s, err := Verify(dir, d.ID(), nil)
	if err != nil {
		t.Fatal(err)
	}
	put2(t, dir, entriesFile, old)
	put2(t, dir, headFile, oldHead)
	if _, err := Verify(dir, d.ID(), nil); err != nil {
		t.Errorf("right in itself: %v", err)
	}
	if _, err := Verify(dir, d.ID(), &s.Head); err == nil {
		t.Error("not found")
	}
	// And one that went on from there.
	if _, err := Append(dir, d, entry(5)); err != nil {
		t.Fatal(err)
	}
	_, err = Verify(dir, d.ID(), &s.Head)
	if tamper, ok := errors.AsType[*TamperError](err); !ok || tamper.Entry != 4 {
		t.Errorf("went on: %v", err)
	}
}

// TestPowerCut cuts the power within every octet of the last write: the entry is there
// afterwards, whole, and the next says that it was mended.
func TestPowerCut(t *testing.T) {
	d := newDevice(t)
	dir := written(t, d, 2)
	text, head := read(t, dir, entriesFile), read(t, dir, headFile)
	begin := bytes.IndexByte(text, '\n') + 1
	for cut := begin; cut < len(text); cut += 7 {
		put2(t, dir, entriesFile, text[:cut])
		put2(t, dir, headFile, head)
		s, err := Verify(dir, d.ID(), nil)
		if err != nil || !s.Torn || s.Head.Entries != 2 {
			t.Fatalf("cut at %d: %+v, %v", cut, s, err)
		}
		e, err := Append(dir, d, entry(3))
		if err != nil || !e.Mended || e.Number != 3 {
			t.Fatalf("cut at %d: %+v, %v", cut, e, err)
		}
		if s, err := Verify(dir, d.ID(), nil); err != nil || s.Torn || s.Head.Entries != 3 {
			t.Fatalf("mended from %d: %+v, %v", cut, s, err)
		}
		if got := read(t, dir, entriesFile); !bytes.HasPrefix(got, text) {
			t.Fatalf("mended from %d: another entry", cut)
		}
	}
	// A block that the disk filled with zeros.
	put2(t, dir, entriesFile, append(slices.Clone(text[:begin]), make([]byte, len(text)-begin)...))
	put2(t, dir, headFile, head)
	if e, err := Append(dir, d, entry(3)); err != nil || !e.Mended {
		t.Error(e.Mended, err)
	}
	// Before the very first line.
	fresh := written(t, d, 1)
	put2(t, fresh, entriesFile, nil)
	if e, err := Append(fresh, d, entry(2)); err != nil || !e.Mended || e.Number != 2 {
		t.Error(e.Mended, e.Number, err)
	}
	// What a head that was never put in place leaves behind is no matter.
	put2(t, fresh, durable.Unfinished+"1", []byte("x"))
	if _, err := Append(fresh, d, entry(3)); err != nil {
		t.Error(err)
	}
}

// TestTogether: two programs do not fork the chain.
func TestTogether(t *testing.T) {
	d := newDevice(t)
	dir := filepath.Join(t.TempDir(), "inspections")
	var all sync.WaitGroup
	const each, writers = 10, 4
	for range writers {
		all.Go(func() {
			for i := range each {
				if _, err := Append(dir, d, entry(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if s, err := Verify(dir, d.ID(), nil); err != nil || s.Head.Entries != each*writers {
		t.Errorf("%+v, %v", s.Head.Entries, err)
	}
	unlock, err := lock(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir, 20*time.Millisecond); !errors.Is(err, ErrBusy) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
}

// TestVerifyMeanwhile: a record that grows while it is verified is no one's tampering.
func TestVerifyMeanwhile(t *testing.T) {
	d := newDevice(t)
	dir := written(t, d, 1)
	var writer sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() {
		defer close(done)
		for i := range 60 {
			if _, err := Append(dir, d, entry(i)); err != nil {
				t.Error(err)
			}
		}
	})
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if _, err := Verify(dir, d.ID(), nil); err != nil && !errors.Is(err, ErrBusy) {
			t.Error(err)
			break
		}
	}
	writer.Wait()
}

func TestBounds(t *testing.T) {
	d := newDevice(t)
	e := entry(1)
	e.Case = strings.Repeat("x", maxLine)
	dir := t.TempDir()
	if _, err := Append(dir, d, e); !errors.Is(err, ErrEntry) {
		t.Error(err)
	}
	if _, err := Verify(dir, d.ID(), nil); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	put2(t, dir, entriesFile, bytes.Repeat([]byte("x"), 3*maxLine))
	if _, err := Verify(dir, d.ID(), nil); err == nil {
		t.Error("a line without an end")
	}
	for line, err := range Entries(dir) {
		if err == nil {
			t.Errorf("%d octets", len(line))
		}
	}
}

func FuzzParse(f *testing.F) {
	d := newDevice(f)
	dir := written(f, d, 2)
	for _, name := range []string{entriesFile, headFile} {
		for line := range bytes.Lines(read(f, dir, name)) {
			f.Add(bytes.TrimSuffix(line, []byte("\n")))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := ParseEntry(b); err == nil {
			if again, err := e.encode(); err != nil || !bytes.Equal(again, b) {
				t.Error("an entry written differently")
			}
		}
		if h, err := ParseHead(b); err == nil && h.Entries == 0 {
			t.Error("a head of nothing")
		}
	})
}
