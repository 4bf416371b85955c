package dist

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/tamthe/tamthe/verify/status"
)

// follow brings the snapshot here that a head leads to.
func (f *fetch) follow(ctx context.Context, h *status.Head) (steps int, err error) {
	if f.held != nil && f.held.Digest == h.Snapshot.Digest {
		return 0, f.shelf.sweep(h.Base)
	}
	if f.held != nil {
		if way, ok := h.From(f.held); ok {
			if octets, err := f.patched(ctx, way, h); err == nil {
				f.held = nil // the memory is needed for the next one
				return len(way), f.take(h, octets)
			} else if ctx.Err() != nil {
				return 0, err
			}
		}
	}
	octets, err := f.whole(ctx, h)
	if err != nil {
		return 0, err
	}
	return 0, f.take(h, octets)
}

// patched makes the snapshot of the one that is here.
func (f *fetch) patched(ctx context.Context, way []status.Step, h *status.Head) ([]byte, error) {
	var patches []*status.Patch
	for i, step := range way {
		to := h.Base
		if i+1 < len(way) {
			to = way[i+1].From
		}
		b, err := f.c.small(ctx, f.url(nameOfPatch(step.From, to)), step.Size)
		if err != nil {
			return nil, err
		}
		if sha256.Sum256(b) != step.Digest {
			return nil, fmt.Errorf("%s: %w", nameOfPatch(step.From, to), ErrOther)
		}
		p, err := status.ParsePatch(b)
		if err != nil {
			return nil, err
		}
		patches = append(patches, p)
	}
	return status.Apply(f.held, patches...)
}

// whole fetches the snapshot, and goes on where an earlier fetch was cut. A part that was of
// something else is thrown away.
func (f *fetch) whole(ctx context.Context, h *status.Head) ([]byte, error) {
	part, name := f.shelf.partOf(h.Base), nameOfSnapshot(h.Base)
	for range 2 {
		_, before := os.Stat(part)
		if err := f.c.resume(ctx, f.url(name), part, int64(h.Snapshot.Size)); err != nil {
			if errors.Is(err, ErrOther) {
				_ = os.Remove(part) // it is of no use
			}
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b, err := os.ReadFile(part)
		if err != nil {
			return nil, err
		}
		if sha256.Sum256(b) == h.Snapshot.Digest {
			return b, nil
		}
		if err := os.Remove(part); err != nil {
			return nil, err
		}
		if before != nil { // nothing of it was here before
			break
		}
	}
	return nil, fmt.Errorf("%s: %w", name, ErrOther)
}

// take installs the octets that a head names, if they are a list that may be used.
func (f *fetch) take(h *status.Head, octets []byte) error {
	if sha256.Sum256(octets) != h.Snapshot.Digest {
		return ErrOther
	}
	l, err := status.Parse(octets, f.c.Signers)
	if err != nil {
		return err
	}
	if l.Sort != status.Index || l.URI != h.URI || l.Sequence != h.Base || l.Country != h.Country {
		return fmt.Errorf("%w: it is number %d of %q", ErrOther, l.Sequence, l.URI)
	}
	return f.shelf.install(l.Sequence, octets)
}
