package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// CheckpointFile is the name of the copy in Options.Checkpoints.
const CheckpointFile = "checkpoint"

// copies puts signed checkpoints in place of one another, outside the ledger file, while
// appends go on: replacing a file costs as much as the append itself. A newer checkpoint
// replaces one that still waits. Its goroutine ends with close.
type copies struct {
	path string
	work sync.WaitGroup
	wake chan struct{} // closed by close

	mu   sync.Mutex
	next []byte     // waits to be written; nil if nothing does
	busy bool       // one is being written
	idle *sync.Cond // broadcast when nothing waits or is being written
	last []byte     // could not be written
	err  error      // why
}

// places are the copies in all folders that get one.
type places []*copies

func (p places) put(signed []byte) {
	for _, c := range p {
		c.put(signed)
	}
}

func (p places) settled() error {
	var err error
	for _, c := range p {
		err = errors.Join(err, c.settled())
	}
	return err
}

func (p places) wait() {
	for _, c := range p {
		c.wait()
	}
}

func (p places) close() error {
	var err error
	for _, c := range p {
		err = errors.Join(err, c.close())
	}
	return err
}

func newCopies(path string) *copies {
	c := &copies{path: path, wake: make(chan struct{}, 1)}
	c.idle = sync.NewCond(&c.mu)
	c.work.Go(c.run)
	return c
}

// put asks for a checkpoint to be copied.
func (c *copies) put(signed []byte) {
	c.mu.Lock()
	c.next = signed
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

func (c *copies) run() {
	for range c.wake {
		c.mu.Lock()
		for c.next != nil {
			signed := c.next
			c.next, c.busy = nil, true
			c.mu.Unlock()
			err := replaceFile(c.path, signed)
			c.mu.Lock()
			c.busy, c.last, c.err = false, signed, err
		}
		c.idle.Broadcast()
		c.mu.Unlock()
	}
}

// settled reports whether the last copy that was tried is in place, and tries again if
// it is not. It does not wait for one that is under way.
func (c *copies) settled() error {
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
func (c *copies) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.busy || c.next != nil {
		c.idle.Wait()
	}
}

// close copies what waits and ends.
func (c *copies) close() error {
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
