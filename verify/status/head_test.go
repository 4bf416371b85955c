package status

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHead: a head comes back as it was made, and leads from each snapshot to the newest.
func TestHead(t *testing.T) {
	an, r := newAuthority(t), rand.New(rand.NewPCG(19, 20))
	c := an.chain(t, r, 3)
	steps := []Step{{From: 1, Base: c.lists[0].Digest, File: File{[32]byte{1}, 10}}, {From: 2, Base: c.lists[1].Digest, File: File{[32]byte{2}, 20}}}
	d, err := PrepareHead(header(4), an.Public(), c.lists[2], uint64(len(c.octets[2])), steps)
	whole := an.sign(t, d, err)
	h := must(ParseHead(whole, an.pins))(t)
	if h.Base != 3 || h.Sequence != 4 || h.Snapshot != (File{c.lists[2].Digest, uint64(len(c.octets[2]))}) || !slices.Equal(h.Steps, steps) {
		t.Errorf("%+v", h)
	}
	for i, l := range c.lists {
		if got, ok := h.From(l); !ok || !slices.Equal(got, steps[min(i, 2):]) {
			t.Errorf("from %d: %v, %v", i+1, got, ok)
		}
	}
	other := an.parse(t, an.index(t, 2, Indexes{Active: {9}}))
	if _, ok := h.From(other); ok {
		t.Error("there is a way from another list of that number")
	}
	for i := range whole {
		edited := bytes.Clone(whole)
		edited[i] ^= 1
		if _, err := ParseHead(edited, an.pins); !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrSigner) && !errors.Is(err, ErrSignature) {
			t.Fatalf("octet %d changed: %v", i, err)
		}
	}
	if _, err := Parse(whole, an.pins); !errors.Is(err, ErrMalformed) {
		t.Errorf("a head as a list: %v", err)
	}
	if _, err := ParseHead(c.octets[0], an.pins); !errors.Is(err, ErrMalformed) {
		t.Errorf("a list as a head: %v", err)
	}
	if _, err := ParseHead(whole, newAuthority(t).pins); !errors.Is(err, ErrSigner) {
		t.Errorf("a stranger's head: %v", err)
	}
}

// TestHeadRefused: what leads nowhere is not signed.
func TestHeadRefused(t *testing.T) {
	an, r := newAuthority(t), rand.New(rand.NewPCG(21, 22))
	c := an.chain(t, r, 3)
	for name, tt := range map[string]struct {
		change func(*Header)
		steps  []Step
	}{
		"of another list":    {func(h *Header) { h.URI += "0" }, nil},
		"of other documents": {func(h *Header) { h.Documents = []string{"ID"} }, nil},
		"falling":            {func(*Header) {}, []Step{{From: 2}, {From: 1}}},
		"from the newest":    {func(*Header) {}, []Step{{From: 3}}},
		"too large":          {func(*Header) {}, []Step{{From: 2, File: File{Size: MaxPatch + 1}}}},
		"too many":           {func(*Header) {}, make([]Step, maxSteps+1)},
	} {
		h := header(4)
		tt.change(&h)
		if _, err := PrepareHead(h, an.Public(), c.lists[2], 100, tt.steps); !errors.Is(err, ErrBase) {
			t.Errorf("%s: %v", name, err)
		}
	}
	older := header(2)
	if _, err := PrepareHead(older, an.Public(), c.lists[2], 100, nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("numbered below its snapshot: %v", err)
	}
}
