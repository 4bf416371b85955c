package pki

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
)

// Mark names one edition of a signed list, by what its signer signed.
type Mark struct {
	Kind     string    // what kind of list it is: one word
	Issuer   string    // whose list it is, always in the same spelling
	Sequence uint64    // its number; 0 where the list has none and its time alone decides
	Signed   time.Time // when it was signed, to the second; zero where only the number decides
	Digest   [32]byte  // SHA-256 of the list
}

// ErrRollback says that a list is older than one that was seen before, or another one
// in its place.
var ErrRollback = errors.New("older than what was seen before")

// ErrMemory says that the file of a Memory is damaged or was edited, or that it is full.
// It is never taken for an empty one.
var ErrMemory = errors.New("the record of the lists seen so far cannot be used")

// RollbackError is an ErrRollback with both editions.
type RollbackError struct{ Seen, Given Mark }

// Error names both by number and time.
func (e *RollbackError) Error() string {
	return fmt.Sprintf("%s of %s: %s was seen before %s", e.Given.Kind, e.Given.Issuer, e.Seen.edition(), e.Given.edition())
}

// Is makes the error an ErrRollback.
func (e *RollbackError) Is(target error) bool { return target == ErrRollback }

// edition is the number and the time of a mark for people.
func (m Mark) edition() string {
	switch {
	case m.Signed.IsZero():
		return fmt.Sprintf("number %d", m.Sequence)
	case m.Sequence == 0:
		return "that of " + m.Signed.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("number %d of %s", m.Sequence, m.Signed.UTC().Format(time.RFC3339))
}

// series are the lists that replace one another.
type series struct{ kind, issuer string }

func (m Mark) series() series { return series{m.Kind, m.Issuer} }

// follows says whether m may stand where seen stood: it is seen itself, or newer.
func (m Mark) follows(seen Mark) bool {
	numbered := m.Sequence != 0 && seen.Sequence != 0
	switch {
	case m.Signed.Before(seen.Signed), numbered && m.Sequence < seen.Sequence:
		return false
	case numbered && m.Sequence == seen.Sequence, !numbered && m.Signed.Equal(seen.Signed):
		return m.Digest == seen.Digest
	}
	return true
}

// Memory is what a device has seen of each signed list: the newest edition. It is one
// small file that only its owner reads, always replaced whole, and may be used by
// several goroutines and processes. Whoever can write the file can make it forget: it
// keeps a network or a courier from bringing yesterday's lists, not the device's owner.
type Memory struct {
	path string

	mu   sync.Mutex
	seen map[series]Mark
}

// OpenMemory reads the memory of that path. A file that is not there is an empty one;
// one that cannot be used is ErrMemory.
func OpenMemory(path string) (*Memory, error) {
	m := &Memory{path: path}
	return m, m.load()
}

func (m *Memory) load() error {
	b, err := readMemory(m.path)
	if errors.Is(err, os.ErrNotExist) {
		m.seen = map[series]Mark{}
		return nil
	}
	if err != nil {
		return err
	}
	seen, err := parseMemory(b)
	if err != nil {
		return fmt.Errorf("%s: %w", m.path, err)
	}
	m.seen = seen
	return nil
}

// Check says whether the list may be used: nil, or a *RollbackError. Nothing is written.
func (m *Memory) Check(list Mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return check(m.seen, list)
}

func check(seen map[series]Mark, list Mark) error {
	if before, ok := seen[list.series()]; ok && !list.whole().follows(before) {
		return &RollbackError{Seen: before, Given: list}
	}
	return nil
}

// whole is the mark as a memory keeps it.
func (m Mark) whole() Mark {
	if !m.Signed.IsZero() {
		m.Signed = m.Signed.UTC().Truncate(time.Second)
	}
	return m
}

// Note remembers that the lists were seen, all of them or none: a *RollbackError names
// the first that is older than what this or another process has seen. It returns once
// the file is on the disk.
func (m *Memory) Note(lists ...Mark) error {
	for _, l := range lists {
		if err := l.valid(); err != nil {
			return err
		}
	}
	unlock, err := durable.Lock(m.path+".lock", patience)
	if err != nil {
		return err
	}
	defer unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.load(); err != nil { // what other processes saw
		return err
	}
	seen := maps.Clone(m.seen)
	for _, l := range lists {
		if err := check(seen, l); err != nil {
			return err
		}
		seen[l.series()] = l.whole()
	}
	if maps.Equal(seen, m.seen) {
		return nil
	}
	b, err := marshalMemory(seen)
	if err != nil {
		return err
	}
	if err := durable.Replace(m.path, b, 0o600); err != nil {
		return err
	}
	m.seen = seen
	return nil
}

// Newest is the latest time at which any list that was seen was signed, zero if none
// was: it cannot be earlier now.
func (m *Memory) Newest() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	var newest time.Time
	for s := range maps.Values(m.seen) {
		if s.Signed.After(newest) {
			newest = s.Signed
		}
	}
	return newest
}

// marks returns the newest edition of every list that was seen, in the order of kind
// and issuer.
func (m *Memory) marks() []Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.seen), compareMarks)
}

// last returns the newest edition of that kind and issuer that was seen.
func (m *Memory) last(kind, issuer string) (Mark, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen, ok := m.seen[series{kind, issuer}]
	return seen, ok
}
