package openjpeg

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

// The cage holds whatever runs in it: each limit is met by a program that runs into it.
func TestCage(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	for _, isolated := range []bool{false, true} {
		if isolated && !Isolated(t.Context()) {
			continue
		}
		try := func(script string) error { return start(t.Context(), dir, isolated, "/bin/sh", "-c", script) }
		if err := try("true"); err != nil {
			t.Fatal(err)
		}
		if err := try("head -c 99999999 /dev/zero > out"); err == nil {
			t.Error("a file of 99 MB is written")
		}
		if info, err := os.Stat(out); err != nil || info.Size() > 2*(maxOutput+512) {
			t.Error(info, err)
		}
		if err := try("while :; do :; done"); err == nil { // without a limit it would not come back
			t.Error("a loop ends well")
		}
		if err := try("ulimit -v > out; ulimit -n >> out; ulimit -c >> out; ulimit -v unlimited 2>> out; env >> out; true"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil || !strings.HasPrefix(string(b), "524288\n16\n0\n") {
			t.Errorf("%s %v", b, err)
		}
		if strings.Contains(string(b), "HOME=") || strings.Contains(string(b), "TAMTHE") {
			t.Errorf("an environment: %s", b)
		}
	}
}

// Without a network there is no interface but a loopback that is down.
func TestIsolated(t *testing.T) {
	if !Isolated(t.Context()) {
		testdata.Missing(t, "namespaces", "this system allows no user namespaces")
	}
	dir := t.TempDir()
	if err := start(t.Context(), dir, true, "/bin/sh", "-c", "cat /proc/net/route /proc/net/dev > out"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil || strings.Contains(string(b), "eth0") || !strings.Contains(string(b), "lo:") {
		t.Errorf("%s %v", b, err)
	}
}

// A deadline kills the program and what it started.
func TestDeadline(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := start(ctx, dir, false, "/bin/sh", "-c", "sleep 600 & echo $! > child; sleep 600"); err == nil {
		t.Error("it ends well")
	}
	child, err := os.ReadFile(filepath.Join(dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	stat := filepath.Join("/proc", strings.TrimSpace(string(child)), "stat")
	for range 100 { // the system takes its time to let go of it
		if b, err := os.ReadFile(stat); err != nil || strings.Contains(string(b), ") Z ") {
			return // gone, or dead and not yet waited for
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("what it started goes on")
}
