package ledger

import (
	"fmt"
	"math/bits"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/receipt"
)

// Older is what is known of the log from elsewhere: a checkpoint, or with it a receipt
// that was given out or the leaves' hashes of an export, which tell the place of a change.
type Older struct {
	Name       string // where it comes from, for people
	Checkpoint *Checkpoint
	Receipt    *receipt.Proof               // of Leaf; nil if it is none
	Leaf       []byte                       //
	Hash       func(index int64) *tlog.Hash // of a leaf, nil where it is not known; nil if it is no export

	known map[Node]tlog.Hash  // nodes that the receipt proves
	edge  map[int64]tlog.Hash // hashes of all leaves from one on, which are no node
	told  bool
}

// compare holds the newest leaf of an audit, and the nodes it completed, against what is
// known.
func (o *Older) compare(a *Audit) {
	size := a.tree.Size()
	if o.told || size > o.Checkpoint.Size || o.Checkpoint.Origin != a.report.Origin {
		return
	}
	if o.Receipt != nil && o.known == nil {
		o.proven(issuance.LeafHash(o.Leaf))
	}
	if o.Hash != nil {
		if want := o.Hash(size - 1); want != nil && *want != a.newest {
			a.Find(Rewritten, size-1, issuance.StreamID{}, "%s has another leaf here", o.Name)
			o.told = true
			return
		}
	}
	for level := 0; level <= bits.TrailingZeros64(uint64(size)); level++ {
		n := Node{level, size>>level - 1}
		want, ok := o.known[n]
		if ok && want != a.node(level) {
			first := n.Index << level
			a.Find(Rewritten, first, issuance.StreamID{}, "entries %d to %d are not those that %s proves", first, size-1, o.Name)
			o.told = true
			return
		}
	}
	if size != o.Checkpoint.Size {
		return
	}
	for lo, want := range o.edge {
		if a.tree.from(lo) != want {
			a.Find(Rewritten, lo, issuance.StreamID{}, "entries %d to %d are not those that %s proves", lo, size-1, o.Name)
			o.told = true
			return
		}
	}
	if o.Checkpoint.Root != a.tree.Root() {
		a.Find(Rewritten, -1, issuance.StreamID{}, "the first %d entries are not those that %s signs", size, o.Name)
		o.told = true
	}
}

// end says what the log has not reached.
func (o *Older) end(a *Audit) {
	switch c := o.Checkpoint; {
	case c.Origin != a.report.Origin:
		a.Find(CheckpointBad, -1, issuance.StreamID{}, "%s is of %q", o.Name, c.Origin)
	case c.Size > a.tree.Size():
		a.Find(RolledBack, a.tree.Size(), issuance.StreamID{}, "%s signs %d entries, there are %d", o.Name, c.Size, a.tree.Size())
	}
}

// proven takes the hashes of an inclusion proof apart: the leaf, and the subtrees beside
// its way to the root, of which those at the right edge need not be complete.
func (o *Older) proven(leaf tlog.Hash) {
	o.known, o.edge = map[Node]tlog.Hash{{0, o.Receipt.Index}: leaf}, map[int64]tlog.Hash{}
	lo, hi, hashes := int64(0), o.Checkpoint.Size, o.Receipt.Hashes
	for hi-lo > 1 && len(hashes) > 0 {
		split := int64(1) << (bits.Len64(uint64(hi-lo-1)) - 1)
		last := hashes[len(hashes)-1]
		hashes = hashes[:len(hashes)-1]
		if o.Receipt.Index < lo+split {
			o.beside(lo+split, hi, last)
			hi = lo + split
		} else {
			o.beside(lo, lo+split, last)
			lo += split
		}
	}
}

func (o *Older) beside(lo, hi int64, hash tlog.Hash) {
	if n := hi - lo; n&(n-1) == 0 && lo%n == 0 {
		level := bits.TrailingZeros64(uint64(n))
		o.known[Node{level, lo >> level}] = hash
	} else if hi == o.Checkpoint.Size {
		o.edge[lo] = hash
	}
}

// ShownCheckpoint is a checkpoint that is shown to an audit.
func ShownCheckpoint(name string, c *Checkpoint) *Older { return &Older{Name: name, Checkpoint: c} }

// ShownReceipt is a receipt that is shown to an audit. The caller verified it; one that
// carries no leaf is receipt.ErrFormat.
func ShownReceipt(name string, p *receipt.Proof, c *Checkpoint) (*Older, error) {
	if len(p.Extra) == 0 {
		return nil, fmt.Errorf("%w: %s carries no leaf", receipt.ErrFormat, name)
	}
	return &Older{Name: name, Checkpoint: c, Receipt: p, Leaf: p.Extra}, nil
}

// ShownExport is an export of the log that is shown to an audit, under a checkpoint of
// its own that the caller verified.
func ShownExport(dir string, c *Checkpoint) *Older {
	x := &shownTiles{dir: dir, size: c.Size, n: -1}
	return &Older{Name: dir, Checkpoint: c, Hash: x.hash}
}

// shownTiles reads the tiles of leaves' hashes, one at a time.
type shownTiles struct {
	dir     string
	size, n int64
	tile    []byte
}

func (x *shownTiles) hash(index int64) *tlog.Hash {
	if index < 0 || index >= x.size {
		return nil
	}
	if n := index / tileWidth; n != x.n {
		width := int(min(x.size-n*tileWidth, tileWidth)) % tileWidth
		x.n = n
		x.tile, _ = os.ReadFile(filepath.Join(x.dir, filepath.FromSlash(TilePath("0", n, width))))
		if x.tile == nil { // full since, while the checkpoint was not written yet
			x.tile, _ = os.ReadFile(filepath.Join(x.dir, filepath.FromSlash(TilePath("0", n, 0))))
		}
	}
	from := int(index%tileWidth) * tlog.HashSize
	if len(x.tile) < from+tlog.HashSize {
		return nil
	}
	h := tlog.Hash(x.tile[from : from+tlog.HashSize])
	return &h
}
