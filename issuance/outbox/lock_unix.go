//go:build unix

package outbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// plain makes opening a file follow no link, and wait for nobody at the other end of a pipe.
const plain = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// lock waits until no other program changes the box, for half a minute: one that hangs must not
// keep a citizen waiting for ever. It ends with unlock, or with the process.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for range 600 {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
