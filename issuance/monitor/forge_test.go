package monitor_test

import (
	"bytes"
	"context"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// forgery is a log of whatever leaves, signed by whatever key: what somebody can make who
// has all rights to a database.
type forgery struct {
	leaves [][]byte
	shown  [][]byte // nil: leaves; else what is given out as such
	stored []tlog.Hash
	signer note.Signer
}

// copied is the log as the ledger has it.
func (r *rig) copied(t testing.TB) *forgery {
	t.Helper()
	f := &forgery{signer: r.signer}
	err := r.ledger.Entries(t.Context(), 0, func(_ int64, leaf, _ []byte) error {
		f.leaves = append(f.leaves, bytes.Clone(leaf))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f.hash(t)
	return f
}

// rewrite changes a leaf; an entry stays an entry.
func (f *forgery) rewrite(index int) []byte {
	leaf := bytes.Clone(f.leaves[index])
	leaf[len(leaf)-1] ^= 1 // of the signature
	f.leaves[index] = leaf
	return leaf
}

// hash makes the tree fit.
func (f *forgery) hash(t testing.TB) {
	t.Helper()
	f.stored = nil
	for i, leaf := range f.leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, f)
		if err != nil {
			t.Fatal(err)
		}
		f.stored = append(f.stored, hashes...)
	}
}

func (f *forgery) ReadHashes(numbers []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(numbers))
	for i, n := range numbers {
		list[i] = f.stored[n]
	}
	return list, nil
}

func (f *forgery) Checkpoint(context.Context) (*ledger.Checkpoint, error) {
	size := int64(len(f.leaves))
	root, err := tlog.TreeHash(size, f)
	if err != nil {
		return nil, err
	}
	return ledger.SignCheckpoint(ledgertest.Origin, size, root, f.signer)
}

func (f *forgery) Cosigned() *ledger.Checkpoint { return nil }

func (f *forgery) Entries(_ context.Context, from int64, each func(int64, []byte, []byte) error) error {
	list := f.shown
	if list == nil {
		list = f.leaves
	}
	for i := from; i < int64(len(list)); i++ {
		if err := each(i, list[i], nil); err != nil {
			return err
		}
	}
	return nil
}

func (f *forgery) Consistency(_ context.Context, older, newer int64) ([]tlog.Hash, error) {
	if older == 0 || older == newer {
		return nil, nil
	}
	return tlog.ProveTree(newer, older, f)
}

func (f *forgery) Nodes(_ context.Context, places []ledger.Node) ([]tlog.Hash, error) {
	numbers := make([]int64, len(places))
	for i, p := range places {
		numbers[i] = tlog.StoredHashIndex(p.Level, p.Index)
	}
	return f.ReadHashes(numbers)
}
