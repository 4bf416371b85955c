package monitor

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/tamthe/tamthe/verify/durable"
)

// ErrFull means that an inbox takes nothing more until what it holds was judged.
var ErrFull = errors.New("the drop is full")

// The most that the rooms of an inbox hold. Anybody may sign with a key of their own, so
// that those have little room, in which the newest is kept; only who has a key of an authority
// fills the other.
const (
	mostOurs    = 50_000
	mostStrange = 1_000
)

// Inbox keeps security objects that strangers hand in, one a file, until they were judged: what
// an authority of the logs signed in a room of its own. It may be used by many at once.
type Inbox struct {
	mu            sync.Mutex
	ours, strange room
}

// room is a folder and what lies in it.
type room struct {
	dir   string
	most  int
	order []string // names, the oldest first
	taken map[string]bool
}

// OpenInbox opens the inbox in a folder, which is made if it is not there.
func OpenInbox(dir string) (*Inbox, error) {
	i := &Inbox{}
	return i, errors.Join(i.ours.open(filepath.Join(dir, "ours"), mostOurs), i.strange.open(filepath.Join(dir, "strange"), mostStrange))
}

func (r *room) open(dir string, most int) error {
	r.dir, r.most, r.taken = dir, most, map[string]bool{}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	since := map[string]int64{}
	for _, e := range list {
		info, err := e.Info()
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(e.Name(), durable.Unfinished): // a cut left it
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
			continue
		}
		since[e.Name()] = info.ModTime().UnixNano()
		r.order, r.taken[e.Name()] = append(r.order, e.Name()), false
	}
	slices.SortFunc(r.order, func(a, b string) int { return cmp.Or(cmp.Compare(since[a], since[b]), cmp.Compare(a, b)) })
	return nil
}

// put keeps a security object by whose it is, however its octets were changed around that:
// its card and the key that signed it. Of the strange ones the oldest gives way.
func (i *Inbox) put(card [32]byte, signer, octets []byte, ours bool) error {
	sum := sha256.Sum256(slices.Concat(card[:], signer))
	name := hex.EncodeToString(sum[:]) + ".sod"
	i.mu.Lock()
	defer i.mu.Unlock()
	r := &i.strange
	if ours {
		r = &i.ours
	}
	_, there := r.taken[name]
	switch {
	case there:
		return nil
	case ours && len(r.order) >= r.most:
		return ErrFull
	case !ours && len(r.order) >= r.most:
		if err := r.remove(r.order[0]); err != nil {
			return err
		}
	}
	return r.keep(name, octets)
}

// keep gives octets their name once they are on the disk.
func (r *room) keep(name string, octets []byte) error {
	if err := durable.Replace(filepath.Join(r.dir, name), octets, 0o600); err != nil {
		return err
	}
	r.order, r.taken[name] = append(r.order, name), false
	return nil
}

func (r *room) remove(name string) error {
	if _, there := r.taken[name]; !there {
		return nil
	}
	if err := os.Remove(filepath.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(r.taken, name)
	r.order = slices.DeleteFunc(r.order, func(other string) bool { return other == name })
	return nil
}

// Waiting is how much waits to be judged, of what an authority of the logs signed and of
// what others did, and how much of the former there may be.
func (i *Inbox) Waiting() (ours, strange, most int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.ours.order), len(i.strange.order), i.ours.most
}

// fresh names what came since it was last asked.
func (i *Inbox) fresh() (paths []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range []*room{&i.ours, &i.strange} {
		for _, name := range r.order {
			if !r.taken[name] {
				r.taken[name] = true
				paths = append(paths, filepath.Join(r.dir, name))
			}
		}
	}
	return paths
}

// again has what fresh named be named once more.
func (i *Inbox) again(paths []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, path := range paths {
		name := filepath.Base(path)
		for _, r := range []*room{&i.ours, &i.strange} {
			if path == filepath.Join(r.dir, name) && r.taken[name] {
				r.taken[name] = false
			}
		}
	}
}

// name is that of what lies or lay in the inbox.
func (i *Inbox) name(path string) (name string, ours bool) {
	if i == nil {
		return "", false
	}
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	return name, dir == i.ours.dir || dir == i.strange.dir
}

// has says whether it is still there, in whichever room.
func (i *Inbox) has(name string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, ours := i.ours.taken[name]
	_, strange := i.strange.taken[name]
	return ours || strange
}

// judged takes out what needs to be kept no longer.
func (i *Inbox) judged(names []string) error {
	if i == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	var failed []error
	for _, name := range names {
		failed = append(failed, i.ours.remove(name), i.strange.remove(name))
	}
	return errors.Join(failed...)
}
