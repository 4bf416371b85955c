package main

import (
	"context"
	"errors"
	"io"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// carry hands a ledger, as of one moment, to what takes it into another store.
func carry(ctx context.Context, from store, take func(note.Verifier, *ledger.ExcerptReader) error) error {
	v, err := from.Verifier(ctx)
	if err != nil {
		return err
	}
	r, w := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := from.Excerpt(ctx, w, 0)
		w.CloseWithError(err)
		sent <- err
	}()
	x, err := ledger.OpenExcerpt(r)
	if err == nil {
		err = take(v, x)
	}
	r.Close() // else who sends waits for ever where nobody takes
	if lost := <-sent; lost != nil && !errors.Is(lost, io.ErrClosedPipe) {
		return lost
	}
	return err
}
