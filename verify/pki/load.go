package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/durable"
)

// The caps of a trust folder. The world's certificates are about a thousand files
// of some kilobytes each.
const (
	maxFiles = 50_000
	maxFile  = cert.MaxCRL
)

// StatusFolder is the folder of a trust folder that LoadStore leaves alone: it holds the
// lists of card status.
const StatusFolder = "status"

// LoadOptions says what a trust folder is.
type LoadOptions struct {
	Specimen bool // the whole folder holds test keys
}

// LoadStore reads a trust folder and what lies in folders below it: certificates
// and revocation lists as DER or PEM, and issuers.toml at its top. Files under a
// folder named specimen are test keys. A file that cannot be used is listed by
// Skipped and is no error; an unreadable folder or issuers.toml is.
//
// A folder with an index of imports must hold the files that it names as they were
// imported, else the error is ErrEdited. If somebody imports meanwhile, what is read is
// the folder before or after that.
func LoadStore(fsys fs.FS, o LoadOptions) (*Store, error) {
	for try := 1; ; try++ {
		l := loader{fsys: fsys, options: o, b: newBuilder(0), listed: map[string]bool{}}
		s, err := l.load()
		if err == nil {
			return s, nil
		}
		if now, _ := readIndex(fsys); try == 5 || bytes.Equal(now, l.index) {
			return nil, fmt.Errorf("load trust folder: %w", err)
		}
	}
}

// loader gathers what a folder holds.
type loader struct {
	fsys    fs.FS
	options LoadOptions
	index   []byte // as it stood when the loading began
	listed  map[string]bool
	b       *builder
	crls    []*cert.CRL
	issuers []Issuer
	blocked []blockedSigner
	skipped []Skipped
}

