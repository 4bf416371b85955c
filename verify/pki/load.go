package pki

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
)

// The caps of a trust folder. The world's certificates are about a thousand files
// of some kilobytes each.
const (
	maxFiles = 50_000
	maxFile  = cert.MaxCRL
)

// LoadOptions says what a trust folder is.
type LoadOptions struct {
	Specimen bool // the whole folder holds test keys
}

// LoadStore reads a trust folder and what lies in folders below it: certificates
// and revocation lists as DER or PEM, and issuers.toml at its top. Files under a
// folder named specimen are test keys. A file that cannot be used is listed by
// Skipped and is no error; an unreadable folder or issuers.toml is.
func LoadStore(fsys fs.FS, o LoadOptions) (*Store, error) {
	l := loader{b: newBuilder(0)}
	files := 0
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if files++; files > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return l.file(fsys, name, o.Specimen || inSpecimenFolder(name))
	})
	if err != nil {
		return nil, fmt.Errorf("load trust folder: %w", err)
	}
	s := l.b.store(l.crls, l.issuers)
	s.skipped = l.skipped
	return s, nil
}

// loader gathers what a folder holds.
type loader struct {
	b       *builder
	crls    []*cert.CRL
	issuers []Issuer
	skipped []Skipped
}

// ErrFile says that a file is no regular one, or larger than may be.
var ErrFile = errors.New("no regular file of a size that can be")

// ReadFile reads a regular file of at most most octets, else ErrFile: a link to a device, or
// a pipe, in a folder that somebody else has filled must not hold the reader.
func ReadFile(fsys fs.FS, name string, most int64) ([]byte, error) {
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
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		return nil, fmt.Errorf("%s: %w", name, ErrFile)
	}
	return b, err
}

func (l *loader) file(fsys fs.FS, name string, specimen bool) error {
	switch strings.ToLower(path.Ext(name)) {
	case ".ml", ".ldif":
		l.skip(name, "a list of certificates that is not yet imported")
		return nil
	}
	b, err := ReadFile(fsys, name, maxFile)
	if errors.Is(err, ErrFile) {
		l.skip(name, "too large, or no regular file")
		return nil
	}
	if err != nil {
		return err
	}
	if name == IssuersFile {
		l.issuers, err = ParseIssuers(b)
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
	return slices.ContainsFunc(strings.Split(path.Dir(name), "/"), func(s string) bool {
		return strings.EqualFold(s, "specimen")
	})
}
