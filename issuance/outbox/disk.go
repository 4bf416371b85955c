package outbox

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
)

// disk does what changes the box. A test puts one in its place that dies.
type disk interface {
	// write puts a file there, whole or not at all, 0600, and it outlives a loss of power.
	write(dir, name string, content []byte) error
	// add puts a line behind those of a file, likewise.
	add(path string, line []byte) error
	rename(from, to string) error
	// wipe overwrites a file once and removes it. A file system that keeps old blocks may keep
	// them: they are sealed.
	wipe(path string) error
	remove(path string) error
}

type osDisk struct{}

func (osDisk) write(dir, name string, content []byte) error {
	return durable.Replace(filepath.Join(dir, name), content, 0o600)
}

func (osDisk) add(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if torn(f) {
		line = append([]byte("\n"), line...)
	}
	_, err = f.Write(line)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return durable.Sync(filepath.Dir(path))
}

// torn reports whether a file ends within a line.
func torn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

func (osDisk) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return durable.Sync(filepath.Dir(to))
}

func (osDisk) wipe(path string) error {
	f, size, err := openPlain(path, os.O_WRONLY)
	if err != nil { // somebody else put it there, and what it holds is sealed
		return os.Remove(path)
	}
	_, err = f.Write(make([]byte, min(size, maxFile)))
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
		return err
	}
	return durable.Sync(filepath.Dir(path))
}

func (osDisk) remove(path string) error { return os.Remove(path) }

// patience is how long to wait for another program that changes the box: one that hangs must not
// keep a citizen waiting for ever.
const patience = 30 * time.Second

// makeDir makes a folder for its owner alone, if it is not there.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return durable.Sync(filepath.Dir(dir))
	case errors.Is(err, os.ErrExist):
		return nil
	}
	return err
}

// openPlain opens a file; what is none, but a folder, a link or a pipe, is ErrFormat.
func openPlain(path string, how int) (f *os.File, size int64, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, ErrFormat
	}
	if f, err = os.OpenFile(path, how|plain, 0); err != nil {
		return nil, 0, err
	}
	if now, err := f.Stat(); err != nil || !os.SameFile(info, now) {
		f.Close()
		return nil, 0, ErrFormat
	}
	return f, info.Size(), nil
}

// readSmall reads a file of at most so many octets; a larger one is ErrFormat.
func readSmall(path string, most int64) ([]byte, error) {
	f, _, err := openPlain(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = ErrFormat
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}
