package status

import (
	"bytes"
	"cmp"
	"errors"
	"math/rand/v2"
	"testing"
)

// chain are snapshots of one list in their order, and the patches between them.
type chain struct {
	octets  [][]byte
	lists   []*List
	patches []*Patch
}

func (an authority) chain(t testing.TB, r *rand.Rand, n int) (c chain) {
	t.Helper()
	cards := someCards(r)
	for i := range n {
		b := an.index(t, uint64(i+1), cards)
		l := an.parse(t, b)
		if i > 0 {
			c.patches = append(c.patches, must(ParsePatch(must(MakePatch(c.lists[i-1], l, b))(t)))(t))
		}
		c.octets, c.lists = append(c.octets, b), append(c.lists, l)
		cards = later(r, cards)
	}
	return c
}

// TestPatch: a chain of patches makes of the first snapshot the last, octet for octet.
func TestPatch(t *testing.T) {
	an, r := newAuthority(t), rand.New(rand.NewPCG(13, 14))
	for i := range 60 {
		c := an.chain(t, r, 4)
		for from := range c.patches {
			got, err := Apply(c.lists[from], c.patches[from:]...)
			if err != nil || !bytes.Equal(got, c.octets[3]) {
				t.Fatalf("chain %d from %d: %v", i, from, err)
			}
		}
	}
}

// TestPatchRefused: a patch makes what it says of its own base, or nothing.
func TestPatchRefused(t *testing.T) {
	an, r := newAuthority(t), rand.New(rand.NewPCG(15, 16))
	c := an.chain(t, r, 3)
	d, err := PrepareExact(header(9), an.Public(), IDs{})
	exact := an.parse(t, an.sign(t, d, err))
	for name, err := range map[string]error{
		"none":               second(Apply(c.lists[0])),
		"of another base":    second(Apply(c.lists[0], c.patches[1])),
		"in the wrong order": second(Apply(c.lists[0], c.patches[1], c.patches[0])),
		"of another sort":    second(Apply(exact, c.patches[0])),
		"backwards":          second(MakePatch(c.lists[1], c.lists[0], c.octets[0])),
		"of a stranger":      second(MakePatch(c.lists[0], c.lists[1], c.octets[2])),
		"to another sort":    second(MakePatch(c.lists[0], exact, nil)),
	} {
		if !errors.Is(err, ErrBase) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := must(MakePatch(c.lists[0], c.lists[1], c.octets[1]))(t)
	for i := range whole {
		edited := bytes.Clone(whole)
		edited[i] ^= 1
		p, err := ParsePatch(edited)
		var made []byte
		if err == nil {
			made, err = Apply(c.lists[0], p)
		}
		if err == nil && bytes.Equal(made, c.octets[1]) {
			continue // the limit of what changed may be any that is large enough
		}
		if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrBase) && !errors.Is(err, ErrOrder) {
			t.Fatalf("octet %d changed: %v", i, err)
		}
		if _, err := ParsePatch(whole[:i]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut to %d: %v", i, err)
		}
	}
}

// TestRevived: what ends a card is for ever.
func TestRevived(t *testing.T) {
	an := newAuthority(t)
	for _, tt := range []struct {
		was, is State
		want    error
	}{
		{Revoked, Active, ErrRevived},
		{Revoked, Superseded, ErrRevived},
		{Superseded, Suspended, ErrRevived},
		{Superseded, Revoked, nil},
		{Suspended, Active, nil},
		{Undelivered, Active, nil},
		{Revoked, Revoked, nil},
	} {
		var before, after Indexes
		before[tt.was], after[tt.is] = []uint32{5, 6}, []uint32{5, 6}
		b := an.index(t, 2, after)
		if _, err := MakePatch(an.parse(t, an.index(t, 1, before)), an.parse(t, b), b); !errors.Is(err, tt.want) {
			t.Errorf("%s, then %s: %v", tt.was, tt.is, err)
		}
	}
}

// TestWalk: the walk over a list tells of each index what a look-up does.
func TestWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for range 200 {
		delta := r.IntN(2) == 0
		x := newIndexes(once(someCards(r), cmp.Compare), delta)
		got := map[uint32]State{}
		last := -1
		w := x.cards()
		for v, s := w.next(); v != none; v, s = w.next() {
			if int(v) <= last {
				t.Fatalf("%d after %d", v, last)
			}
			last, got[uint32(v)] = int(v), s
		}
		for v, s := range got {
			for _, near := range []uint32{v - 1, v, v + 1} {
				if want := x.state(near); want != got[near] {
					t.Fatalf("%d (%v): %v, want %v", near, s, got[near], want)
				}
			}
		}
		if uint64(len(got)) != x.count() {
			t.Fatalf("%d cards of %d", len(got), x.count())
		}
	}
}
