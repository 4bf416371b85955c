package status

// indexesOf makes the sets of cards that can be walked over several times: to count them, to
// find how each set is coded shortest, and to code it. Beside what the cards lie in it needs
// no more memory than the sets take.
func indexesOf(cards func() walker, delta bool) *indexes {
	x := &indexes{delta: delta}
	var sets [Revoked + 1]coder
	x.size(cards(), &sets)
	for s := range sets {
		sets[s].begin()
	}
	x.put(cards(), func(s State, v uint64) { sets[s].measure(v) })
	for s := range sets {
		sets[s].choose()
	}
	x.put(cards(), func(s State, v uint64) { sets[s].write(v) })
	for _, s := range written {
		x.sets[s] = sets[s].set()
	}
	return x
}

// size finds the limit, how the issued cards are written, and how many members each set has
// up to which.
func (x *indexes) size(cards walker, sets *[Revoked + 1]coder) {
	issued, lacking := uint64(0), uint64(0) // lacking: the last index below the limit that no card has
	for v, s := cards.next(); v != none; v, s = cards.next() {
		if v > x.limit {
			lacking = v - 1
		}
		issued, x.limit = issued+1, v+1
		if s != Active || x.delta {
			sets[s].n, sets[s].last = sets[s].n+1, v
		}
	}
	if x.delta {
		return
	}
	if x.inverse = issued > x.limit/2; x.inverse {
		sets[Active].n, sets[Active].last = x.limit-issued, lacking
	} else if issued > 0 {
		sets[Active].n, sets[Active].last = issued, x.limit-1
	}
}

// put gives each set its members in their order.
func (x *indexes) put(cards walker, member func(set State, v uint64)) {
	next := uint64(0)
	for v, s := cards.next(); v != none; v, s = cards.next() {
		if s != Active || x.delta {
			member(s, v)
		}
		switch {
		case x.delta:
		case x.inverse:
			for ; next < v; next++ {
				member(Active, next)
			}
			next = v + 1
		default:
			member(Active, v)
		}
	}
}

// changesOf are the cards whose state is another one than before. Cards do not vanish: that
// is ErrBase. may, if it is not nil, says what is wrong with a change.
func changesOf(now, before walker, may func(index uint64, was, is State) error) (*Rows, error) {
	changed := &Rows{}
	w, is := now.next()
	v, was := before.next()
	for v != none || w != none {
		switch {
		case v < w:
			return nil, errVanished(v)
		case v > w || was != is:
			if v == w && may != nil {
				if err := may(v, was, is); err != nil {
					return nil, err
				}
			}
			if err := changed.Add(uint32(w), is); err != nil {
				return nil, err
			}
		}
		if v == w {
			v, was = before.next()
		}
		w, is = now.next()
	}
	return changed, nil
}
