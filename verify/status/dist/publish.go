package dist

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// ErrNewer says that the folder has a newer head than the one to be published.
var ErrNewer = errors.New("a newer list is published already")

// mostSteps is how many patches a head names: those of two months, if one is published a day.
const mostSteps = 62

// Publisher writes into a folder what devices fetch.
type Publisher struct {
	Dir     string
	Signers status.Signers // that signed what lies there

	// Snapshot signs the list as it is now; Head says that it is the newest, of so many octets.
	Snapshot func() ([]byte, error)
	Head     func(snapshot *status.List, size uint64, steps []status.Step) ([]byte, error)
}

// Published is what a publication wrote.
type Published struct {
	Head     *status.Head
	Snapshot *status.List
	Patch    int // octets of the patch from the snapshot before; 0 if there is none
}

// Publish makes a snapshot, the patch from the one before, and the head, which is written
// last: until then devices get what there was. A folder in which something else lies than
// these signers signed is an error of package status. Of two programs that publish there at once, the
// one that signed earlier and comes later is ErrNewer.
func (p *Publisher) Publish() (*Published, error) {
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return nil, err
	}
	before, base, err := p.newest()
	if err != nil {
		return nil, fmt.Errorf("what was published before: %w", err)
	}
	octets, err := p.Snapshot()
	if err != nil {
		return nil, err
	}
	next, err := status.Parse(octets, p.Signers)
	if err != nil {
		return nil, err
	}
	out := &Published{Snapshot: next}
	var steps []status.Step
	if base != nil {
		patch, err := status.MakePatch(base, next, octets)
		if err != nil {
			return nil, err
		}
		step := status.Step{From: base.Sequence, Base: base.Digest, File: status.File{Digest: sha256.Sum256(patch), Size: uint64(len(patch))}}
		steps = worthwhile(append(before.Steps, step), uint64(len(octets)))
		if err := durable.Replace(filepath.Join(p.Dir, nameOfPatch(base.Sequence, next.Sequence)), patch, 0o644); err != nil {
			return nil, err
		}
		out.Patch = len(patch)
	}
	if err := durable.Replace(filepath.Join(p.Dir, nameOfSnapshot(next.Sequence)), octets, 0o644); err != nil {
		return nil, err
	}
	if out.Head, err = p.lead(next, uint64(len(octets)), steps, before); err != nil {
		return nil, err
	}
	return out, p.sweep(before)
}

// newest is what the folder's head says, and its snapshot; nil if nothing was published.
func (p *Publisher) newest() (*status.Head, *status.List, error) {
	fsys := os.DirFS(p.Dir)
	b, err := pki.ReadFile(fsys, HeadName, status.MaxHead)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	h, err := status.ParseHead(b, p.Signers)
	if err != nil {
		return nil, nil, err
	}
	b, err = pki.ReadFile(fsys, nameOfSnapshot(h.Base), status.MaxList)
	if err != nil {
		return nil, nil, err
	}
	l, err := status.Parse(b, p.Signers)
	if err == nil && l.Digest != h.Snapshot.Digest {
		err = fmt.Errorf("%s: %w", nameOfSnapshot(h.Base), ErrOther)
	}
	return h, l, err
}

// worthwhile leaves out the steps that are so many that the snapshot is fetched sooner.
func worthwhile(steps []status.Step, snapshot uint64) []status.Step {
	from, total := len(steps), uint64(0)
	for from > 0 && len(steps)-from < mostSteps {
		if total += steps[from-1].Size; total > snapshot {
			break
		}
		from--
	}
	return steps[from:]
}

// lead signs and writes the head.
func (p *Publisher) lead(next *status.List, size uint64, steps []status.Step, before *status.Head) (*status.Head, error) {
	b, err := p.Head(next, size, steps)
	if err != nil {
		return nil, err
	}
	h, err := status.ParseHead(b, p.Signers)
	if err != nil {
		return nil, err
	}
	now, _, err := p.newest()
	if err != nil {
		return nil, err
	}
	if now != nil && (before == nil || now.Digest != before.Digest) && now.Sequence > h.Sequence {
		return nil, fmt.Errorf("number %d: %w, number %d", h.Sequence, ErrNewer, now.Sequence)
	}
	return h, durable.Replace(filepath.Join(p.Dir, HeadName), b, 0o644)
}

// sweep removes what neither the head nor the one before it leads to.
func (p *Publisher) sweep(before *status.Head) error {
	if before == nil {
		return nil
	}
	first := before.Base
	if len(before.Steps) > 0 {
		first = before.Steps[0].From
	}
	files, err := os.ReadDir(p.Dir)
	for _, f := range files {
		n, patch := numberIn(f.Name(), snapshotName, 1), numberIn(f.Name(), patchName, 1)
		if n > 0 && n < before.Base || patch > 0 && patch < first {
			err = errors.Join(err, os.Remove(filepath.Join(p.Dir, f.Name())))
		}
	}
	return err
}
