package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// fullDisk names the folder for the child of TestFullDisk.
const fullDisk = "TAMTHE_TEST_FULL_DISK"

// TestFullDisk acts at a desk whose disk is full, on a file system of its own in a
// namespace where mounting one is allowed: a clear failure, nothing half-done, and the same
// command works once there is room.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(fullDisk); dir != "" {
		actOnFullDisk(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), fullDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		testdata.Missing(t, "namespaces", "user namespaces are refused here: no small file system can be mounted")
	}
	if err != nil || !strings.Contains(string(out), "the disk was full") {
		t.Errorf("%v\n%s", err, out)
	}
}

func actOnFullDisk(t *testing.T, dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	d := newDesks(t)
	if err := d.made[stageAuthority](); err != nil {
		t.Fatal(err)
	}
	if err := copyTree(filepath.Join(dir, stageAuthority), d.file(stageAuthority, "")); err != nil {
		t.Fatal(err)
	}
	d.dir = dir
	// SQLite needs some room for reading already: a file of 32 KB that readers share.
	reserve := filepath.Join(dir, "reserve")
	if err := os.WriteFile(reserve, make([]byte, 48<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	if err := fillDisk(filler); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := os.Remove(reserve); err != nil {
		t.Fatal(err)
	}
	enrol := []string{"enrol", d.file(stageAuthority, "person.json"), "--portrait", d.file(stageAuthority, "face.jpg")}
	_, err := d.as(stageAuthority, "an", append(enrol, "--json")...)
	if err == nil || !strings.Contains(err.Error(), `"code":"disk-full","exit":1`) {
		t.Errorf("a full disk: %v", err)
	}
	t.Logf("the disk was full: %v", err)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{enrol, {"pki", "crl", "--second", "binh", "--second-passphrase-file", filepath.Join(dir, stageAuthority, "passphrase")}} {
		if _, err := d.as(stageAuthority, "an", args...); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
	if _, err := d.run(stageAuthority, "ledger", "verify"); err != nil {
		t.Errorf("the ledger afterwards: %v", err)
	}
}

// fillDisk writes until the disk is full.
func fillDisk(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for b := make([]byte, 1024); ; {
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
}
