package durable

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Sync waits until what was put into a folder, renamed in it or removed from it is on the disk.
// Some systems have no such thing, and need none.
func Sync(string) error { return nil } // folders are in the journal of NTFS, and are not opened for this

// Lock takes the lock that a file of that name stands for, which is made if it is not there and
// stays. It waits for another who has it, for so long at the most: then the error is ErrBusy. The
// lock ends with unlock, or with the process.
func Lock(path string, patience time.Duration) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const sharingViolation = syscall.Errno(32)
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
		switch {
		case err == nil:
			return func() { _ = syscall.CloseHandle(h) }, nil
		case !errors.Is(err, sharingViolation):
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case time.Now().After(end):
			return nil, fmt.Errorf("lock %s: %w", path, ErrBusy)
		}
	}
}
