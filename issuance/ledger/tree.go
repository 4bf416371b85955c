package ledger

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the right edge of a Merkle tree: the roots of its largest complete subtrees,
// from left to right. It is all that appending needs. The zero Tree is empty.
type Tree struct {
	size int64
	edge []tlog.Hash
}

// Node is a place in the tree: the Index-th node of its Level, leaves being level 0.
type Node struct {
	Level int
	Index int64
}

// Completed is the number of the leaf whose arrival completed the node. A store that
// keeps, with each leaf, the nodes that it completed finds any node there, as the
// Level-th.
func (n Node) Completed() int64 { return (n.Index+1)<<n.Level - 1 }

// Edge lists the nodes that RestoreTree needs for a tree of the given size.
func Edge(size int64) []Node {
	var nodes []Node
	for level := bits.Len64(uint64(size)) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			nodes = append(nodes, Node{level, size>>level - 1})
		}
	}
	return nodes
}

// RestoreTree is the tree of the given size from the hashes of its Edge.
func RestoreTree(size int64, edge []tlog.Hash) (*Tree, error) {
	if size < 0 || len(edge) != bits.OnesCount64(uint64(size)) {
		return nil, fmt.Errorf("a tree of %d leaves does not have %d nodes at its edge", size, len(edge))
	}
	return &Tree{size, append([]tlog.Hash(nil), edge...)}, nil
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Append adds a leaf by its hash and returns the hashes of the nodes that it completes,
// from level 0 up.
func (t *Tree) Append(leaf tlog.Hash) []tlog.Hash {
	done := []tlog.Hash{leaf}
	for n := t.size; n&1 == 1; n >>= 1 {
		left := t.edge[len(t.edge)-1]
		t.edge = t.edge[:len(t.edge)-1]
		leaf = tlog.NodeHash(left, leaf)
		done = append(done, leaf)
	}
	t.edge = append(t.edge, leaf)
	t.size++
	return done
}

// Root is the hash of the tree (RFC 6962 §2.1).
func (t *Tree) Root() tlog.Hash {
	if t.size == 0 {
		root, _ := tlog.TreeHash(0, nil)
		return root
	}
	root := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.edge[i], root)
	}
	return root
}

// from is the hash of all leaves from one on, where a subtree of the right edge begins
// there.
func (t *Tree) from(first int64) tlog.Hash {
	places := Edge(t.size)
	var hash tlog.Hash
	for i := len(t.edge) - 1; i >= 0; i-- {
		switch start := places[i].Index << places[i].Level; {
		case i == len(t.edge)-1:
			hash = t.edge[i]
		case start >= first:
			hash = tlog.NodeHash(t.edge[i], hash)
		}
	}
	return hash
}
