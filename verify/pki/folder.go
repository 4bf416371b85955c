package pki

import (
	"io/fs"
	"os"
	"runtime"
	"sync"
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

// regularReader reads files as ReadFile promises.
type regularReader interface {
	readRegular(name string, most int64) ([]byte, error)
	// readSmall reads a regular file of less than smallFile octets into the arena. For any
	// other, and for one that cannot be read, it returns nil.
	readSmall(name string, a *arena) []byte
}

// plainFile is a file that lies in a trust folder.
type plainFile struct {
	name    string
	regular bool   // as the folder says
	octets  []byte // nil if it was not read ahead
}

// smallFile is more than a certificate takes.
const smallFile = 16 << 10

// readAhead reads small files, in several threads if there are many: the machine opens a
// file in more time than a certificate takes to be looked at.
func readAhead(fsys fs.FS, files []plainFile) {
	r, ok := fsys.(regularReader)
	if !ok {
		return
	}
	const least = 64 // files that are worth a thread
	threads := max(1, min(runtime.GOMAXPROCS(0), 4, len(files)/least))
	part := (len(files) + threads - 1) / threads
	var wg sync.WaitGroup
	for begin := 0; begin < len(files); begin += part {
		own := files[begin:min(begin+part, len(files))]
		read := func() {
			a := arena{chunk: min(1500*len(own), 1<<20) + smallFile}
			for i := range own {
				if own[i].regular {
					own[i].octets = r.readSmall(own[i].name, &a)
				}
			}
		}
		if threads == 1 {
			read()
		} else {
			wg.Go(read)
		}
	}
	wg.Wait()
}

// arena gives out parts of larger pieces of memory.
type arena struct {
	free  []byte
	chunk int // how large a piece is
}

// take gives out the first n octets that are free.
func (a *arena) take(n int) []byte {
	b := a.free[:n:n]
	a.free = a.free[n:]
	return b
}