// readIndex returns the octets of a folder's index, nil if there is none.
func readIndex(fsys fs.FS) ([]byte, error) {
	b, err := ReadFile(fsys, IndexFile, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func (l *loader) load() (*Store, error) {
	var x Index
	var err error
	if l.index, err = readIndex(l.fsys); err != nil {
		return nil, err
	}
	if l.index != nil {
		if x, err = ParseIndex(l.index); err != nil {
			return nil, err
		}
	}
	for _, i := range x.Imports {
		l.listed[i.File] = true
	}
	var files []plainFile
	err = fs.WalkDir(l.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && name == StatusFolder {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		if len(files) == maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		if name != IndexFile && !l.listed[name] && !strings.HasPrefix(path.Base(name), durable.Unfinished) {
			files = append(files, plainFile{name: name, regular: d.Type().IsRegular()})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.b.grow(len(files))
	readAhead(l.fsys, files)
	for _, f := range files {
		if err := l.file(f, l.specimen(f.name)); err != nil {
			return nil, err
		}
	}
	lists, err := l.imports(x)
	if err != nil {
		return nil, err
	}
	s := l.b.store(l.crls, l.issuers)
	s.skipped, s.adverse.blocked, s.index = l.skipped, l.blocked, l.index
	for _, list := range lists {
		if err := s.addList(list.Kind, list.octets, list.Import, l.specimen(list.File)); err != nil {
			return nil, fmt.Errorf("%s: %w", list.File, err)
		}
	}
	return s, nil
}

func (l *loader) specimen(name string) bool { return l.options.Specimen || inSpecimenFolder(name) }

// adverseFile is a file of an index that holds no certificates.
type adverseFile struct {
	*Import
	octets []byte
}

// imports takes what the index names. What the operator pinned comes first: it stays
// pinned where a list has it too.
func (l *loader) imports(x Index) ([]adverseFile, error) {
	var lists []adverseFile
	for _, pinned := range []bool{true, false} {
		for n := range x.Imports {
			i := &x.Imports[n]
			if pinned != (i.List == "") {
				continue
			}
			b, err := ReadFile(l.fsys, i.File, maxPack)
			switch {
			case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrFile):
				return nil, fmt.Errorf("%s: %w", i.File, ErrEdited)
			case err != nil:
				return nil, err
			case sha256.Sum256(b) != i.SHA256:
				return nil, fmt.Errorf("%s: %w", i.File, ErrEdited)
			}
			if i.Kind != ImportAnchors && i.Kind != ImportMaterial {
				lists = append(lists, adverseFile{i, b})
			} else {
				l.imported(i, b)
			}
		}
	}
	return lists, nil
}

// imported takes the certificates and lists of one imported file. What cannot be read in
// it is of no use and does no harm.
func (l *loader) imported(i *Import, b []byte) {
	certs, crls, err := unpack(b)
	if err != nil {
		certs, crls = [][]byte{b}, nil
	}
	l.b.grow(len(certs))
	source, specimen := l.b.sourceOf(i.File, i), l.specimen(i.File)
	bad := 0
	for _, der := range certs {
		it := item{der: der, source: source, specimen: specimen, material: i.Kind != ImportAnchors}
		if taken, err := l.b.addOf(it, i); err != nil && taken {
			bad++
		}
	}
	for _, der := range crls {
		if r, err := cert.ParseCRL(der); err == nil {
			l.crls = append(l.crls, r)
		} else {
			bad++
		}
	}
	if bad > 0 {
		l.skip(i.File, fmt.Sprintf("%d of its certificates and lists cannot be read", bad))
	}
}

// ErrFile says that a file is no regular one, or larger than may be.
var ErrFile = errors.New("no regular file of a size that can be")

// ReadFile reads a regular file of at most most octets, else ErrFile: a link to a device, or
// a pipe, in a folder that somebody else has filled must not hold the reader.
func ReadFile(fsys fs.FS, name string, most int64) ([]byte, error) {
	if r, ok := fsys.(regularReader); ok {
		return r.readRegular(name, most)
	}
	info, err := fs.Stat(fsys, name) // of what a link leads to
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s: %w", name, ErrFile)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, info.Size()+1)
	n, err := io.ReadFull(f, b)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%s: %w: it grows", name, ErrFile)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return b[:n:n], nil
	}
	return nil, err
}

func (l *loader) file(f plainFile, specimen bool) error {
	name := f.name
	switch strings.ToLower(path.Ext(name)) {
	case ".ml", ".ldif", ".p7b", ".p7c":
		l.skip(name, "a list of certificates that is not yet imported")
		return nil
	}
	b, err := f.octets, error(nil)
	if b == nil {
		b, err = ReadFile(l.fsys, name, maxFile)
	}
	if errors.Is(err, ErrFile) {
		l.skip(name, "too large, or no regular file")
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		l.skip(name, "it was removed, or is a link to nothing")
		return nil
	}
	if err != nil {
		return err
	}
	switch name {
	case IssuersFile:
		l.issuers, err = ParseIssuers(b)
		return err
	case blockedFile:
		l.blocked, err = parseBlocked(b)
		return err
	}
	l.content(name, b, specimen)
	return nil
}

// content takes the certificates and lists of one file.
func (l *loader) content(name string, b []byte, specimen bool) {
	if len(b) > 0 && b[0] == 0x30 {
		if err := l.certificate(name, b, specimen); err == nil {
			return
		} else if r, rerr := cert.ParseCRL(b); rerr == nil {
			l.crls = append(l.crls, r)
		} else {
			l.skip(name, err.Error())
		}
		return
	}
	blocks := 0
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks++
		l.block(name, block, specimen)
	}
	if blocks == 0 {
		l.skip(name, "neither a certificate nor a revocation list")
	}
}

func (l *loader) certificate(name string, der []byte, specimen bool) error {
	return l.b.add(item{der: der, source: l.b.source(name), specimen: specimen})
}

func (l *loader) block(name string, block *pem.Block, specimen bool) {
	switch block.Type {
	case "CERTIFICATE":
		if err := l.certificate(name, block.Bytes, specimen); err != nil {
			l.skip(name, err.Error())
		}
	case "X509 CRL":
		r, err := cert.ParseCRL(block.Bytes)
		if err != nil {
			l.skip(name, err.Error())
			return
		}
		l.crls = append(l.crls, r)
	default:
		l.skip(name, fmt.Sprintf("PEM block %q", block.Type))
	}
}

func (l *loader) skip(name, why string) { l.skipped = append(l.skipped, Skipped{name, why}) }

func inSpecimenFolder(name string) bool {
	dir := path.Dir(name)
	return dir != "." && slices.ContainsFunc(strings.Split(dir, "/"), func(s string) bool {
		return strings.EqualFold(s, "specimen")
	})
}
