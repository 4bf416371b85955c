package monitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// Excerpt reads a log from a file that carries it, or its newest entries, from one desk to
// another.
func Excerpt(path string) Source { return excerpt(path) }

type excerpt string

func (x excerpt) Name() string { return string(x) }

func (x excerpt) open() (*ledger.ExcerptReader, func() error, error) {
	f, err := os.Open(string(x))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	r, err := ledger.OpenExcerpt(f)
	if err != nil {
		return nil, nil, errors.Join(x.read(err), f.Close())
	}
	return r, f.Close, nil
}

func (x excerpt) Checkpoint(context.Context) ([]byte, error) {
	r, done, err := x.open()
	if err != nil {
		return nil, err
	}
	return r.Note, done()
}

func (x excerpt) Leaves(ctx context.Context, _, from, to int64, each func(int64, []byte) error) error {
	r, done, err := x.open()
	if err != nil {
		return err
	}
	defer func() { _ = done() }()
	if r.From > from {
		return fmt.Errorf("%w: it begins with entry %d, entries from %d on are needed", ErrPart, r.From, from)
	}
	for index := r.From; index < to; index++ {
		c, err := r.Next()
		if err != nil {
			return x.read(err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if index < from {
			continue
		}
		if err := each(index, c.Leaf); err != nil {
			return err
		}
	}
	return nil
}

// ErrPart means that a source has not all entries that are asked for. An excerpt need not.
var ErrPart = errors.New("the source has a part of the log only")

func (x excerpt) read(err error) error {
	if errors.Is(err, ledger.ErrExcerpt) {
		return lie(Missing, -1, "%v", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}
