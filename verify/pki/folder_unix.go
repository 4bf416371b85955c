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
	fd, err := f.open(name)
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
	b := prefault(make([]byte, info.Size))
	for n := 0; n < len(b); {
		m, err := read(fd, b[n:min(n+1<<30, len(b))])
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

func (f folder) readSmall(name string, a *arena) []byte {
	fd, err := f.open(name)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	if len(a.free) < smallFile {
		a.free = prefault(make([]byte, max(a.chunk, smallFile)))
	}
	room := a.free[:smallFile]
	n, err := read(fd, room)
	if err != nil || n == 0 || n == len(room) {
		return nil
	}
	return a.take(n) // of a regular file a part is all there is
}

func (f folder) open(name string) (fd int, err error) {
	if !fs.ValidPath(name) {
		return -1, fs.ErrInvalid
	}
	err = again(func() error {
		fd, err = syscall.Open(f.dir+"/"+name, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
		return err
	})
	return fd, err
}

func read(fd int, b []byte) (n int, err error) {
	err = again(func() error {
		n, err = syscall.Read(fd, b)
		return err
	})
	return n, err
}

// again repeats what a signal interrupted.
func again(do func() error) error {
	for {
		if err := do(); err != syscall.EINTR {
			return err
		}
	}
}
