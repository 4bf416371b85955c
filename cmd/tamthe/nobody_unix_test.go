//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// nobody runs the program as a user whom the modes of files concern, and expects the exit
// status. Root is above modes.
//
//	nobody N ARGUMENTS
func nobody(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: nobody N arguments")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := process(ts, args[1:]...)
	ts.Check(becomeNobody(ts, cmd))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	got := exitStatus(ts, cmd.Run())
	ts.Logf("[stdout]\n%s[stderr]\n%s", &stdout, &stderr)
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
	streams(ts, want, args[1:], stdout.String(), stderr.String())
	ts.Check(os.WriteFile(ts.MkAbs("said"), slices.Concat(stdout.Bytes(), stderr.Bytes()), 0o600))
}

// becomeNobody has the command run without root's rights: the script's files are given to
// the user nobody, and the program lies where that one may go.
func becomeNobody(ts *testscript.TestScript, cmd *exec.Cmd) error {
	if os.Getuid() != 0 {
		return nil
	}
	const nobody = 65534
	self, err := os.ReadFile(cmd.Path)
	if err != nil {
		return err
	}
	cmd.Path = ts.MkAbs("tamthe-for-nobody")
	if err := os.WriteFile(cmd.Path, self, 0o755); err != nil {
		return err
	}
	err = filepath.Walk(cmd.Dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return passable(cmd.Dir)
}

// passable lets others through the folders above a script's own.
func passable(dir string) error {
	for dir = filepath.Clean(dir); dir != filepath.Clean(os.TempDir()) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if err := os.Chmod(dir, info.Mode().Perm()|0o055); err != nil {
			return err
		}
	}
	return nil
}
