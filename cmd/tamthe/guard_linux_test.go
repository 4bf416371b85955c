package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNoCoreFile aborts the program while it waits for a passphrase and looks for what a
// process leaves behind then. A shell that is aborted in the same folder shows that a core
// file would be found.
func TestNoCoreFile(t *testing.T) {
	dir := t.TempDir()
	control := exec.Command("sh", "-c", "ulimit -c unlimited && kill -ABRT $$")
	control.Dir = dir
	_ = control.Run()
	if status, ok := control.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.CoreDump() {
		t.Skip("this machine writes no core files")
	}
	for _, name := range cores(t, dir) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	asks := filepath.Join(dir, "passphrase")
	if err := syscall.Mkfifo(asks, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `ulimit -c unlimited && exec tamthe init --operator an --second binh --passphrase-file "$0" --second-passphrase-file "$0"`, asks)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TAMTHE_HOME="+filepath.Join(dir, "home"), "GOTRACEBACK=crash")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(asks, os.O_WRONLY, 0) // returns when the program reads
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	limits, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/limits")
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("core files are not switched off: %v\n%s", err, limits)
	}
	if os.Getuid() != 0 { // who is root may look all the same
		if _, err := os.Open("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/mem"); err == nil {
			t.Error("another program of the user can read its memory")
		}
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it does not end", cmd.Process.Kill())
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.CoreDump() {
		t.Errorf("it ended with %v, core file %v", cmd.ProcessState, status.CoreDump())
	}
	if found := cores(t, dir); found != nil {
		t.Errorf("it left %v", found)
	}
}

// cores lists the core files of a folder.
func cores(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "core") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names
}
