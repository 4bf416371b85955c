package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/receipt"
)

// drops are places where others leave what they have: files, folders, addresses.
type drops struct {
	client *http.Client
	known  map[string]stamp
}

type stamp struct {
	size int64
	time time.Time
}

const (
	maxDrop  = evidence.MaxSize
	maxFiles = 100_000 // of a folder
)

// each gives every document of a place; of a folder those only that changed since they were
// last given, unless all are asked for.
func (d *drops) each(ctx context.Context, place string, all bool, f func(name string, octets []byte) error) error {
	if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
		dir, file := filepath.Split(place)
		p := Published(dir, d.client).(*published)
		b, err := p.get(ctx, file, maxDrop)
		if err != nil {
			return err
		}
		return f(place, b)
	}
	info, err := os.Stat(place)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return d.file(place, info, all, f)
	}
	n := 0
	return filepath.WalkDir(place, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		if n++; n > maxFiles {
			return fmt.Errorf("%s has more than %d files", place, maxFiles)
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		return d.file(path, info, all, f)
	})
}

func (d *drops) file(path string, info fs.FileInfo, all bool, f func(string, []byte) error) error {
	now := stamp{info.Size(), info.ModTime()}
	if !all && d.known[path] == now {
		return nil
	}
	b, err := read(path)
	if err != nil {
		return err
	}
	if err := f(path, b); err != nil {
		return err
	}
	if d.known == nil {
		d.known = map[string]stamp{}
	}
	d.known[path] = now
	return nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDrop+1))
	if err == nil && len(b) > maxDrop {
		err = fmt.Errorf("%s has more than %d octets", path, maxDrop)
	}
	return b, err
}

// gather takes in what others left since.
func (m *Monitor) gather(ctx context.Context, r *Round) error {
	for _, in := range []struct {
		places []string
		take   func(ctx context.Context, r *Round, place, name string, octets []byte) error
	}{{m.o.Also, m.show}, {m.o.SODs, m.seeSOD}, {m.o.Lists, m.seeObject}} {
		for _, place := range in.places {
			var own error
			err := m.drops.each(ctx, place, false, func(name string, octets []byte) error {
				own = in.take(ctx, r, place, name, octets)
				return own
			})
			if own != nil {
				return own
			}
			if err != nil {
				r.Away = append(r.Away, fmt.Errorf("%s: %w", place, err))
			}
		}
	}
	return m.unpack(ctx)
}

// show takes in what somebody was shown of a log.
func (m *Monitor) show(ctx context.Context, r *Round, place, name string, octets []byte) error {
	signed := noteIn(octets)
	if signed == nil {
		r.Away = append(r.Away, fmt.Errorf("%s: it is neither a checkpoint nor a receipt", name))
		return nil
	}
	return m.shown(ctx, r, place, name, signed)
}

func (m *Monitor) shown(ctx context.Context, r *Round, place, name string, signed []byte) error {
	c, err := receipt.ParseCheckpoint(signed)
	if err != nil || len(m.logs[c.Origin]) == 0 {
		return nil //nolint:nilerr // it is about none of the logs
	}
	good, err := m.open(signed)
	if found, is := errors.AsType[*LieError](err); is {
		return m.lied(ctx, r, place, c.Origin, found)
	}
	if err != nil {
		return err
	}
	r.shows(place, false)
	return m.o.State.Change(ctx, func(tx Tx) error {
		return tx.Show(Shown{good.Origin, good.Size, good.Root, good.Note, name, m.o.Now()})
	})
}

// Witnessed takes in a signed checkpoint that a witness cosigned, or was asked to.
func (m *Monitor) Witnessed(ctx context.Context, signed []byte) error {
	return m.shown(ctx, &Round{}, "the witness", "the witness", signed)
}

// noteIn finds the signed checkpoint of what a log gives out.
func noteIn(octets []byte) []byte {
	if p, err := receipt.Parse(octets); err == nil {
		return p.Checkpoint
	}
	if p, err := receipt.ParseBinary(octets); err == nil {
		return p.Checkpoint
	}
	if c, err := receipt.ParseContinuation(octets); err == nil {
		return c.Checkpoint
	}
	if c, err := receipt.ParseCheckpoint(octets); err == nil {
		return c.Note
	}
	return nil
}
