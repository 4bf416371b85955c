package ledgertest

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// judge holds what the processes were told against the ledger: one owner each, none lost,
// and the root is that of the leaves, computed by itself.
func (r Race) judge(t *testing.T, store RaceStore, ends []raced, took time.Duration) {
	var sum raced
	told := map[string]string{}
	var winners []int
	for _, e := range ends {
		sum.Claims, sum.Seen, sum.Lost, sum.Again = sum.Claims+e.Claims, sum.Seen+e.Seen, sum.Lost+e.Lost, sum.Again+e.Again
		winners = append(winners, len(e.Won))
		for _, w := range e.Won {
			if other := told[w.App]; other != "" {
				t.Errorf("%s was given to %s and %s", w.App, other, w.Card)
			}
			told[w.App] = w.Card
		}
	}
	if want := r.Applications * r.Claims; sum.Claims != want || sum.Claims != len(told)+sum.Seen+sum.Lost {
		t.Errorf("%d claims, not %d: %d won, %d and %d lost", sum.Claims, want, len(told), sum.Seen, sum.Lost)
	}
	t.Logf("%d processes, %d claims on %d applications in %s: %.0f claims/s, %.0f won/s; %d conflicts, %d seen to be taken, %d repeated; winners per process %v",
		r.Processes, sum.Claims, r.Applications, took.Round(time.Millisecond), float64(sum.Claims)/took.Seconds(), float64(len(told))/took.Seconds(),
		sum.Lost, sum.Seen, sum.Again, winners)
	r.owners(t, store, told)
	c, err := store.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, audit := range map[string]func() (bool, int64, error){
		"verify": func() (bool, int64, error) { x, err := store.Verify(t.Context(), nil); return x.OK(), x.Size, err },
		"rehash": func() (bool, int64, error) { x, err := store.Rehash(t.Context()); return x.OK(), x.Size, err },
	} {
		if ok, size, err := audit(); err != nil || !ok || size != c.Size {
			t.Errorf("%s: %v, %d of %d entries: %v", what, ok, size, c.Size, err)
		}
	}
}

// owners reads the whole log once: who began which application, and its root.
func (r Race) owners(t *testing.T, store RaceStore, told map[string]string) {
	owner := map[string]string{}
	var tree peaks
	err := store.Entries(t.Context(), 0, func(index int64, leaf, payload []byte) error {
		if index != tree.size {
			t.Errorf("entry %d comes as number %d", index, tree.size)
		}
		tree.add(leaf)
		e, err := issuance.ParseEntry(leaf, payload)
		if err == nil && e.Stream.Kind == issuance.KindApplication && e.Act == issuance.Personalise {
			if owner[e.Stream.ID] != "" {
				t.Errorf("%s has two owners", e.Stream.ID)
			}
			owner[e.Stream.ID] = e.Fields["card"]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for app, card := range told {
		if owner[app] != card {
			lost++
		}
	}
	if lost > 0 || len(owner) != r.Applications || len(told) != r.Applications {
		t.Errorf("%d of %d claims that were acknowledged are lost, %d applications have an owner", lost, len(told), len(owner))
	}
	c, err := store.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if root := tree.root(); root != c.Root || tree.size != c.Size {
		t.Errorf("%d leaves have the root %x, the checkpoint says %d and %x", tree.size, root, c.Size, c.Root)
	}
	t.Logf("%d entries: one owner each, 0 lost, root recomputed", tree.size)
}

// peaks are the roots of the perfect trees that leaves make so far, the largest first. It is
// a tree by RFC 9162 §2.1.1 that shares nothing with package ledger.
type peaks struct {
	size  int64
	nodes []peak
}

type peak struct {
	leaves int64
	hash   [32]byte
}

func (p *peaks) add(leaf []byte) {
	p.size++
	p.nodes = append(p.nodes, peak{1, sha256.Sum256(append([]byte{0}, leaf...))})
	for n := len(p.nodes); n > 1 && p.nodes[n-1].leaves == p.nodes[n-2].leaves; n = len(p.nodes) {
		p.nodes = append(p.nodes[:n-2], join(p.nodes[n-2], p.nodes[n-1]))
	}
}

func join(left, right peak) peak {
	return peak{left.leaves + right.leaves, sha256.Sum256(slices.Concat([]byte{1}, left.hash[:], right.hash[:]))}
}

func (p *peaks) root() [32]byte {
	if p.size == 0 {
		return sha256.Sum256(nil)
	}
	all := p.nodes[len(p.nodes)-1]
	for _, left := range slices.Backward(p.nodes[:len(p.nodes)-1]) {
		all = join(left, all)
	}
	return all.hash
}
