package monitor

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Source is a place where a log can be read. It is not trusted.
type Source interface {
	// Name says where it is, for people.
	Name() string
	// Checkpoint returns the newest signed checkpoint that it has.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Leaves calls each for the leaves from one index to another, which is not counted in,
	// of the log of the given size. The octets are the source's own only until it returns.
	Leaves(ctx context.Context, size, from, to int64, each func(index int64, leaf []byte) error) error
}

// leaves reads the leaves from one index to another, each once and in its place: a source that
// leaves some out, or gives others, is told.
func leaves(ctx context.Context, s Source, size, from, to int64, each func(index int64, leaf []byte) error) error {
	next := from
	err := s.Leaves(ctx, size, from, to, func(index int64, leaf []byte) error {
		if index != next || index >= to {
			return lie(Missing, next, "entry %d comes where it should be", index)
		}
		next++
		return each(index, leaf)
	})
	if err == nil && next < to {
		return lie(Missing, next, "the entries end before %d", to)
	}
	return err
}

// nodes is a Source that has the tree's inner hashes too.
type nodes interface {
	Nodes(ctx context.Context, size int64, places []ledger.Node) ([]tlog.Hash, error)
}

// live is a Source that always has the log's newest checkpoint: what was logged before it
// was asked is there.
type live interface{ Live() bool }

// ErrAway means that a source cannot be reached. Nothing is known of the log then.
var ErrAway = errors.New("the log cannot be reached")

// LieError means that what a source gave is not what an honest log gives.
type LieError struct {
	Code  Code
	Index int64 // of the leaf, -1 if it has no place
	Why   string
	Files []File
}

// Error says what is wrong.
func (e *LieError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("%s: %s", e.Code, e.Why)
	}
	return fmt.Sprintf("entry %d: %s: %s", e.Index, e.Code, e.Why)
}

func lie(code Code, index int64, format string, args ...any) *LieError {
	return &LieError{Code: code, Index: index, Why: fmt.Sprintf(format, args...)}
}

// Log is a ledger that can be read itself: a file, a mirror of it, or a database.
type Log interface {
	Checkpoint(ctx context.Context) (*ledger.Checkpoint, error)
	Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error
	Nodes(ctx context.Context, places []ledger.Node) ([]tlog.Hash, error)
}

// Store reads a ledger by its own tables. A reading account is enough.
func Store(name string, l Log) Source { return &stored{name, l} }

type stored struct {
	name string
	log  Log
}

func (s *stored) Name() string { return s.name }

func (s *stored) Live() bool { return true }

func (s *stored) Checkpoint(ctx context.Context) ([]byte, error) {
	c, err := s.log.Checkpoint(ctx)
	if err != nil {
		return nil, s.read(err)
	}
	return c.Note, nil
}

// errEnough ends a reading.
var errEnough = errors.New("enough")

func (s *stored) Leaves(ctx context.Context, _, from, to int64, each func(int64, []byte) error) error {
	next := from
	var failed error
	err := s.log.Entries(ctx, from, func(index int64, leaf, _ []byte) error {
		if index >= to {
			return errEnough
		}
		if index != next {
			failed = lie(Missing, next, "there is no entry between %d and %d", next-1, index)
			return errEnough
		}
		next++
		if failed = each(index, leaf); failed != nil {
			return errEnough
		}
		return nil
	})
	switch {
	case failed != nil:
		return failed
	case err != nil && !errors.Is(err, errEnough):
		return s.read(err)
	case next < to:
		return lie(Missing, next, "the entries end before %d", to)
	}
	return nil
}

func (s *stored) Nodes(ctx context.Context, _ int64, places []ledger.Node) ([]tlog.Hash, error) {
	list, err := s.log.Nodes(ctx, places)
	if err != nil {
		return nil, s.read(err)
	}
	return list, nil
}

// read tells a store that is away from one that cannot be a ledger.
func (s *stored) read(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, ledger.ErrCheckpoint) {
		return lie(BadCheckpoint, -1, "%v", err)
	}
	if errors.Is(err, ledger.ErrDamaged) || errors.Is(err, ledger.ErrNotOurs) {
		return lie(Damaged, -1, "%v", err)
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}
