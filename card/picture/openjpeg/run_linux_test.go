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
		begin := time.Now()
		if err := try("while :; do :; done"); err == nil || time.Since(begin) > 10*time.Second {
			t.Errorf("%v after %v of looping", err, time.Since(begin))
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
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := start(ctx, t.TempDir(), false, "/bin/sh", "-c", "sleep 60 & sleep 60")
	if err == nil || time.Since(begin) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}
