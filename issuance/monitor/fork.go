package monitor

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// Evidence of a fork is what anybody can check with nothing but the log's key: two
// checkpoints that it signed, and a proof that the later one is over other entries than the
// earlier one. The proof is that by which an honest log shows that it continues the earlier
// checkpoint (RFC 6962 §2.1.2): it leads to the later root, and to another earlier root than
// was signed, which stands in its first line.
//
//	root BASE64                of the earlier entries, as the later checkpoint has them
//	old N                      as in a continuation, C2SP tlog-witness
//	BASE64 …
//
//	the later checkpoint
const forkName = "fork"

func forkFile(old int64, root tlog.Hash, proof []tlog.Hash, newer []byte) (File, error) {
	c := receipt.Continuation{Old: old, Hashes: proof, Checkpoint: newer}
	text, err := c.MarshalText()
	if err != nil {
		return File{}, err
	}
	return File{forkName, append([]byte("root "+base64.StdEncoding.EncodeToString(root[:])+"\n"), text...)}, nil
}

// ErrNoFork means that evidence does not show that a log signed two histories.
var ErrNoFork = errors.New("it is not shown that the log signed two histories")

// CheckFork checks the evidence of a fork: that the log signed the two checkpoints, and that
// no log can have both. Where they are of the same size proof is not asked for; else it is the
// file "fork". Errors wrap ErrNoFork.
func CheckFork(one, other, proof []byte, policy receipt.Policy) error {
	a, _, err := policy.Open(one)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoFork, err)
	}
	b, _, err := policy.Open(other)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoFork, err)
	}
	if a.Size > b.Size {
		a, b = b, a
	}
	if a.Origin != b.Origin {
		return fmt.Errorf("%w: they are of two logs", ErrNoFork)
	}
	if a.Size == b.Size {
		if a.Root == b.Root {
			return fmt.Errorf("%w: it is one", ErrNoFork)
		}
		return nil
	}
	first, rest, _ := strings.Cut(string(proof), "\n")
	text, ok := strings.CutPrefix(first, "root ")
	root, err := tlog.ParseHash(text)
	if !ok || err != nil || root == a.Root {
		return fmt.Errorf("%w: the proof says no other root", ErrNoFork)
	}
	c, err := receipt.ParseContinuation([]byte(rest))
	if err != nil || c.Old != a.Size {
		return fmt.Errorf("%w: the proof is none", ErrNoFork)
	}
	if err := tlog.CheckTree(c.Hashes, b.Size, b.Root, a.Size, root); err != nil {
		return fmt.Errorf("%w: %w", ErrNoFork, err)
	}
	return nil
}

// partial grows a tree and keeps only what proves that it continues its own first entries.
type partial struct {
	old, size int64
	tree      ledger.Tree
	want      map[int64]tlog.Hash // by x/mod's numbers
	root      tlog.Hash           // of the first entries
}

func newPartial(old, size int64) *partial {
	p := &partial{old: old, size: size, want: map[int64]tlog.Hash{}}
	if old > 0 && old < size {
		_, _ = tlog.ProveTree(size, old, tlog.HashReaderFunc(func(numbers []int64) ([]tlog.Hash, error) {
			for _, n := range numbers {
				p.want[n] = tlog.Hash{}
			}
			return make([]tlog.Hash, len(numbers)), nil
		}))
	}
	return p
}

func (p *partial) add(leaf tlog.Hash) {
	at := p.tree.Size()
	for level, hash := range p.tree.Append(leaf) {
		n := tlog.StoredHashIndex(level, at>>level)
		if _, wanted := p.want[n]; wanted {
			p.want[n] = hash
		}
	}
	if p.tree.Size() == p.old {
		p.root = p.tree.Root()
	}
}

// evidence shows that the tree's checkpoint contradicts the known one.
func (p *partial) evidence(known Known, c *receipt.Checkpoint) (File, error) {
	if p.old == 0 || p.old >= p.size {
		return File{}, nil
	}
	proof, err := tlog.ProveTree(p.size, p.old, tlog.HashReaderFunc(func(numbers []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(numbers))
		for i, n := range numbers {
			list[i] = p.want[n]
		}
		return list, nil
	}))
	if err != nil {
		return File{}, fmt.Errorf("prove the fork of %s: %w", known.Origin, err)
	}
	return forkFile(p.old, p.root, proof, c.Note)
}
