// Package outbox keeps what a desk took in while its ledger was away: each request sealed in
// a file of its own, until the ledger has it or an officer throws it away.
//
// A request is what can't be had again once the citizen has gone, so it is on the disk before
// Keep returns, and nothing but Filed and Discard takes it away. What the files say in clear is
// about nobody: a random name, when it was taken, which key took it, why it was refused.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

var (
	// ErrMissing means that no draft of that name lies there.
	ErrMissing = errors.New("there is no such draft")
	// ErrExists means that a draft of that name lies there already.
	ErrExists = errors.New("there is a draft of that name")
	// ErrMany means that as many drafts lie there as may.
	ErrMany = errors.New("there are too many drafts")
	// ErrFormat means that a file is no draft, or a request too large for one.
	ErrFormat = errors.New("it is not a draft")
	// ErrDiscarded means that a draft of that name was thrown away, and has come back.
	ErrDiscarded = errors.New("it was thrown away")
	// ErrSealed means that a draft does not open: another key sealed it, or it was changed.
	ErrSealed = errors.New("the draft does not open with the key of this home")
)

// The bounds of a box. A day of one desk without its centre is some fifty requests of less than
// 200 kB.
const (
	MaxDrafts  = 500
	MaxContent = 256 << 10
)

// Wrapper keeps the key of a draft under a key of its own, as keystore has it.
type Wrapper interface {
	Wrap(ctx context.Context, key, label []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, label []byte) ([]byte, error)
}

// Head is what a draft says in clear. It is bound to the content.
type Head struct {
	Name     string // of what the request is to become: letters, digits and hyphens
	Taken    time.Time
	Operator [32]byte // the key that took it
}

// Refusal is why the ledger did not take a draft, without personal data.
type Refusal struct {
	At      time.Time `json:"at"`
	Code    string    `json:"code"`
	Message string    `json:"message"`
}

// Item is a draft that lies in a box.
type Item struct {
	Head
	Refusal *Refusal // of the last try; nil if there was none
	Err     error    // why its file can't be read; then only the name is known
}

// Box is a folder of drafts. Programs may use it side by side.
type Box struct {
	Dir  string // made when it is first written to
	disk disk   // nil: the real one
}

// The files of a draft, by what follows its name, and of the box.
const (
	draftEnd   = ".draft"
	refusedEnd = ".refused"
	doneEnd    = ".done" // filed or thrown away, and not wiped yet
	lockFile   = ".lock"
	sendFile   = ".sending"
	discarded  = "discarded" // a line for each that was thrown away
)

// Keep seals content under a key of its own, which w wraps, and puts it on the disk. After an
// error nobody may rely on it: ErrExists, ErrMany, ErrFormat, or what the disk said.
func (b Box) Keep(ctx context.Context, w Wrapper, h Head, content []byte) error {
	sealed, err := seal(ctx, w, h, content)
	if err != nil {
		return fmt.Errorf("keep draft %s: %w", h.Name, err)
	}
	return b.locked(func(d disk) error {
		names, err := b.names(draftEnd)
		switch {
		case err != nil:
		case slices.Contains(names, h.Name):
			err = ErrExists
		case len(names) >= MaxDrafts:
			err = ErrMany
		default:
			err = d.write(b.Dir, h.Name+draftEnd, sealed)
		}
		if err != nil {
			return fmt.Errorf("keep draft %s: %w", h.Name, err)
		}
		return nil
	})
}

// List tells of the drafts, the one taken first first. Where no box is, there are none.
func (b Box) List() ([]Item, error) {
	names, err := b.names(draftEnd)
	if err != nil {
		return nil, fmt.Errorf("list the drafts: %w", err)
	}
	var list []Item
	for _, name := range names {
		i := Item{Head: Head{Name: name}}
		raw, err := readSmall(b.path(name+draftEnd), maxFile)
		if errors.Is(err, os.ErrNotExist) {
			continue // filed meanwhile
		}
		var f file
		if err == nil {
			f, err = parseFile(raw)
		}
		if err == nil && f.Name != name {
			err = ErrFormat
		}
		if i.Err = err; err == nil {
			i.Head = f.Head
		}
		i.Refusal = b.refusal(name)
		list = append(list, i)
	}
	slices.SortStableFunc(list, func(x, y Item) int { return x.Taken.Compare(y.Taken) })
	return list, nil
}

// Open unseals a draft. The caller wipes the content. Errors: ErrMissing, ErrDiscarded, ErrFormat,
// ErrSealed, or what w said.
func (b Box) Open(ctx context.Context, w Wrapper, name string) (h Head, content []byte, err error) {
	if h, content, err = b.open(ctx, w, name); err != nil {
		return Head{}, nil, fmt.Errorf("open draft %s: %w", name, err)
	}
	return h, content, nil
}

func (b Box) open(ctx context.Context, w Wrapper, name string) (Head, []byte, error) {
	if !validName(name) {
		return Head{}, nil, ErrMissing
	}
	raw, err := readSmall(b.path(name+draftEnd), maxFile)
	if errors.Is(err, os.ErrNotExist) {
		err = ErrMissing
	}
	if err == nil {
		err = b.kept(name)
	}
	if err != nil {
		return Head{}, nil, err
	}
	f, err := parseFile(raw)
	if err != nil {
		return Head{}, nil, err
	}
	if f.Name != name { // a file that was put in another's place
		return Head{}, nil, ErrFormat
	}
	content, err := f.open(ctx, w)
	return f.Head, content, err
}

// names lists what lies in the box and ends so.
func (b Box) names(end string) ([]string, error) {
	files, err := os.ReadDir(b.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), end); ok && validName(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (b Box) path(name string) string { return filepath.Join(b.Dir, name) }
