package openjpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/tamthe/tamthe/card/picture"
)

const supported = true

// shell sets limits and becomes the program that its arguments name; a limit that can't be
// set ends it. File size is counted in 512 octets, or in 1,024 by some shells.
var shell = fmt.Sprintf(`ulimit -c 0 && ulimit -t %d && ulimit -v %d && ulimit -f %d && ulimit -n 16 && exec "$@"`,
	cpuSeconds, memory>>10, maxOutput>>9+1)

// Isolated reports whether the process is kept from the network, which takes user and
// network namespaces; some systems refuse them.
func Isolated(ctx context.Context) bool {
	return start(ctx, "/", true, "true") == nil
}

// run has the program decode an image and returns what it wrote.
func run(ctx context.Context, path string, img []byte) ([]byte, error) {
	dir, err := os.MkdirTemp(volatile(), "tamthe-picture-") // 0700
	if err != nil {
		return nil, fmt.Errorf("decode JPEG 2000: %w", err)
	}
	defer os.RemoveAll(dir)
	in := "in.j2k" // the program tells the form by the name
	if !bytes.HasPrefix(img, []byte("\xFF\x4F")) {
		in = "in.jp2"
	}
	if err := os.WriteFile(filepath.Join(dir, in), img, 0o600); err != nil {
		return nil, fmt.Errorf("decode JPEG 2000: %w", err)
	}
	args := []string{path, "-i", in, "-o", "out.pnm", "-upsample"}
	err = start(ctx, dir, true, args...)
	if refused(err) {
		err = start(ctx, dir, false, args...)
	}
	if err != nil {
		// What the program prints is the image's to choose and is not passed on.
		return nil, fmt.Errorf("%w: OpenJPEG: %w", picture.ErrPicture, err)
	}
	f, err := os.Open(filepath.Join(dir, "out.pnm"))
	if err != nil {
		return nil, fmt.Errorf("%w: OpenJPEG wrote no image", picture.ErrPicture)
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxOutput))
}

// volatile is a folder in memory if there is one: an image is personal data, and lies
// nowhere after a power failure.
func volatile() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() && syscall.Access(shm, 2) == nil {
		return shm
	}
	return os.TempDir()
}

// start runs a program to its end, or to that of ctx, which kills it and what it started.
func start(ctx context.Context, dir string, isolated bool, args ...string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", shell, "sh"}, args...)...)
	cmd.Dir, cmd.Env = dir, []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if isolated {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	runtime.LockOSThread() // a process with Pdeathsig ends with the thread that started it
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// refused reports whether the system refuses namespaces.
func refused(err error) bool {
	_, exited := errors.AsType[*exec.ExitError](err)
	return err != nil && !exited && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL))
}
