package portal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tamthe/tamthe/issuance/intake"
)

// Outbox is a folder with a file for each case: the messages that the office has not
// acknowledged, octet for octet, and how the case stands. A message lies there before it is
// sent and until its receipt is, so that neither the portal's end nor the office's loses one;
// then its content goes. It may be used by several goroutines of one program at once.
type Outbox struct {
	dir string

	mu     sync.Mutex
	cases  map[string]*Case
	cursor int64
	turn   chan struct{} // one at a time talks to the office
}

// Case is one that a citizen filed.
type Case struct {
	Name    string          `json:"name"`
	Subject string          `json:"subject"` // whose it is
	Unsent  []unsent        `json:"unsent"`
	Receipt *intake.Receipt `json:"receipt"` // the first
	State   intake.State    `json:"state"`
	Why     string          `json:"why"`
	Refused string          `json:"refused"` // the code by which the office did not take it in
}

type unsent struct {
	Body      []byte `json:"body"`
	Signature string `json:"signature"`
}

// said is how a case stands, for people.
func (k *Case) said(lang string) string {
	switch {
	case k.Refused != "":
		return intake.Words{VI: "Cơ quan cấp thẻ không nhận: ", EN: "The office did not take it in: "}.In(lang) + k.Refused
	case k.Receipt == nil:
		return intake.Words{VI: "Đang chờ gửi đến cơ quan cấp thẻ", EN: "Waiting to be sent to the office"}.In(lang)
	case k.Why != "":
		return k.State.Text(lang) + " (" + k.Why + ")"
	}
	return k.State.Text(lang)
}

const cursorFile = "cursor"

// patience is how long a citizen waits for the office.
const patience = 5 * time.Second

// OpenOutbox opens a folder, which it makes if there is none.
func OpenOutbox(dir string) (*Outbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	o := &Outbox{dir: dir, cases: map[string]*Case{}, turn: make(chan struct{}, 1)}
	list, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range list {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var k Case
		if err := json.Unmarshal(b, &k); err != nil || filepath.Base(path) != k.Name+".json" {
			return nil, fmt.Errorf("%s: not a case of the outbox", path)
		}
		o.cases[k.Name] = &k
	}
	b, err := os.ReadFile(filepath.Join(dir, cursorFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if _, err := fmt.Sscan(string(b), &o.cursor); err != nil && len(b) > 0 {
		return nil, fmt.Errorf("%s: no number", cursorFile)
	}
	return o, nil
}

// write puts a file there whole, and on the disk.
func (o *Outbox) write(name string, b []byte) error {
	f, err := os.CreateTemp(o.dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(o.dir, name))
}

// change stores what f makes of a case; a case that is not there is a new one.
func (o *Outbox) change(name string, f func(*Case)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := Case{Name: name}
	if k := o.cases[name]; k != nil {
		next = *k
		next.Unsent = slices.Clone(k.Unsent)
	}
	f(&next)
	b, err := json.Marshal(next)
	if err == nil {
		err = o.write(name+".json", b)
	}
	if err == nil {
		o.cases[name] = &next
	}
	return err
}

// put signs a message and stores it, to be sent.
func (o *Outbox) put(name, subject string, c *intake.Client, m intake.Message) error {
	s, err := c.Seal(m)
	if err != nil {
		return err
	}
	return o.change(name, func(k *Case) {
		k.Subject = subject
		k.Unsent = append(k.Unsent, unsent{s.Body, s.Signature})
	})
}

func (o *Outbox) get(name string) *Case {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cases[name]
}

// Of lists a citizen's cases.
func (o *Outbox) Of(subject string) []*Case {
	return o.list(func(k *Case) bool { return k.Subject == subject })
}

func (o *Outbox) list(want func(*Case) bool) (list []*Case) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range o.cases {
		if want(k) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b *Case) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Flush sends what was not acknowledged and learns how the cases stand. What can't be done
// now, or within seconds, is left for the next time.
func (o *Outbox) Flush(ctx context.Context, c *intake.Client, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return
	}
	for _, k := range o.list(func(k *Case) bool { return len(k.Unsent) > 0 }) {
		if !o.send(ctx, c, k) {
			return
		}
	}
	for {
		e, err := c.Events(ctx, o.cursor, now)
		if err != nil || o.learn(e) != nil || !e.More {
			return
		}
	}
}

// send sends a case's messages in their order; false if the office is to be asked later.
func (o *Outbox) send(ctx context.Context, c *intake.Client, k *Case) bool {
	for _, u := range k.Unsent {
		r, err := c.Send(ctx, intake.Signed{Body: u.Body, Signature: u.Signature})
		refused, ok := errors.AsType[*intake.Refusal](err)
		if err != nil && (!ok || refused.Again()) {
			return false
		}
		err = o.change(k.Name, func(k *Case) {
			k.Unsent = k.Unsent[1:]
			switch {
			case refused != nil && k.Receipt == nil:
				k.Refused = strings.TrimSpace(string(refused.Code) + " " + refused.Field)
			case r != nil && k.Receipt == nil:
				k.Receipt, k.State = r, r.State
			}
		})
		if err != nil {
			return false
		}
	}
	return true
}

// learn takes in what became of the cases, then how far.
func (o *Outbox) learn(e *intake.Events) error {
	for _, one := range e.Events {
		if o.get(one.Case) == nil {
			continue // another portal's machine of the same name
		}
		if err := o.change(one.Case, func(k *Case) { k.State, k.Why = one.State, one.Why }); err != nil {
			return err
		}
	}
	if e.Cursor == o.cursor {
		return nil
	}
	if err := o.write(cursorFile, []byte(fmt.Sprintln(e.Cursor))); err != nil {
		return err
	}
	o.cursor = e.Cursor
	return nil
}

// Work flushes again and again until ctx ends.
func (o *Outbox) Work(ctx context.Context, c *intake.Client, every time.Duration, now func() time.Time) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			o.Flush(ctx, c, now())
		}
	}
}
