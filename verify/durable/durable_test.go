package durable_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
)

// only says that a folder holds these files and nothing else, no leftover either.
func only(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(files) {
		t.Errorf("%d files, not %d: %v", len(list), len(files), list)
	}
	for name, want := range files {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %.20q, %v", name, b, err)
		}
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, text := range []string{"one", "", "the third"} {
		if err := durable.Replace(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		only(t, dir, map[string]string{"a": text})
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode() != 0o640 {
		t.Error(info.Mode())
	}
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(filepath.Join(dir, "b"), nil, 0o600); err == nil {
		t.Error("a folder was replaced")
	}
	if err := os.Remove(filepath.Join(dir, "b")); err != nil {
		t.Error(err)
	}
	only(t, dir, map[string]string{"a": "the third"})
	if err := durable.Replace(filepath.Join(dir, "none", "a"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

// TestReplaceMeanwhile: whoever reads sees one or the other, never a part.
func TestReplaceMeanwhile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file that is open is replaced there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	texts := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 200_000)}
	if err := durable.Replace(path, texts[0], 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			if err := durable.Replace(path, texts[i%2], 0o600); err != nil {
				t.Error(err)
			}
		}
	}()
	for reads := 0; ; reads++ {
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, texts[0]) && !bytes.Equal(b, texts[1]) {
			<-done
			t.Fatalf("%d octets, %v", len(b), err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := durable.Create(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.Create(path, []byte("two"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("once more: %v", err)
	}
	only(t, dir, map[string]string{"a": "one"})
	if err := durable.Create(filepath.Join(dir, "none", "a"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
	var made sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := durable.Create(filepath.Join(dir, "b"), []byte{byte('0' + i)}, 0o600); err == nil {
				made.Store(i, true)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 8 {
		if _, ok := made.Load(i); ok {
			only(t, dir, map[string]string{"a": "one", "b": string(rune('0' + i))})
			return
		}
	}
	t.Error("nobody made it")
}

// TestDropFolder: into a folder that may not be read something can be put all the same.
func TestDropFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("whoever runs this may read every folder")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o300); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	path := filepath.Join(dir, "a")
	if err := errors.Join(durable.Create(path, []byte("one"), 0o600), durable.Replace(path, []byte("two"), 0o600)); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	only(t, dir, map[string]string{"a": "two"})
}

// TestNames: an error is of the file that was asked for, not of one that nobody knows.
func TestNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "a")
	for _, put := range []func(string, []byte, fs.FileMode) error{durable.Replace, durable.Create, durable.Export} {
		err := put(path, nil, 0o600)
		if file := new(fs.PathError); !errors.As(err, &file) || file.Path != path || !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
}

// TestWithoutLinks: a stick has a file system that cannot.
func TestWithoutLinks(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	no := func(from, to string) error {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: errors.ErrUnsupported}
	}
	if err := durable.ExportBy(path, []byte("one"), 0o600, no); err != nil {
		t.Fatal(err)
	}
	if err := durable.ExportBy(path, []byte("two"), 0o600, no); !errors.Is(err, fs.ErrExist) {
		t.Errorf("once more: %v", err)
	}
	only(t, dir, map[string]string{"a": "one"})
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := durable.Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Lock(path, 20*time.Millisecond); !errors.Is(err, durable.ErrBusy) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				unlock, err := durable.Lock(path, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two have it")
				}
				inside.Add(-1)
				unlock()
			}
		})
	}
	all.Wait()
	if _, err := durable.Lock(filepath.Join(path, "none"), time.Minute); err == nil || errors.Is(err, durable.ErrBusy) {
		t.Errorf("below a file: %v", err)
	}
}

// TestLockOfTheDead: a lock ends with the process, however that ends.
func TestLockOfTheDead(t *testing.T) {
	const child = "TAMTHE_DURABLE_LOCK"
	if path := os.Getenv(child); path != "" {
		unlock, err := durable.Lock(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		os.Stdout.WriteString("locked\n")
		io.Copy(io.Discard, os.Stdin) // until it is killed
		return
	}
	path := filepath.Join(t.TempDir(), "lock")
	c := exec.Command(os.Args[0], "-test.run=^TestLockOfTheDead$")
	c.Env = append(os.Environ(), child+"="+path)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := durable.Lock(path, 0); !errors.Is(err, durable.ErrBusy) {
		t.Errorf("another process has it: %v", err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	unlock, err := durable.Lock(path, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
