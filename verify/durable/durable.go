// Package durable keeps files that outlive a loss of power and a sudden end of the program, and
// that one program at a time changes: trust stores, records, keys, all that stands beside a
// database.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Unfinished begins the names of files that are not whole yet. What has such a name when nobody
// writes to the folder was left by a sudden end, and nobody was told that it is kept.
const Unfinished = ".new-"

// Replace puts octets into a file, in the place of any that is there, whole or not at all. Octets
// and name are on the disk when it returns nil.
func Replace(path string, octets []byte, mode fs.FileMode) error {
	return place(path, octets, mode, os.Rename)
}

// Create is Replace for a file that must not be there; else the error is fs.ErrExist, and what is
// there stays as it is. It needs a file system with hard links.
func Create(path string, octets []byte, mode fs.FileMode) error {
	return create(path, octets, mode, os.Link)
}

// Export is Create for any file system, a stick's or a network's without hard links too: there a
// sudden end may leave an empty file.
func Export(path string, octets []byte, mode fs.FileMode) error {
	return create(path, octets, mode, func(from, to string) error { return linkOrMove(from, to, os.Link) })
}

func linkOrMove(from, to string, link func(from, to string) error) error {
	err := link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // the name is ours
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), os.Rename(from, to)); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// create leaves nothing where it fails, unless somebody else had put it there.
func create(path string, octets []byte, mode fs.FileMode, move func(from, to string) error) error {
	made := false
	err := place(path, octets, mode, func(from, to string) error {
		err := move(from, to)
		made = err == nil
		return err
	})
	if err != nil && made {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// place writes a file beside the path and moves it there.
func place(path string, octets []byte, mode fs.FileMode, move func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, Unfinished+"*") // 0600
	if err != nil {
		return of(path, err)
	}
	if mode != 0o600 { // not every file system can change it
		err = f.Chmod(mode)
	}
	_, writing := f.Write(octets)
	err = errors.Join(err, writing, f.Sync(), f.Close())
	if err == nil {
		err = move(f.Name(), path)
	}
	if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) { // before the folder is written: a secret has one name
		err = errors.Join(err, gone)
	}
	if err != nil {
		return of(path, err)
	}
	return sync(dir)
}

// sync is Sync where the folder may be read; one that may only be written to cannot be waited for.
func sync(dir string) error {
	err := Sync(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// of says that an error is of the file that was to be made: nobody knows the one beside it.
func of(path string, err error) error {
	var file *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &file):
		return &fs.PathError{Op: "create", Path: path, Err: file.Err}
	case errors.As(err, &link):
		return &fs.PathError{Op: "create", Path: path, Err: link.Err}
	}
	return err
}

// ErrBusy means that another program has the lock.
var ErrBusy = errors.New("another program has it open")

// pause is between two tries to get a lock.
const pause = 5 * time.Millisecond
