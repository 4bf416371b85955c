package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/testdata"
)

// TestDiskFull fills a file system of its own, in a namespace where mounting one is
// allowed: what was acknowledged before is there, and the ledger is sound.
func TestDiskFull(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		fill(t, dir)
		return
	}
	if out := ownDisk(t); !strings.Contains(out, "the disk is full after") {
		t.Errorf("the disk was never full\n%s", out)
	}
}

// ownDisk runs the test again where it may mount a file system.
func ownDisk(t *testing.T) string {
	t.Helper()
	out, err := child(t, t.TempDir(), &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	})
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		testdata.Missing(t, "namespaces", "user namespaces are refused here")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// TestReadOnlyDisk: a disk that can only be read is told as such, and what lies on it can
// be read.
func TestReadOnlyDisk(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		ownDisk(t)
		return
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	busy(t, dir)
	subjects := filepath.Join(dir, "subjects.db")
	if s, err := sqlite.CreateSubjects(t.Context(), subjects, "kek"); err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	o := options(t, dir)
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("ledger: %v", err)
	}
	if _, err := sqlite.OpenSubjects(t.Context(), subjects, false); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("subjects: %v", err)
	}
	o.ReadOnly = true
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if found := verify(t, l, nil); len(found) > 0 {
		t.Error(found)
	}
}

func fill(t *testing.T, dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1500k"); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	var kept []issuance.StreamID
	var err error
	for i := 0; err == nil && i < 10_000; i++ {
		s := o.Enrol(fmt.Sprintf("A-%d", i), fmt.Sprint(i), "")
		s.Attach[0].Sealed = make([]byte, 10_000)
		if err = o.Do(t.Context(), s); err == nil {
			kept = append(kept, s.Stream)
		}
	}
	if !errors.Is(err, ledger.ErrFull) && !errors.Is(err, ledger.ErrCopy) {
		t.Errorf("%v", err)
	}
	t.Logf("the disk is full after %d entries: %v", len(kept), err)
	for _, id := range kept {
		if e, err := l.Stream(t.Context(), id); err != nil || len(e) != 1 {
			t.Errorf("%s was acknowledged and is lost: %v", id, err)
		}
	}
	if found := verify(t, l, nil); len(found) > 0 {
		t.Error(found)
	}
	l.Close()
}
