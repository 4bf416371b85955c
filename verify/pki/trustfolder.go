package pki

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
)

// kindStore is the kind of mark that a trust folder itself leaves in a Memory.
const kindStore = "store"

// TrustFolder is a trust folder on disk that lists are imported into. One process at a time
// changes it; whoever reads it meanwhile sees it before or after the change.
type TrustFolder struct {
	Path     string
	Specimen bool    // the whole folder holds test keys; see LoadOptions
	Seen     *Memory // what this device has seen of each list, and of the folder; it must be set
}

// Load reads the folder as LoadStore does, and refuses one that an older one was put in
// the place of, with an ErrRollback. A folder that is not there trusts nobody.
func (f TrustFolder) Load() (*Store, error) {
	if _, err := os.Stat(f.Path); err != nil {
		return nil, err
	}
	s, err := LoadStore(Folder(f.Path), LoadOptions{Specimen: f.Specimen})
	if err != nil {
		return nil, err
	}
	if s.edition, err = f.check(s.index); err != nil { // of what was loaded, whatever lies there by now
		return nil, err
	}
	return s, nil
}

// open returns the folder and the octets of its index.
func (f TrustFolder) open() (fs.FS, []byte, error) {
	if _, err := os.Stat(f.Path); err != nil {
		return nil, nil, err
	}
	fsys := Folder(f.Path)
	index, err := readIndex(fsys)
	return fsys, index, err
}

// Index returns what was imported into the folder, the zero Index if nothing was.
func (f TrustFolder) Index() (Index, error) {
	_, index, err := f.open()
	if err != nil || index == nil {
		return Index{}, err
	}
	return ParseIndex(index)
}

// issuer names the folder in a Memory.
func (f TrustFolder) issuer() string {
	p := f.Path
	if whole, err := filepath.Abs(p); err == nil {
		p = whole
	}
	if real, err := filepath.EvalSymlinks(p); err == nil {
		p = real
	}
	if p = filepath.ToSlash(p); len(p) > maxMarkIssuer {
		p = fmt.Sprintf("%x", sha256.Sum256([]byte(p)))
	}
	return p
}

// check compares the folder's index with what the device has seen of it, and returns its
// mark; nil if there is no index.
func (f TrustFolder) check(index []byte) (*Mark, error) {
	seen, ok := f.Seen.last(kindStore, f.issuer())
	if index == nil {
		if ok {
			return nil, &RollbackError{Seen: seen, Given: Mark{Kind: kindStore, Issuer: f.issuer()}}
		}
		return nil, nil
	}
	x, err := ParseIndex(index)
	if err != nil {
		return nil, err
	}
	m := f.mark(x.Generation, index)
	if ok && !m.follows(seen) {
		return nil, &RollbackError{Seen: seen, Given: m}
	}
	return &m, nil
}

func (f TrustFolder) mark(generation uint64, index []byte) Mark {
	return Mark{Kind: kindStore, Issuer: f.issuer(), Sequence: generation, Digest: sha256.Sum256(index)}
}

// change is a folder on its way from one index to the next.
type change struct {
	TrustFolder
	fsys  fs.FS
	store *Store // as it was
	old   Index
	index Index // as it becomes
	notes []Mark

	written []string // files that the old index does not name
}

// lock keeps other processes from changing the folder, which is made if it is not there.
func (f TrustFolder) lock() (unlock func(), err error) {
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return nil, err
	}
	return durable.Lock(filepath.Clean(f.Path)+".lock", patience)
}

// begin loads the folder, which is locked.
func (f TrustFolder) begin() (*change, error) {
	c := &change{TrustFolder: f, fsys: Folder(f.Path)}
	var err error
	if c.store, err = f.Load(); err != nil {
		return nil, err
	}
	if c.old, err = f.Index(); err != nil {
		return nil, err
	}
	c.index = Index{Generation: c.old.Generation + 1, Imports: slices.Clone(c.old.Imports)}
	return c, nil
}

// put writes a file that the next index will name, in the place of those that it
// replaces, and returns its line. The folder does not count it before the index does.
func (c *change) put(i Import, b []byte, specimen bool, replaces func(Import) bool) (Import, error) {
	if i.SHA256 = sha256.Sum256(b); specimen && !c.Specimen {
		i.File = path.Join("specimen", i.File) // what was signed under a test key stays among them
	}
	name := filepath.Join(c.Path, filepath.FromSlash(i.File))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return Import{}, err
	}
	if err := durable.Replace(name, b, 0o644); err != nil {
		return Import{}, err
	}
	if !c.old.names(i.File) {
		c.written = append(c.written, i.File)
	}
	c.index.Imports = slices.DeleteFunc(c.index.Imports, func(o Import) bool { return o.File == i.File || replaces(o) })
	c.index.Imports = append(c.index.Imports, i)
	return i, nil
}

// next loads the folder as it would be with the next index.
func (c *change) next() (*Store, error) {
	return LoadStore(overlay{c.fsys, c.index.Format()}, LoadOptions{Specimen: c.Specimen})
}

// commit makes the next index the folder's, then removes what only the old one named and
// remembers what was seen.
func (c *change) commit() error {
	if _, err := c.next(); err != nil {
		return err
	}
	b := c.index.Format()
	if err := durable.Replace(filepath.Join(c.Path, IndexFile), b, 0o644); err != nil {
		return err
	}
	for _, i := range c.old.Imports {
		c.written = append(c.written, i.File)
	}
	c.old = c.index
	return c.Seen.Note(append(c.notes, c.mark(c.index.Generation, b))...)
}

// unchanged remembers what was seen where there was nothing new, of the folder too: it
// may have come from elsewhere.
func (c *change) unchanged() error {
	index, err := readIndex(c.fsys)
	if err != nil {
		return err
	}
	if index != nil {
		c.notes = append(c.notes, c.mark(c.old.Generation, index))
	}
	return c.Seen.Note(c.notes...)
}

// clean removes the files that the index does not name: those of a change that failed,
// or those that were replaced. What stays behind is of no use and does no harm.
func (c *change) clean() {
	for _, name := range c.written {
		if !c.old.names(name) {
			os.Remove(filepath.Join(c.Path, filepath.FromSlash(name)))
		}
	}
}

// names says whether the index names the file.
func (x Index) names(file string) bool {
	return slices.ContainsFunc(x.Imports, func(i Import) bool { return i.File == file })
}

// overlay is a folder with another index.
type overlay struct {
	fs.FS
	index []byte
}

func (o overlay) Open(name string) (fs.File, error) {
	if name == IndexFile {
		return o.file(), nil
	}
	return o.FS.Open(name)
}

// Stat looks at a file without opening it, so that a pipe holds nobody.
func (o overlay) Stat(name string) (fs.FileInfo, error) {
	if name == IndexFile {
		return o.file(), nil
	}
	return fs.Stat(o.FS, name)
}

func (o overlay) file() *octets { return &octets{o.index, int64(len(o.index))} }

// octets is a file that lies only in memory, and its own description.
type octets struct {
	left []byte
	size int64
}

func (f *octets) Stat() (fs.FileInfo, error) { return f, nil }
func (f *octets) Close() error               { return nil }
func (f *octets) Name() string               { return IndexFile }
func (f *octets) Size() int64                { return f.size }
func (f *octets) Mode() fs.FileMode          { return 0o444 }
func (f *octets) ModTime() time.Time         { return time.Time{} }
func (f *octets) IsDir() bool                { return false }
func (f *octets) Sys() any                   { return nil }

func (f *octets) Read(p []byte) (int, error) {
	n := copy(p, f.left)
	f.left = f.left[n:]
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
