//go:build unix

package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

const childDir = "TAMTHE_SQLITE_CHILD"

// child runs the calling test again in a process of its own, with dir to work in.
func child(t *testing.T, dir string, attr *syscall.SysProcAttr) ([]byte, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.SysProcAttr = attr
	return cmd.CombinedOutput()
}

// TestModes: what the file's modes forbid is told as such. Root is above modes, so the
// test becomes nobody first.
func TestModes(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := errors.Join(syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			t.Fatal(err)
		}
		checkModes(t, dir)
		return
	}
	dir := t.TempDir()
	for _, name := range []string{"file", "folder", "hidden"} {
		sub := filepath.Join(dir, name)
		if err := os.Mkdir(sub, 0o777); err != nil {
			t.Fatal(err)
		}
		busy(t, sub)
		os.Chmod(filepath.Join(sub, "ledger.db"), map[string]os.FileMode{"file": 0o444, "folder": 0o444, "hidden": 0}[name])
		os.Chmod(sub, map[string]os.FileMode{"file": 0o777, "folder": 0o555, "hidden": 0o777}[name])
		t.Cleanup(func() { os.Chmod(sub, 0o777) })
	}
	if os.Getuid() != 0 {
		checkModes(t, dir)
		return
	}
	for _, open := range []string{dir, filepath.Dir(dir)} {
		os.Chmod(open, 0o755) // nobody may pass
	}
	if out, err := child(t, dir, nil); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func checkModes(t *testing.T, dir string) {
	for _, name := range []string{"file", "folder"} {
		path := filepath.Join(dir, name, "ledger.db")
		o := options(t, dir)
		o.Checkpoints = ""
		if _, err := sqlite.Open(t.Context(), path, o); !errors.Is(err, ledger.ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
		o.ReadOnly = true
		l, err := sqlite.Open(t.Context(), path, o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if found := verify(t, l, nil); len(found) > 0 {
			t.Error(found)
		}
		l.Close()
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "hidden", "ledger.db"), sqlite.Options{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("hidden: %v", err)
	}
}
