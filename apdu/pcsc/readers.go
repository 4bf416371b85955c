//go:build cgo && !nopcsc

package pcsc

import (
	"context"
	"slices"
)

// Readers lists the readers that the service knows, in the order of their names; none is
// an empty list and no error. Which cards are there is current; which readers, and which
// of them are Busy, may be a quarter of a second old. Without a service it returns ErrNoService, after at most five
// seconds.
func Readers(ctx context.Context) ([]Reader, error) {
	var readers []Reader
	err := theWatcher.watch(ctx, defaultEstablishTimeout, func(r []Reader) bool {
		readers = slices.Clone(r)
		return true
	})
	return readers, err
}

// Wait waits until the reader of that name has a card, or any reader if the name is
// empty. It returns ErrNoReader if the named one is not there or is taken away, else
// what Readers returns, or ctx's error at once when ctx is done.
func Wait(ctx context.Context, name string) error {
	gone := false
	err := theWatcher.watch(ctx, defaultEstablishTimeout, func(readers []Reader) bool {
		if name == "" {
			return slices.ContainsFunc(readers, func(r Reader) bool { return r.Card })
		}
		i := slices.IndexFunc(readers, func(r Reader) bool { return r.Name == name })
		gone = i < 0
		return gone || readers[i].Card
	})
	if err == nil && gone {
		return ErrNoReader
	}
	return err
}

// Pick returns the only reader with a card among those whose names contain the
// substring, letter case aside; an empty one is contained in all, and a reader's whole
// name means that reader. It returns ErrNoReader if there is none of that name,
// ErrNoCard if all are empty, and *AmbiguousError if several have cards.
func Pick(ctx context.Context, substring string) (Reader, error) {
	readers, err := Readers(ctx)
	if err != nil {
		return Reader{}, err
	}
	return pick(readers, substring)
}
