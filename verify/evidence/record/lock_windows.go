package record

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// lock takes the lock of a record: a handle that shares nothing, and ends with the process.
func lock(path string, patience time.Duration) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const sharingViolation = syscall.Errno(32)
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
		switch {
		case err == nil:
			return func() { _ = syscall.CloseHandle(h) }, nil
		case !errors.Is(err, sharingViolation):
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case time.Now().After(end):
			return nil, ErrBusy
		}
	}
}
