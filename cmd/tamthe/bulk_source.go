package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
)

// The bounds of a tree and of a stream that a stranger may have filled. A document has at
// most one file of each name, each as large as verify.ReadFiles takes it, and in a stream,
// where several are held at once, eight megabytes in all.
const (
	maxTreeDepth = 16
	maxPaperFile = 1 << 20
	maxPaperPath = 4096
	maxPaper     = 8 << 20
)

var (
	errDeep  = fmt.Errorf("folders lie more than %d deep", maxTreeDepth)
	errLink  = errors.New("a link or another file that is no regular one")
	errTwice = errors.New("a file is there twice")
	errCut   = errors.New("it ends before the end of the archive")
)

// tree finds every EF folder under a folder, in the order of their names. Links are not
// followed, and nothing outside the folder is read.
func tree(root *os.Root) *many {
	m := &many{}
	fsys := root.FS()
	m.papers = func(yield func(paper) bool) {
		m.broken = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && name == ".":
				return err
			case err != nil:
				return proceed(yield(paper{path: name, err: err}), fs.SkipDir)
			case d.Type().IsRegular() && strings.HasSuffix(name, bundleSuffix):
				text, err := readBundle(fsys, name)
				return proceed(yield(paper{path: name, bundle: text, err: err}), nil)
			case !d.IsDir():
				if _, known := lds.ByName(path.Base(name)); !known || !d.Type().IsRegular() {
					m.skipped++
				}
				return nil
			case strings.Count(name, "/") >= maxTreeDepth:
				return proceed(yield(paper{path: name, err: errDeep}), fs.SkipDir)
			}
			if files, err := folderFiles(fsys, name); err != nil || len(files) > 0 {
				return proceed(yield(paper{path: name, files: files, err: err}), nil)
			}
			return nil
		})
	}
	return m
}

// proceed is next as long as somebody wants more.
func proceed(more bool, next error) error {
	if more {
		return next
	}
	return fs.SkipAll
}

// folderFiles reads one EF folder; one that holds no file of a card is empty.
func folderFiles(fsys fs.FS, name string) (verify.Files, error) {
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, err
	}
	found := false
	for _, e := range entries {
		_, known := lds.ByName(e.Name())
		if known && !e.IsDir() && !e.Type().IsRegular() {
			return nil, errLink
		}
		found = found || known && !e.IsDir()
	}
	if !found {
		return nil, nil
	}
	sub, err := fs.Sub(fsys, name)
	if err != nil {
		return nil, err
	}
	return verify.ReadFiles(sub)
}

// stream is standard input, which ends with ctx and with done: a read that still waits then
// for whoever writes there is left behind, and what it brings is nobody's.
func (p *program) stream(ctx context.Context) (r io.Reader, done func()) {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, p.in)
		_ = in.CloseWithError(err) // never fails
	}()
	stop := context.AfterFunc(ctx, func() { _ = in.CloseWithError(ctx.Err()) })
	return out, func() {
		stop()
		_ = out.Close()
	}
}

// tarred reads a tar stream of EF folders, of which nothing is written anywhere. The files
// of one folder stand together.
func tarred(r io.Reader) *many {
	m := &many{}
	m.papers = func(yield func(paper) bool) {
		watched := &ending{Reader: r}
		archive := tar.NewReader(watched)
		var d paper
		for {
			h, err := archive.Next()
			if watched.over && errors.Is(err, io.EOF) {
				err = errCut
			}
			switch {
			case errors.Is(err, io.EOF):
				if d.path != "" {
					yield(d)
				}
				return
			case err != nil: // what there is of a document may not be all of it
				m.broken = fmt.Errorf("read the stream: %w", err)
				return
			}
			name := path.Clean(strings.TrimPrefix(h.Name, "/"))
			f, known := lds.ByName(path.Base(name))
			if strings.HasSuffix(name, bundleSuffix) && h.Typeflag == tar.TypeReg && len(name) <= maxPaperPath {
				if !yield(tarredBundle(name, archive)) {
					return
				}
				continue
			}
			if !known || h.Typeflag != tar.TypeReg || len(name) > maxPaperPath {
				if h.Typeflag != tar.TypeDir {
					m.skipped++
				}
				continue
			}
			if folder := path.Dir(name); folder != d.path {
				if d.path != "" && !yield(d) {
					return
				}
				d = paper{path: folder, files: verify.Files{}}
			}
			d.take(f, archive, h.Size)
		}
	}
	return m
}

// tarredBundle reads a bundle that lies among the folders.
func tarredBundle(name string, r io.Reader) paper {
	b, err := io.ReadAll(io.LimitReader(r, evidence.MaxSize+1))
	if err == nil && len(b) > evidence.MaxSize {
		err = evidence.ErrTooLarge
	}
	return paper{path: name, bundle: b, err: err}
}

// ending notes that the stream was read to its end, which package tar does only where the
// two blocks of zeros are missing that end an archive.
type ending struct {
	io.Reader
	over bool
}

func (e *ending) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	e.over = e.over || n == 0 && errors.Is(err, io.EOF)
	return n, err
}

// take reads one file of a document.
func (d *paper) take(f lds.File, r io.Reader, size int64) {
	_, twice := d.files[f]
	defer func() { d.size += size }()
	switch {
	case d.err != nil:
	case twice:
		d.err = fmt.Errorf("%s: %w", f.Name(), errTwice)
	case size > maxPaperFile || d.size+size > maxPaper:
		d.err = fmt.Errorf("%s: %d octets are more than any file of a card has", f.Name(), size)
	default:
		if d.files[f], d.err = io.ReadAll(io.LimitReader(r, maxPaperFile+1)); d.err != nil {
			d.err = fmt.Errorf("read %s: %w", f.Name(), d.err)
		}
	}
}
