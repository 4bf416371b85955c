package outbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/verify/durable"
)

var errCrash = errors.New("the program is gone")

// dying is a disk under a program that is killed at a step: half of that step is done, or
// none, and nothing after it. Each of the disk's acts is as many steps as it has.
type dying struct {
	left int
}

// step is false from the step on at which the program dies.
func (d *dying) step() bool {
	d.left--
	return d.left >= 0
}

func (d *dying) write(dir, name string, content []byte) error {
	beside := filepath.Join(dir, durable.Unfinished+"1")
	for _, do := range []func() error{
		func() error { return os.WriteFile(beside, nil, 0o600) },
		func() error { return os.WriteFile(beside, content[:len(content)/2], 0o600) },
		func() error { return os.WriteFile(beside, content, 0o600) },
		func() error { return os.Rename(beside, filepath.Join(dir, name)) },
	} {
		if !d.step() {
			return errCrash
		}
		if err := do(); err != nil {
			return err
		}
	}
	return d.end()
}

// end is the moment between the last step and the return.
func (d *dying) end() error {
	if !d.step() {
		return errCrash
	}
	return nil
}

func (d *dying) add(path string, line []byte) error {
	for _, part := range [][]byte{line[:len(line)/2], line[len(line)/2:]} {
		if !d.step() {
			return errCrash
		}
		if err := (osDisk{}).add(path, part); err != nil {
			return err
		}
	}
	return d.end()
}

func (d *dying) rename(from, to string) error {
	if !d.step() {
		return errCrash
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return d.end()
}

func (d *dying) wipe(path string) error {
	if !d.step() {
		return errCrash
	}
	info, err := os.Stat(path)
	if err == nil {
		err = os.WriteFile(path, make([]byte, info.Size()/2), 0o600)
	}
	if err != nil || !d.step() {
		return errors.Join(errCrash, err)
	}
	return errors.Join(os.Remove(path), d.end())
}

func (d *dying) remove(path string) error {
	if !d.step() {
		return errCrash
	}
	return errors.Join(os.Remove(path), d.end())
}

// crashes does an act on a box with one draft in it that was refused, killed at every step,
// and looks at what is found after it. It says how many steps there were.
func crashes(t *testing.T, act func(Box) error, look func(t *testing.T, b Box, done bool)) {
	t.Helper()
	w := key(t)
	for step := 0; ; step++ {
		b := Box{Dir: t.TempDir()}
		check(t, b.Keep(t.Context(), w, head(1), content))
		check(t, b.Refuse(head(1).Name, Refusal{Code: "role"}))
		died := b
		died.disk = &dying{left: step}
		err := act(died)
		look(t, b, err == nil)
		if t.Failed() {
			t.Fatalf("killed at step %d: %v", step, err)
		}
		if err == nil {
			if step < 2 {
				t.Errorf("only %d steps", step)
			}
			return
		}
		wantError(t, "killed", err, errCrash)
	}
}

// A program that is killed while it keeps a draft leaves it whole or not at all, leaves the
// ones before it alone, and what it did leave the next one takes away.
func TestKilledWhileKeeping(t *testing.T) {
	t.Parallel()
	w := key(t)
	crashes(t, func(b Box) error { return b.Keep(t.Context(), w, head(2), content) }, func(t *testing.T, b Box, done bool) {
		list, err := b.List()
		check(t, err)
		if len(list) < 1 || len(list) > 2 || done && len(list) != 2 {
			t.Fatalf("%d drafts, done: %v", len(list), done)
		}
		for _, i := range list {
			if i.Err != nil {
				t.Errorf("%s can't be read: %v", i.Name, i.Err)
			}
		}
		if len(list) == 2 {
			if _, got, err := b.Open(t.Context(), w, head(2).Name); err != nil || !bytes.Equal(got, content) {
				t.Errorf("not whole: %q, %v", got, err)
			}
		} else {
			check(t, b.Keep(t.Context(), w, head(2), content)) // the officer runs it again
		}
		check(t, b.Filed(head(2).Name))
		if left := files(t, b.Dir); len(left) != 2 { // the first with its refusal
			t.Errorf("left: %v", left)
		}
	})
}

// One that is killed while it wipes a draft leaves the draft whole, or none; nothing of it is
// left when the box was next written to.
func TestKilledWhileWiping(t *testing.T) {
	t.Parallel()
	gone := func(t *testing.T, b Box, done bool) {
		t.Helper()
		list, err := b.List()
		check(t, err)
		if len(list) > 1 || done && len(list) > 0 || len(list) == 1 && list[0].Err != nil {
			t.Errorf("%+v, done: %v", list, done)
		}
		check(t, b.Filed(head(1).Name))
		check(t, b.Keep(t.Context(), key(t), head(2), content))
		check(t, b.Discard(Item{Head: head(2)}, head(0).Taken, [32]byte{}, "later"))
		if !strings.HasSuffix(thrownAway(t, b), "\n") || !json.Valid([]byte(lastLine(thrownAway(t, b)))) {
			t.Errorf("after a line that was cut: %q", thrownAway(t, b))
		}
		for _, left := range files(t, b.Dir) {
			if left != discarded {
				t.Errorf("left: %s", left)
			}
		}
	}
	crashes(t, func(b Box) error { return b.Filed(head(1).Name) }, gone)
	crashes(t, func(b Box) error { return b.Discard(Item{Head: head(1)}, head(0).Taken, [32]byte{}, "x") }, gone)
}

func thrownAway(t *testing.T, b Box) string {
	t.Helper()
	raw, err := os.ReadFile(b.path(discarded))
	check(t, err)
	return string(raw)
}

func lastLine(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndex(text, "\n")+1:]
}

