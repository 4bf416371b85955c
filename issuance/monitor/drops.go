package monitor

import (
	"bytes"
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

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/receipt"
)

// drops are places where others leave what they have: files, folders, addresses.
type drops struct {
	client *http.Client
	known  map[string]stamp
}

// stamp says how a file was when it was last given.
type stamp struct {
	size int64
	time time.Time
	read int64 // up to where its lines were given, if it is given by lines
}

const (
	maxDrop  = evidence.MaxSize
	maxFiles = 100_000 // of a folder
)

// each gives every document of a place; of a folder those only that changed since they were
// last given, unless all are asked for. unread is what could not be read, which keeps nothing else
// back; err is of f, and ends it.
func (d *drops) each(ctx context.Context, place string, all bool, f func(name string, octets []byte) error) (unread, err error) {
	if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
		dir, file := filepath.Split(place)
		p := Published(dir, d.client).(*published)
		b, unread := p.get(ctx, file, maxDrop)
		if unread != nil {
			return unread, nil
		}
		return nil, f(place, b)
	}
	info, unread := os.Stat(place)
	if unread != nil {
		return unread, nil
	}
	if !info.IsDir() {
		return d.file(place, info, all, f)
	}
	return d.folder(ctx, place, all, f)
}

func (d *drops) folder(ctx context.Context, place string, all bool, f func(string, []byte) error) (unread, err error) {
	var failed []error
	n := 0
	err = filepath.WalkDir(place, func(path string, entry fs.DirEntry, unread error) (err error) {
		var info fs.FileInfo
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case unread == nil && (!entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), durable.Unfinished)):
			return nil
		case unread == nil:
			if n++; n > maxFiles {
				failed = append(failed, fmt.Errorf("%s has more than %d files", place, maxFiles))
				return fs.SkipAll
			}
			info, unread = entry.Info()
		}
		if unread == nil {
			unread, err = d.file(path, info, all, f)
		}
		if unread != nil && (path == place || !errors.Is(unread, fs.ErrNotExist)) { // else it vanished
			failed = append(failed, unread)
		}
		return err
	})
	return errors.Join(failed...), err
}

// file gives a file, unless it is as it was. unread is why it cannot be read, err is of f.
func (d *drops) file(path string, info fs.FileInfo, all bool, f func(string, []byte) error) (unread, err error) {
	before := d.known[path]
	now := stamp{info.Size(), info.ModTime(), before.read}
	if !all && before == now {
		return nil, nil
	}
	if now.size < now.read { // it is another
		now.read = 0
	}
	var b []byte
	if info.Size() > maxDrop {
		now.read, unread, err = lines(path, now.read, f)
	} else if b, unread = read(path); unread == nil {
		err = f(path, b)
	}
	if d.known == nil {
		d.known = map[string]stamp{}
	}
	if unread != nil || err != nil {
		d.known[path] = stamp{read: now.read}
		return unread, err
	}
	d.known[path] = now
	return nil, nil
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

// maxLines is how much of a record of inspections is given at once, and more than a line has.
const maxLines = 1 << 20

// lines gives the lines that a record of inspections got since it was last read up to an
// offset, and returns the next. No other file may be so large.
func lines(path string, from int64, f func(string, []byte) error) (to int64, unread, err error) {
	file, err := os.Open(path)
	if err != nil {
		return from, err, nil
	}
	defer file.Close()
	for to = from; ; {
		b := make([]byte, maxLines)
		n, err := file.ReadAt(b, to)
		if err != nil && !errors.Is(err, io.EOF) {
			return to, err, nil
		}
		whole := b[:bytes.LastIndexByte(b[:n], '\n')+1]
		switch {
		case n >= len(inspectionBegins) && !bytes.HasPrefix(b, []byte(inspectionBegins)):
			return 0, fmt.Errorf("%s has more than %d octets, and no inspection at %d", path, maxDrop, to), nil
		case len(whole) == 0 && n == maxLines:
			return to, fmt.Errorf("%s has more than %d octets in the line at %d", path, maxLines, to), nil
		case len(whole) == 0: // the last is not whole yet
			return to, nil, nil
		}
		if err := f(path, whole); err != nil {
			return to, nil, err
		}
		to += int64(len(whole))
	}
}

// gather takes in what others left since. Trouble of the monitor's own ends a place, not the
// others.
func (m *Monitor) gather(ctx context.Context, r *Round) {
	for _, in := range []struct {
		places []string
		take   func(ctx context.Context, r *Round, place, name string, octets []byte) error
	}{{m.o.Also, m.show}, {m.o.SODs, m.seeSOD}, {m.o.Lists, m.seeObject}} {
		for _, place := range in.places {
			unread, err := m.drops.each(ctx, place, false, func(name string, octets []byte) error {
				return in.take(ctx, r, place, name, octets)
			})
			if unread != nil {
				r.Away = append(r.Away, fmt.Errorf("%s: %w", place, unread))
			}
			r.fails(err)
		}
	}
	r.fails(m.unpack(ctx))
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
