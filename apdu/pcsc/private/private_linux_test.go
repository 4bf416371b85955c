package private

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

func TestMain(m *testing.M) {
	if os.Getenv("TAMTHE_TEST_STATUS") != "" { // TestEnterHandsOn runs us so
		childProgram()
	}
	if in, err := Enter(); !in {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(m.Run())
}

// start skips the test where there is nothing to start.
func start(t *testing.T, o Options) *Daemon {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	d, err := Start(ctx, o)
	if errors.Is(err, ErrNoDaemon) || errors.Is(err, ErrNoDriver) {
		testdata.Missing(t, "pcscd", err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestStartShowsReaders(t *testing.T) {
	d := start(t, Options{Readers: 3})
	if _, err := exec.LookPath("pcsc_scan"); err != nil {
		testdata.Missing(t, "pcscd", "no pcsc_scan")
	}
	out, err := exec.CommandContext(t.Context(), "timeout", "5", "pcsc_scan", "-r").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	for slot := range d.Slots() {
		if want := fmt.Sprintf("%d: %s\n", slot, d.ReaderName(slot)); !strings.Contains(string(out), want) {
			t.Errorf("%q is not among\n%s", want, out)
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	d := start(t, Options{})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal("second:", err)
	}
	if err := syscall.Kill(d.process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Error("the process still lives:", err)
	}
	if _, err := os.Stat(d.dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("the folder is still there:", err)
	}
}

func TestContextEndsService(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d, err := Start(ctx, Options{})
	if err != nil {
		testdata.Missing(t, "pcscd", err.Error())
	}
	defer d.Close()
	cancel()
	select {
	case <-d.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the service outlived its context")
	}
	// The socket must refuse, not queue.
	if _, err := net.Dial("unix", d.Socket()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error("dial:", err)
	}
}

func TestNoDriver(t *testing.T) {
	dir := t.TempDir()
	if _, err := findDriver(dir); !errors.Is(err, ErrNoDriver) {
		t.Error("empty folder:", err)
	}
	if _, err := findDriver(filepath.Join(dir, "not-there.so")); !errors.Is(err, ErrNoDriver) {
		t.Error("no such file:", err)
	}
	want := filepath.Join(dir, "usr", driverName)
	if err := os.MkdirAll(filepath.Dir(want), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(want, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := findDriver(dir); err != nil || got != want {
		t.Error(got, err)
	}
}

func TestDir(t *testing.T) {
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	d := start(t, Options{Dir: dir})
	if d.Socket() != filepath.Join(dir, "s") {
		t.Error(d.Socket())
	}
	d.Close()
	if _, err := os.Stat(filepath.Join(dir, "log")); err != nil {
		t.Error("somebody's folder was emptied:", err)
	}
	long := filepath.Join(dir, strings.Repeat("x", 100))
	if _, err := Start(t.Context(), Options{Dir: long}); err == nil || !strings.Contains(err.Error(), "octets") {
		t.Error("a long name:", err)
	}
}

func TestReadersBounded(t *testing.T) {
	for _, n := range []int{-1, 9} {
		if _, err := Start(t.Context(), Options{Readers: n}); err == nil {
			t.Errorf("%d readers started", n)
		}
	}
}

// TestFreePorts holds without a network of its own, too.
func TestFreePorts(t *testing.T) {
	t.Setenv(inside, "")
	p, err := freePorts(2)
	if err != nil || p%2 != 0 {
		t.Fatal(p, err)
	}
	l, err := net.Listen("tcp4", fmt.Sprintf(":%d", p+1))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if free(p, 2) {
		t.Error("a taken port passes as free")
	}
	if listening(p, 2) || !listening(p+1, 1) {
		t.Error("the kernel's table is misread")
	}
}
