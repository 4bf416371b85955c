package outbox

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// plain has no meaning here.
const plain = 0

// lock waits until no other program changes the box: the handle shares nothing. It ends with
// unlock, or with the process.
func lock(path string) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const sharingViolation = syscall.Errno(32)
	for range 600 {
		var h syscall.Handle
		h, err = syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
		if err == nil {
			return func() { syscall.CloseHandle(h) }, nil
		}
		if !errors.Is(err, sharingViolation) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, &os.PathError{Op: "lock", Path: path, Err: err}
}
