package ledger

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// TestTree holds the tree against x/mod's over every size up to a few bundles.
func TestTree(t *testing.T) {
	const sizes = 600
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			list[i] = stored[x]
		}
		return list, nil
	})
	tree := &Tree{}
	nodes := map[Node]tlog.Hash{}
	for n := range int64(sizes) {
		root, err := tlog.TreeHash(n, reader)
		if err != nil {
			t.Fatal(err)
		}
		if tree.Size() != n || tree.Root() != root {
			t.Fatalf("size %d: root %v, want %v", n, tree.Root(), root)
		}
		edge := make([]tlog.Hash, 0, 10)
		for _, at := range Edge(n) {
			edge = append(edge, nodes[at])
			if at.Completed() >= n {
				t.Fatalf("size %d: node %v is completed by leaf %d", n, at, at.Completed())
			}
		}
		again, err := RestoreTree(n, edge)
		if err != nil || again.Root() != root {
			t.Fatalf("size %d: restored root %v, %v", n, again.Root(), err)
		}

		leaf := fmt.Appendf(nil, "leaf %d", n)
		want, err := tlog.StoredHashes(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, want...)
		got := again.Append(tlog.RecordHash(leaf))
		tree.Append(tlog.RecordHash(leaf))
		if !slices.Equal(got, want) {
			t.Fatalf("leaf %d completes %v, want %v", n, got, want)
		}
		for level, hash := range got {
			nodes[Node{level, n >> level}] = hash
		}
	}
	if _, err := RestoreTree(3, []tlog.Hash{{}}); err == nil {
		t.Error("a tree of 3 leaves with one node")
	}
	if _, err := RestoreTree(-1, nil); err == nil {
		t.Error("a tree of -1 leaves")
	}
}
