package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// IndexOf is the place in the log of the entry with that identity; fs.ErrNotExist if
// there is none.
func (l *Ledger) IndexOf(ctx context.Context, entry [16]byte) (int64, error) {
	var index int64
	err := l.readers.QueryRowContext(ctx, "SELECT idx FROM entry WHERE id = ?", entry[:]).Scan(&index)
	if errors.Is(err, sql.ErrNoRows) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return 0, fmt.Errorf("find entry %x: %w", entry, typed(err))
	}
	return index, nil
}

// Leaf returns the octets of one leaf; fs.ErrNotExist if the log is shorter.
func (l *Ledger) Leaf(ctx context.Context, index int64) ([]byte, error) {
	var leaf []byte
	err := l.readers.QueryRowContext(ctx, "SELECT leaf FROM entry WHERE idx = ?", index).Scan(&leaf)
	if errors.Is(err, sql.ErrNoRows) {
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
	if err := l.readers.QueryRowContext(ctx, "SELECT size, checkpoint FROM log").Scan(&size, &signed); err != nil {
		return 0, nil, err
	}
	if index < 0 || index >= size {
		return 0, nil, fs.ErrNotExist
	}
	return size, signed, nil
}

// Inclusion returns the hashes that lead from a leaf to the root of the tree of that size
// (RFC 6962 §2.1.1), from the nodes that are stored.
func (l *Ledger) Inclusion(ctx context.Context, index, size int64) ([]tlog.Hash, error) {
	if index < 0 || index >= size {
		return nil, fmt.Errorf("prove entry %d of %d: %w", index, size, fs.ErrNotExist)
	}
	hashes, err := tlog.ProveRecord(size, index, nodes{ctx, l.nodes})
	if err != nil {
		return nil, fmt.Errorf("prove entry %d: %w", index, typed(err))
	}
	return hashes, nil
}

// Consistency returns the hashes that prove that the tree of the newer size continues
// that of the older (RFC 6962 §2.1.2); none if either is empty or they are one.
func (l *Ledger) Consistency(ctx context.Context, older, newer int64) ([]tlog.Hash, error) {
	switch {
	case older < 0 || older > newer:
		return nil, fmt.Errorf("prove that %d entries continue %d: %w", newer, older, fs.ErrNotExist)
	case older == 0 || older == newer:
		return nil, nil
	}
	hashes, err := tlog.ProveTree(newer, older, nodes{ctx, l.nodes})
	if err != nil {
		return nil, fmt.Errorf("prove that %d entries continue %d: %w", newer, older, typed(err))
	}
	return hashes, nil
}

// Nodes returns the hashes of nodes of the tree. One that the log has not completed yet is
// ledger.ErrDamaged.
func (l *Ledger) Nodes(ctx context.Context, places []ledger.Node) ([]tlog.Hash, error) {
	numbers := make([]int64, len(places))
	for i, p := range places {
		numbers[i] = tlog.StoredHashIndex(p.Level, p.Index)
	}
	hashes, err := nodes{ctx, l.nodes}.ReadHashes(numbers)
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", typed(err))
	}
	return hashes, nil
}

// selectNodes reads as many rows at once as a proof can need: each node lies in the row
// of the leaf that completed it.
const (
	atOnce      = 64
	selectNodes = `SELECT idx, nodes FROM entry WHERE idx IN (
		?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
		?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// nodes reads nodes of the tree by x/mod's numbers.
type nodes struct {
	ctx  context.Context
	stmt *sql.Stmt
}

// ReadHashes implements [tlog.HashReader].
func (n nodes) ReadHashes(numbers []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, 0, len(numbers))
	for len(numbers) > 0 {
		some := min(len(numbers), atOnce)
		got, err := n.read(numbers[:some])
		if err != nil {
			return nil, err
		}
		list, numbers = append(list, got...), numbers[some:]
	}
	return list, nil
}

func (n nodes) read(numbers []int64) ([]tlog.Hash, error) {
	places := make([]ledger.Node, len(numbers))
	args := make([]any, atOnce)
	for i := range args {
		args[i] = int64(-1)
	}
	for i, number := range numbers {
		places[i].Level, places[i].Index = tlog.SplitStoredHashIndex(number)
		args[i] = places[i].Completed()
	}
	rows, err := n.stmt.QueryContext(n.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := make([]tlog.Hash, len(numbers))
	found := 0
	for rows.Next() {
		var index int64
		var octets sql.RawBytes
		if err := rows.Scan(&index, &octets); err != nil {
			return nil, err
		}
		for i, p := range places {
			if from := p.Level * tlog.HashSize; p.Completed() == index && len(octets) >= from+tlog.HashSize {
				list[i] = tlog.Hash(octets[from : from+tlog.HashSize])
				found++
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if found != len(numbers) {
		return nil, fmt.Errorf("%w: %d of %d nodes are not there", ledger.ErrDamaged, len(numbers)-found, len(numbers))
	}
	return list, nil
}
