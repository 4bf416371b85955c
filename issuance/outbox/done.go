package outbox

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
)

// maxRefusal bounds the file of a refusal, in octets.
const maxRefusal = 4 << 10

// Refuse keeps why the ledger did not take a draft, in the place of the reason before. A
// message that is too long is cut.
func (b Box) Refuse(name string, r Refusal) error {
	r.Message = strings.ToValidUTF8(r.Message[:min(len(r.Message), maxRefusal/8)], "")
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return b.locked(func(d disk) error {
		if err := b.there(name); err != nil {
			return err
		}
		return d.write(b.Dir, name+refusedEnd, text)
	})
}

// refusal is why the ledger did not take a draft the last time.
func (b Box) refusal(name string) *Refusal {
	raw, err := readSmall(b.path(name+refusedEnd), maxRefusal)
	if err != nil {
		return nil
	}
	var r Refusal
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if d.Decode(&r) != nil {
		return &Refusal{Code: "unreadable"} // it was refused; why is told by the next try
	}
	return &r
}

// Sending calls f, which files a draft, while nobody throws one away and no other program files
// one: what the ledger gets is not on record as thrown away. It waits half a minute at the most,
// then the error is durable.ErrBusy.
func (b Box) Sending(f func() error) error {
	if err := makeDir(b.Dir); err != nil {
		return err
	}
	unlock, err := durable.Lock(b.path(sendFile), patience)
	if err != nil {
		return err
	}
	defer unlock()
	return f()
}

// Filed wipes a draft that the ledger has. One that is not there any more is no error.
func (b Box) Filed(name string) error {
	return b.locked(func(d disk) error {
		err := b.there(name)
		if errors.Is(err, ErrMissing) {
			return nil
		}
		if err != nil {
			return err
		}
		return b.finish(d, name)
	})
}

// Discarding is who threw a draft away, when and why.
type Discarding struct {
	Draft  string    `json:"draft"`
	Taken  time.Time `json:"taken"`
	By     string    `json:"by"` // the key that took it
	At     time.Time `json:"at"`
	Key    string    `json:"key"` // the one that threw it away
	Reason string    `json:"reason"`
}

// Discard throws a draft away, after that was written down: who did it, when and why stays in
// the box. It waits for whoever files one, see Sending. The error is ErrMissing where no such
// draft is.
func (b Box) Discard(i Item, at time.Time, by [32]byte, reason string) error {
	line, err := json.Marshal(Discarding{
		Draft: i.Name, Taken: i.Taken, By: hex.EncodeToString(i.Operator[:]), At: at.UTC().Truncate(time.Microsecond),
		Key: hex.EncodeToString(by[:]), Reason: reason,
	})
	if err != nil {
		return err
	}
	discard := func(d disk) error {
		if err := b.there(i.Name); err != nil {
			return err
		}
		if err := d.add(b.path(discarded), append(line, '\n')); err != nil {
			return fmt.Errorf("discard draft %s: %w", i.Name, err)
		}
		return b.finish(d, i.Name)
	}
	return b.Sending(func() error { return b.locked(discard) })
}

// maxDiscarded is how much is read of the record of what was thrown away, its end.
const maxDiscarded = 16 << 20

// kept is nil unless the record says that a draft of that name was thrown away, or cannot be
// read.
func (b Box) kept(name string) error {
	f, size, err := openPlain(b.path(discarded), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", discarded, err)
	}
	defer f.Close()
	if _, err := f.Seek(max(0, size-maxDiscarded), io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var d Discarding
		if json.Unmarshal(lines.Bytes(), &d) == nil && d.Draft == name {
			return ErrDiscarded
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", discarded, err)
	}
	return nil
}

// there is nil if there is a draft of that name.
func (b Box) there(name string) error {
	if !validName(name) {
		return fmt.Errorf("draft %s: %w", name, ErrMissing)
	}
	_, err := os.Lstat(b.path(name + draftEnd))
	if errors.Is(err, os.ErrNotExist) {
		err = ErrMissing
	}
	if err != nil {
		return fmt.Errorf("draft %s: %w", name, err)
	}
	return nil
}

// finish wipes a draft. From the new name on it is none any more, wherever the wiping ends:
// clear takes up what is left.
func (b Box) finish(d disk, name string) error {
	done, refused := b.path(name+doneEnd), b.path(name+refusedEnd)
	err := d.rename(b.path(name+draftEnd), done)
	if err == nil {
		err = d.wipe(done)
	}
	if _, none := os.Lstat(refused); err == nil && none == nil {
		err = d.remove(refused)
	}
	if err != nil {
		return fmt.Errorf("wipe draft %s: %w", name, err)
	}
	return nil
}

// clear wipes what a program that was cut off has left: drafts that are done, refusals of
// them, and files that are not whole. Nobody else writes meanwhile.
func (b Box) clear(d disk) error {
	files, err := os.ReadDir(b.Dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		name, refused := strings.CutSuffix(f.Name(), refusedEnd)
		switch {
		case strings.HasSuffix(f.Name(), doneEnd), strings.HasPrefix(f.Name(), durable.Unfinished):
			err = errors.Join(err, d.wipe(b.path(f.Name())))
		case refused && errors.Is(b.there(name), ErrMissing):
			err = errors.Join(err, d.remove(b.path(f.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("wipe what is done with: %w", err)
	}
	return nil
}

// locked makes the folder where it is not there, and calls f while nobody else changes it, in
// a box from which what was left over is gone.
func (b Box) locked(f func(disk) error) error {
	if err := makeDir(b.Dir); err != nil {
		return err
	}
	unlock, err := durable.Lock(b.path(lockFile), patience)
	if err != nil {
		return err
	}
	defer unlock()
	d := b.disk
	if d == nil {
		d = osDisk{}
	}
	_ = b.clear(d) // what can't be wiped now is tried again; it must not keep a request from being kept
	return f(d)
}
