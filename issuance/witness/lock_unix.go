//go:build unix

package witness

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock of that name, or says that another process has it.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.New("another program has it open")
	}
	return func() { f.Close() }, nil
}

// syncFolder makes a rename in the folder outlive a loss of power.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
