package pki

import (
	"io/fs"
	"os"
)

// Folder is a folder on a disk, for LoadStore: what os.DirFS makes of it, whose files are
// read by fewer system calls. Most of a short run goes into opening hundreds of files.
func Folder(dir string) fs.FS { return folder{os.DirFS(dir), dir} }

type folder struct {
	fs.FS
	dir string
}

// ReadDir is that of os.DirFS.
func (f folder) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

// Stat is that of os.DirFS.
func (f folder) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.FS, name) }

// regularReader reads a file as ReadFile promises.
type regularReader interface {
	readRegular(name string, most int64) ([]byte, error)
}
