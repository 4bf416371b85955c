package status

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/verify/pki"
)

// Extension is how the names of lists end in a folder of lists.
const Extension = ".status"

// ErrNoBase says that a delta's snapshot is not here, so that it changes nothing.
var ErrNoBase = errors.New("the snapshot that it changes is not here")

// maxLists bounds the files of a folder: an issuer keeps a few snapshots and a day's deltas.
const maxLists = 4096

// Memory keeps the newest edition of each list that was seen; *pki.Memory does. Note's
// error for an older one is pki.ErrRollback.
type Memory interface {
	Note(lists ...pki.Mark) error
}

// Options say how a folder of lists is read.
type Options struct {
	Signers Signers // whose lists are taken; nil is nobody's
	Memory  Memory  // what was seen before; nil remembers nothing
}

// Refused is a list that is not used.
type Refused struct {
	Path string
	Err  error
}

// Source answers from the lists of a folder, for all issuers. It does not change and may
// be used by several goroutines.
type Source struct {
	series  []*series
	refused []Refused
	signers Signers // nil: every list here may speak of all that it covers
}

// Load reads the lists that lie in a folder, in files whose names end in Extension; other
// files and folders below it are passed over, and a folder that is not there holds no
// lists. A list that may not be used is Refused and no error. Of each list the newest
// snapshot counts, with the newest delta that fits it; where that is older than what
// the memory has seen, none counts, nor an exact list where a newer filter was seen, or the
// other way round, and it is gone.
func Load(fsys fs.FS, o Options) (*Source, error) {
	if o.Signers == nil {
		o.Signers = pki.NewStore(nil, nil, nil)
	}
	files, err := fs.ReadDir(fsys, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load card status lists: %w", err)
	}
	s := &Source{signers: o.Signers}
	sorter := sorter{}
	n := 0
	for _, f := range files {
		if path.Ext(f.Name()) != Extension || f.IsDir() {
			continue
		}
		if n++; n > maxLists {
			return nil, fmt.Errorf("load card status lists: more than %d of them", maxLists)
		}
		b, err := pki.ReadFile(fsys, f.Name(), MaxList)
		if err == nil {
			err = sorter.add(f.Name(), b, o.Signers)
		}
		if err != nil {
			s.refuse(f.Name(), err)
		}
	}
	s.take(sorter, o.Memory)
	return s, nil
}

// Of is a source of one snapshot and, unless that is nil, a delta of it, else ErrNoBase.
func Of(snapshot, delta *List) (*Source, error) {
	x := &series{snapshot: snapshot, delta: delta}
	if snapshot.Sort.Delta() || delta != nil && !delta.changes(snapshot) {
		return nil, ErrNoBase
	}
	return &Source{series: []*series{x}}, nil
}

// Refused lists what lies in the folder and is not used, in the order of names.
func (s *Source) Refused() []Refused { return s.refused }

// Lists are those that are used: snapshots and their deltas.
func (s *Source) Lists() []*List {
	var all []*List
	for _, x := range s.series {
		for _, l := range []*List{x.snapshot, x.delta} {
			if l != nil && !slices.Contains(all, l) {
				all = append(all, l)
			}
		}
	}
	return all
}

// refuse notes why a list is not used, once.
func (s *Source) refuse(path string, err error) {
	if !slices.ContainsFunc(s.refused, func(r Refused) bool { return r.Path == path }) {
		s.refused = append(s.refused, Refused{path, err})
	}
}

// Error says why a list is not used.
func (r Refused) Error() string { return r.Path + ": " + r.Err.Error() }

// Unwrap is the reason.
func (r Refused) Unwrap() error { return r.Err }

// series is a list as it counts for one document code: a snapshot, and the newest delta of
// it, if there is one.
type series struct {
	snapshot, delta *List
	document        string // "" is all of the snapshot's
	path            string // of the newest of them
	note            string // what is wrong with other lists of the series
}

// newest is the list that was signed last.
func (x *series) newest() *List {
	if x.delta != nil {
		return x.delta
	}
	return x.snapshot
}

// mark is how a memory knows the series.
func (x *series) mark() pki.Mark {
	l := x.newest()
	return pki.Mark{
		Kind: "status-" + x.snapshot.Sort.String(), Issuer: strings.ToLower(l.Country) + ":" + l.URI + " " + x.document,
		Sequence: l.Sequence, Signed: l.Signed, Digest: l.Digest,
	}
}
