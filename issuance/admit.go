package issuance

import (
	"context"
	"fmt"
	"slices"
)

// Encoded is an entry on its way into a store.
type Encoded struct {
	Entry         Entry
	Leaf, Payload []byte // as Entry.Encode returns them
}

// EncodeAll encodes entries for a store.
func EncodeAll(entries []Entry) ([]Encoded, error) {
	rows := make([]Encoded, len(entries))
	for i, e := range entries {
		leaf, payload, err := e.Encode()
		if err != nil {
			return nil, err
		}
		rows[i] = Encoded{e, leaf, payload}
	}
	return rows, nil
}

// Admit is what a store asks before it adds entries to its log of that size: whether the
// decision still rests on what the ledger says, and whether the rules allow it. The book
// reads from r what it does not know yet, and is left as it is after the entries; operators
// lists every operator's stream, for the one act that rests on there being no other.
//
// The signatures of the entries are verified meanwhile: wait, which must be called, tells.
// After an error the book is of no use any more.
func (b *Book) Admit(ctx context.Context, r Reader, size int64, at Head, rows []Encoded,
	operators func() ([]StreamID, error),
) (wait func() error, err error) {
	wait = func() error { return nil }
	entries := make([]Entry, len(rows))
	leaves := make([][]byte, len(rows))
	for i, p := range rows {
		entries[i], leaves[i] = p.Entry, p.Leaf
		if (p.Entry.Act == Init) != (size == 0 && i == 0) {
			return wait, fmt.Errorf("%w: %s as entry %d of the log", ErrLink, p.Entry.Act, size+int64(i))
		}
		for _, a := range p.Entry.Attach {
			if a.Sealed == nil {
				return wait, fmt.Errorf("%w: attachment %q comes without its octets", ErrEntry, a.Name)
			}
		}
	}
	if err := b.loadFor(ctx, r, at, entries, operators); err != nil {
		return wait, err
	}
	for id, want := range at {
		if _, seq, _ := b.Stands(id); seq != want {
			return wait, fmt.Errorf("%s stands at entry %d, not %d: %w", id, seq, want, ErrConflict)
		}
	}
	if wait, err = b.Judge(entries, leaves); err != nil {
		return wait, err
	}
	return wait, b.Complete()
}

// loadFor reads what judging the entries needs.
func (b *Book) loadFor(ctx context.Context, r Reader, at Head, entries []Entry, operators func() ([]StreamID, error)) error {
	for i := range entries { // else the key of the table of entries finds the stream taken
		if id := entries[i].Stream; entries[i].Seq == 1 && at[id] == 0 {
			b.Presume(id)
		}
	}
	about := About(entries...)
	for id := range at {
		about = append(about, id)
	}
	if err := b.Load(ctx, r, about...); err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Act == Pair }) {
		return nil
	}
	all, err := operators()
	if err != nil {
		return err
	}
	if err := b.Load(ctx, r, all...); err != nil {
		return err
	}
	b.Whole(KindOperator)
	return nil
}

// Adopt judges entries that another store's log brings, as [Book.Follow] does, after it has
// read from r what they rest on. operators is as of Admit. After an error the book is of no use
// any more.
func (b *Book) Adopt(ctx context.Context, r Reader, rows []Encoded, operators func() ([]StreamID, error)) error {
	entries := make([]Entry, len(rows))
	for i, p := range rows {
		entries[i] = p.Entry
	}
	if err := b.loadFor(ctx, r, nil, entries, operators); err != nil {
		return err
	}
	return b.Follow(entries...)
}
