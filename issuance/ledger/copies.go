package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// copier puts signed checkpoints in place of one another, outside the store, while appends go
// on: replacing a file costs as much as the append itself. A newer checkpoint replaces one
// that still waits. Its goroutine ends with close.
type copier struct {
	path  string
	work  sync.WaitGroup
	wake  chan struct{} // closed by close
	haste chan struct{} // closed by close: there is no rest any more

	mu   sync.Mutex
	next []byte     // waits to be written; nil if nothing does
	busy bool       // one is being written
	idle *sync.Cond // broadcast when nothing waits or is being written
	last []byte     // could not be written
	err  error      // why
}

// Copies puts the newest checkpoint into the folders outside the store. The zero value copies
// nothing.
type Copies []*copier

// Copy begins to copy, with the newest checkpoint. It must be closed, also after an error.
func (o Outside) Copy(newest []byte) (Copies, error) {
	folders, err := o.folders()
	if err != nil {
		return nil, err
	}
	var c Copies
	for _, folder := range folders {
		sweep(folder)
		c = append(c, newCopier(filepath.Join(folder, CheckpointFile)))
	}
	c.Put(newest)
	c.Wait()
	return c, c.Settled()
}

// Put asks for a checkpoint to be copied.
func (c Copies) Put(signed []byte) {
	for _, one := range c {
		one.put(signed)
	}
}

// Settled reports whether the last copies that were tried are in place, and tries again if
// they are not: ErrCopy. It does not wait for those that are under way.
func (c Copies) Settled() error {
	var err error
	for _, one := range c {
		err = errors.Join(err, one.settled())
	}
	return err
}

// Wait waits until nothing is under way.
func (c Copies) Wait() {
	for _, one := range c {
		one.wait()
	}
}

// Close copies what waits and ends.
func (c Copies) Close() error {
	var err error
	for _, one := range c {
		err = errors.Join(err, one.close())
	}
	return err
}

// rest is between two copies: one keeps the disk from the appends for as long as one of them. A
// program that is killed leaves a copy that is so much older than its last append.
const rest = 50 * time.Millisecond

func newCopier(path string) *copier {
	c := &copier{path: path, wake: make(chan struct{}, 1), haste: make(chan struct{})}
	c.idle = sync.NewCond(&c.mu)
	c.work.Go(c.run)
	return c
}

// put asks for a checkpoint to be copied.
func (c *copier) put(signed []byte) {
	c.mu.Lock()
	c.next = signed
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

func (c *copier) run() {
	var ended time.Time
	for range c.wake {
		c.mu.Lock()
		for c.next != nil {
			c.mu.Unlock()
			select {
			case <-c.haste:
			case <-time.After(time.Until(ended.Add(rest))):
			}
			c.mu.Lock()
			signed := c.next
			c.next, c.busy = nil, true
			c.mu.Unlock()
			err := replaceFile(c.path, signed)
			ended = time.Now()
			c.mu.Lock()
			c.busy, c.last, c.err = false, signed, err
		}
		c.idle.Broadcast()
		c.mu.Unlock()
	}
}

// settled reports whether the last copy that was tried is in place, and tries again if
// it is not. It does not wait for one that is under way.
func (c *copier) settled() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil || c.busy || c.next != nil {
		return nil
	}
	if c.err = replaceFile(c.path, c.last); c.err != nil {
		return fmt.Errorf("%w: %w", ErrCopy, c.err)
	}
	return nil
}

// wait waits until nothing is under way.
func (c *copier) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.busy || c.next != nil {
		c.idle.Wait()
	}
}

// close copies what waits and ends.
func (c *copier) close() error {
	close(c.haste)
	c.wait()
	close(c.wake)
	c.work.Wait()
	return c.settled()
}

// replaceFile writes beside the file and renames. It does not wait for the disk: the
// ledger has, and a copy that is lost with the power is renewed on the next opening.
func replaceFile(path string, octets []byte) error {
	beside := fmt.Sprintf("%s.%d", path, os.Getpid())
	err := os.WriteFile(beside, octets, 0o600)
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside)
	}
	return err
}

// sweep removes what a killed program left beside the copy.
func sweep(folder string) {
	names, _ := filepath.Glob(filepath.Join(folder, CheckpointFile+".*"))
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > time.Minute {
			os.Remove(name)
		}
	}
}
