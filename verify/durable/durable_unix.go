//go:build unix

package durable

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Sync waits until what was put into a folder, renamed in it or removed from it is on the disk.
// Some systems have no such thing, and need none.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) { // a file system that cannot
		err = nil
	}
	return errors.Join(err, d.Close())
}

// Lock takes the lock that a file of that name stands for, which is made if it is not there and
// stays. It waits for another who has it, for so long at the most: then the error is ErrBusy. The
// lock ends with unlock, or with the process.
func Lock(path string, patience time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case time.Now().After(end):
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, ErrBusy)
		}
	}
}
