package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

func isNone(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// IndexOf is the place in the log of the entry with that identity; fs.ErrNotExist if
// there is none.
func (l *Ledger) IndexOf(ctx context.Context, entry [16]byte) (int64, error) {
	index, err := indexOf(ctx, l.readers, entry)
	if isNone(err) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return 0, fmt.Errorf("find entry %x: %w", entry, typed(err))
	}
	return index, nil
}

func indexOf(ctx context.Context, q querier, entry [16]byte) (index int64, err error) {
	err = q.QueryRow(ctx, "SELECT idx FROM identity WHERE id = $1", entry[:]).Scan(&index)
	return index, err
}

// Leaf returns the octets of one leaf; fs.ErrNotExist if the log is shorter.
func (l *Ledger) Leaf(ctx context.Context, index int64) ([]byte, error) {
	leaf, err := l.leaf(ctx, l.readers, index)
	if isNone(err) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read leaf %d: %w", index, typed(err))
	}
	return leaf, nil
}

// Prove returns the proof that the leaf of that index is in the log: under the cosigned
// checkpoint that is kept beside the newest, if it covers the leaf, else under the newest.
// It verifies neither the checkpoint nor the nodes; receipt.Verify does. fs.ErrNotExist
// if the log is shorter.
func (l *Ledger) Prove(ctx context.Context, index int64) (*receipt.Proof, error) {
	if l.behind != nil {
		return nil, fmt.Errorf("prove entry %d: %w", index, l.behind)
	}
	size, signed, err := l.covering(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("prove entry %d: %w", index, typed(err))
	}
	hashes, err := l.Inclusion(ctx, index, size)
	if err != nil {
		return nil, err
	}
	return &receipt.Proof{Index: index, Hashes: hashes, Checkpoint: signed}, nil
}

// covering is the signed checkpoint to prove an entry under.
func (l *Ledger) covering(ctx context.Context, index int64) (size int64, signed []byte, err error) {
	if c := l.Cosigned(); c != nil && c.Size > index {
		return c.Size, c.Note, nil
	}
	if size, signed, err = newest(ctx, l.readers); err != nil {
		return 0, nil, err
	}
	if index < 0 || index >= size {
		return 0, nil, fs.ErrNotExist
	}
	return size, signed, nil
}

// Inclusion returns the hashes that lead from a leaf to the root of the tree of that size
// (RFC 6962 §2.1.1), from the nodes that are stored.
func (l *Ledger) Inclusion(ctx context.Context, index, size int64) (hashes []tlog.Hash, err error) {
	if index < 0 || index >= size {
		return nil, fmt.Errorf("prove entry %d of %d: %w", index, size, fs.ErrNotExist)
	}
	err = l.read(ctx, func(q querier) error {
		hashes, err = tlog.ProveRecord(size, index, nodes{ctx, q, &l.months})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prove entry %d: %w", index, err)
	}
	return hashes, nil
}

// Consistency returns the hashes that prove that the tree of the newer size continues
// that of the older (RFC 6962 §2.1.2); none if either is empty or they are one.
func (l *Ledger) Consistency(ctx context.Context, older, newer int64) (hashes []tlog.Hash, err error) {
	switch {
	case older < 0 || older > newer:
		return nil, fmt.Errorf("prove that %d entries continue %d: %w", newer, older, fs.ErrNotExist)
	case older == 0 || older == newer:
		return nil, nil
	}
	err = l.read(ctx, func(q querier) error {
		hashes, err = tlog.ProveTree(newer, older, nodes{ctx, q, &l.months})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prove that %d entries continue %d: %w", newer, older, err)
	}
	return hashes, nil
}

// Nodes returns the hashes of nodes of the tree. One that the log has not completed yet is
// ledger.ErrDamaged.
func (l *Ledger) Nodes(ctx context.Context, places []ledger.Node) (hashes []tlog.Hash, err error) {
	err = l.read(ctx, func(q querier) error {
		hashes, err = nodes{ctx, q, &l.months}.at(places)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	return hashes, nil
}

// nodes reads nodes of the tree: each lies in the row of the leaf that completed it.
type nodes struct {
	ctx    context.Context
	q      querier
	months *months
}

// ReadHashes implements [tlog.HashReader], whose numbers are x/mod's own.
func (n nodes) ReadHashes(numbers []int64) ([]tlog.Hash, error) {
	places := make([]ledger.Node, len(numbers))
	for i, number := range numbers {
		places[i].Level, places[i].Index = tlog.SplitStoredHashIndex(number)
	}
	return n.at(places)
}

// at asks each month once for all that lies in it. A month that was not known when they were
// read may have what is missing.
func (n nodes) at(places []ledger.Node) ([]tlog.Hash, error) {
	list, missing, err := n.read(places)
	if missing > 0 && (err == nil || unknown(err)) {
		if err = n.months.read(n.ctx, n.q); err == nil {
			list, missing, err = n.read(places)
		}
	}
	if err != nil {
		return nil, err
	}
	if missing > 0 {
		return nil, fmt.Errorf("%w: %d of %d nodes are not there", ledger.ErrDamaged, missing, len(places))
	}
	return list, nil
}

func (n nodes) read(places []ledger.Node) (list []tlog.Hash, missing int, err error) {
	in := map[string][]int64{} // the indexes of the rows, by their partition
	at := map[int64][]int{}    // the places that lie in a row, by its index
	for i, p := range places {
		index := p.Completed()
		if at[index] = append(at[index], i); len(at[index]) > 1 {
			continue
		}
		if m, ok := n.months.of(index); ok {
			in[m.part("entry")] = append(in[m.part("entry")], index)
		}
	}
	list, missing = make([]tlog.Hash, len(places)), len(places)
	b := &pgx.Batch{}
	for table, indexes := range in {
		b.Queue("SELECT idx, nodes FROM "+table+" WHERE idx = ANY ($1)", indexes).Query(func(rows pgx.Rows) error {
			var index int64
			var octets pgtype.DriverBytes
			_, err := pgx.ForEachRow(rows, []any{&index, &octets}, func() error {
				for _, i := range at[index] {
					if from := places[i].Level * tlog.HashSize; len(octets) >= from+tlog.HashSize {
						list[i] = tlog.Hash(octets[from : from+tlog.HashSize])
						missing--
					}
				}
				return nil
			})
			return err
		})
	}
	return list, missing, n.q.SendBatch(n.ctx, b).Close()
}