// What cannot be opened to be overwritten is removed, and keeps no other from being filed.
func TestWipeUnopened(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: t.TempDir()}, key(t)
	check(t, b.Keep(t.Context(), w, head(1), content))
	kept := filepath.Join(t.TempDir(), "kept")
	check(t, os.WriteFile(kept, content, 0o600))
	check(t, os.Symlink(kept, b.path("A-0"+doneEnd)))
	check(t, os.Symlink(b.path("nowhere"), b.path("A-9"+doneEnd)))
	check(t, os.Mkdir(b.path("A-8"+draftEnd), 0o700))
	list, err := b.List()
	check(t, err)
	if len(list) != 2 || list[0].Err == nil && list[1].Err == nil {
		t.Errorf("a folder is a draft: %+v", list)
	}
	check(t, os.Remove(b.path("A-8"+draftEnd)))
	check(t, b.Filed(head(1).Name))
	if got, err := os.ReadFile(kept); err != nil || !bytes.Equal(got, content) {
		t.Errorf("a file elsewhere was wiped: %v", err)
	}
	if left := files(t, b.Dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What was thrown away and put back is a draft no more.
func TestDiscardedComesBack(t *testing.T) {
	t.Parallel()
	b, w := Box{Dir: t.TempDir()}, key(t)
	check(t, b.Keep(t.Context(), w, head(1), content))
	copied, err := os.ReadFile(b.path(head(1).Name + draftEnd))
	check(t, err)
	check(t, b.Discard(Item{Head: head(1)}, head(0).Taken, [32]byte{}, "withdrawn"))
	check(t, os.WriteFile(b.path(head(1).Name+draftEnd), copied, 0o600))
	_, _, err = b.Open(t.Context(), w, head(1).Name)
	wantError(t, "put back", err, ErrDiscarded)
	check(t, os.WriteFile(b.path(discarded), append(bytes.Repeat([]byte("x"), 1<<20), "\n"...), 0o600))
	if _, _, err = b.Open(t.Context(), w, head(1).Name); err == nil {
		t.Error("opened by a record that cannot be read")
	}
	check(t, os.Remove(b.path(discarded)))
	check(t, os.Symlink(b.path("nowhere"), b.path(discarded)))
	_, _, err = b.Open(t.Context(), w, head(1).Name)
	wantError(t, "a record that is a link", err, ErrFormat)
}

// A refusal is the one before or the new one, and never costs the draft.
func TestKilledWhileRefusing(t *testing.T) {
	t.Parallel()
	crashes(t, func(b Box) error { return b.Refuse(head(1).Name, Refusal{Code: "duplicate"}) }, func(t *testing.T, b Box, done bool) {
		list, err := b.List()
		check(t, err)
		if len(list) != 1 || list[0].Err != nil || list[0].Refusal == nil {
			t.Fatalf("%+v", list)
		}
		if code := list[0].Refusal.Code; code != "duplicate" && (done || code != "role") {
			t.Errorf("refused for %q", code)
		}
	})
}
