//go:build unix

package pki

import (
	"fmt"
	"io/fs"
	"syscall"
)

// readRegular opens without waiting, so that a pipe holds nobody, and looks at what it has
// opened.
func (f folder) readRegular(name string, most int64) ([]byte, error) {
	fail := func(op string, err error) ([]byte, error) { return nil, &fs.PathError{Op: op, Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail("open", fs.ErrInvalid)
	}
	var fd int
	err := again(func() (err error) {
		fd, err = syscall.Open(f.dir+"/"+name, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
		return err
	})
	if err != nil {
		return fail("open", err)
	}
	defer syscall.Close(fd)
	var info syscall.Stat_t
	if err := again(func() error { return syscall.Fstat(fd, &info) }); err != nil {
		return fail("stat", err)
	}
	if info.Mode&syscall.S_IFMT != syscall.S_IFREG || info.Size > most {
		return nil, fmt.Errorf("%s: %w", name, ErrFile)
	}
	b := make([]byte, info.Size)
	for n := 0; n < len(b); {
		var m int
		err := again(func() (err error) {
			m, err = syscall.Read(fd, b[n:min(n+1<<30, len(b))])
			return err
		})
		switch {
		case err != nil:
			return fail("read", err)
		case m == 0: // it was cut meanwhile
			return b[:n:n], nil
		}
		n += m
	}
	return b, nil
}

// again repeats what a signal interrupted.
func again(do func() error) error {
	for {
		if err := do(); err != syscall.EINTR {
			return err
		}
	}
}
