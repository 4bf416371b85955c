package status

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowsOf puts cards in order, each under its gravest state.
func rowsOf(t testing.TB, cards Indexes) *Rows {
	t.Helper()
	states := map[uint32]State{}
	for i := len(gravest) - 1; i >= 0; i-- {
		for _, v := range cards[gravest[i]] {
			states[v] = gravest[i]
		}
	}
	var order []uint32
	for v := range states {
		order = append(order, v)
	}
	slices.Sort(order)
	r := &Rows{}
	for _, v := range order {
		if err := r.Add(v, states[v]); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// someCards are cards at random places, dense or not, some of them under two states.
func someCards(r *rand.Rand) Indexes {
	var x Indexes
	n := r.IntN(400)
	limit := uint64(1) << (1 + r.IntN(32))
	if r.IntN(2) == 0 { // so dense that the issued cards are written by what they lack
		limit = max(uint64(float64(n)*(1+r.Float64())), 1)
	}
	grave := r.IntN(5)
	for range n {
		s := Active
		if r.IntN(5) < grave {
			s = written[r.IntN(len(written))]
		}
		x[s] = append(x[s], uint32(r.Uint64N(limit)))
	}
	return x
}

// TestRows: lists made of rows are, octet for octet, those made of sets, and so are deltas.
func TestRows(t *testing.T) {
	an := newAuthority(t)
	r := rand.New(rand.NewPCG(11, 12))
	inverse := 0
	for i := range 400 {
		before := someCards(r)
		want := must(PrepareIndex(header(1), an.Public(), before))(t)
		got := must(PrepareIndexRows(header(1), an.Public(), rowsOf(t, before)))(t)
		if !bytes.Equal(got.tbs, want.tbs) {
			t.Fatalf("list %d differs", i)
		}
		snapshot := an.parse(t, must(got.Sign(an))(t))
		if snapshot.payload.(*indexes).inverse {
			inverse++
		}
		now := later(r, before)
		want = must(PrepareIndexDelta(header(2), an.Public(), now, snapshot))(t)
		got = must(PrepareIndexDeltaRows(header(2), an.Public(), rowsOf(t, now), snapshot))(t)
		if !bytes.Equal(got.tbs, want.tbs) {
			t.Fatalf("delta %d differs", i)
		}
	}
	if inverse < 50 || inverse > 350 {
		t.Errorf("%d of 400 lists are dense", inverse)
	}
}

// later are the cards of a list after some of them changed and others came.
func later(r *rand.Rand, before Indexes) Indexes {
	now := once(before, func(a, b uint32) int { return int(int64(a) - int64(b)) })
	for range r.IntN(20) {
		from, to := written[r.IntN(len(written))], written[r.IntN(len(written))]
		if n := len(now[from]); n > 0 && final(0, from, to) == nil {
			i := r.IntN(n)
			v := now[from][i]
			now[from] = slices.Delete(slices.Clone(now[from]), i, i+1)
			now[to] = append(slices.Clip(now[to]), v)
		}
	}
	more := someCards(r)
	for _, s := range written {
		now[s] = append(slices.Clip(now[s]), more[s][:len(more[s])/8]...)
	}
	return once(now, func(a, b uint32) int { return int(int64(a) - int64(b)) })
}

// TestRowsOrder: rows that do not rise, or are no state, are refused, and nothing vanishes.
func TestRowsOrder(t *testing.T) {
	an, r := newAuthority(t), &Rows{}
	for _, v := range []uint32{0, 5, 1<<32 - 1} {
		if err := r.Add(v, Active); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Add(5, Active); !errors.Is(err, ErrOrder) || r.Len() != 3 {
		t.Errorf("%v, %d rows", err, r.Len())
	}
	if err := new(Rows).Add(1, Unknown); !errors.Is(err, ErrMalformed) {
		t.Errorf("an unknown card: %v", err)
	}
	snapshot := an.parse(t, must(must(PrepareIndexRows(header(1), an.Public(), r))(t).Sign(an))(t))
	less := &Rows{}
	if err := less.Add(5, Active); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"cards vanished":  second(PrepareIndexDeltaRows(header(2), an.Public(), less, snapshot)),
		"of another sort": second(PrepareIndexDeltaRows(header(9), an.Public(), r, parsed(t, "exact"))),
	} {
		if !errors.Is(err, ErrBase) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRowsWith: cards of two walks stand under their gravest state.
func TestRowsWith(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for range 100 {
		one, other := someCards(r), someCards(r)
		var all Indexes
		for s := range all {
			all[s] = append(append(all[s], one[s]...), other[s]...)
		}
		got := must(rowsOf(t, one).With(rowsOf(t, other)))(t)
		if want := rowsOf(t, all); got.Len() != want.Len() || !slices.EqualFunc(got.chunks, want.chunks, bytes.Equal) {
			t.Fatalf("%d cards, want %d", got.Len(), want.Len())
		}
	}
}
