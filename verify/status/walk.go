package status

// none is the index after the last.
const none = ^uint64(0)

// walker gives cards in the order of their indexes, each once, then none.
type walker interface {
	next() (index uint64, s State)
}

// cursor stands at a member of a set.
type cursor struct {
	r        bitReader
	k        uint
	left, at uint64
}

func (s *set) cursor() cursor {
	c := cursor{r: bitReader{s.code, 0}, k: s.k, left: s.count, at: none}
	c.step()
	return c
}

// step goes to the next member. Before the first the cursor stands at none, one below 0.
func (c *cursor) step() {
	if c.left == 0 {
		c.at = none
		return
	}
	gap, _ := c.r.gap(c.k)
	c.left--
	c.at += gap + 1
}

// cards walks over what a list says, each card under its gravest state, as state tells it.
func (x *indexes) cards() walker {
	w := &indexWalker{limit: x.limit, inverse: x.inverse}
	for i, s := range gravest {
		w.at[i] = x.sets[s].cursor()
	}
	return w
}

type indexWalker struct {
	at             [len(gravest)]cursor // in the order of gravest: the issued cards, or those that are not, last
	limit, another uint64               // another: the least index that can come
	inverse        bool
}

const issuedCards = len(gravest) - 1

func (w *indexWalker) next() (uint64, State) {
	if w.inverse {
		return w.nextInverse()
	}
	v := none
	for i := range w.at {
		v = min(v, w.at[i].at)
	}
	if v == none {
		return none, Unknown
	}
	return v, w.take(v)
}

// nextInverse is next where the last cursor stands at indexes that no card has.
func (w *indexWalker) nextInverse() (uint64, State) {
	for ; w.another < w.limit; w.another++ {
		v := w.another
		lacks := w.at[issuedCards].at == v
		if lacks {
			w.at[issuedCards].step()
		}
		if s := w.take(v); s != Unknown || !lacks {
			w.another++
			if s == Unknown {
				s = Active
			}
			return v, s
		}
	}
	return none, Unknown
}

// take is the gravest state under which a card stands, and goes past it.
func (w *indexWalker) take(v uint64) State {
	s := Unknown
	for i := range w.at {
		if w.at[i].at != v || w.inverse && i == issuedCards {
			continue
		}
		w.at[i].step()
		if s == Unknown {
			s = gravest[i]
		}
	}
	return s
}

// ahead knows the card that a walk comes to next.
type ahead struct {
	walk walker
	at   uint64
	s    State
}

func newAhead(w walker) *ahead {
	a := &ahead{walk: w}
	a.step()
	return a
}

func (a *ahead) step() { a.at, a.s = a.walk.next() }

// over walks over cards of which some have changed since: what changed counts.
type over struct{ cards, changed *ahead }

func overlay(cards, changed walker) walker { return &over{newAhead(cards), newAhead(changed)} }

func (o *over) next() (uint64, State) {
	v, s := o.cards.at, o.cards.s
	if o.changed.at <= v {
		if v, s = o.changed.at, o.changed.s; v == none {
			return none, Unknown
		}
		o.changed.step()
	}
	if o.cards.at == v {
		o.cards.step()
	}
	return v, s
}

// both walks over the cards of two walks, each under its gravest state.
type both struct{ one, other *ahead }

func (b *both) next() (uint64, State) {
	v, s := min(b.one.at, b.other.at), Unknown
	if v == none {
		return none, Unknown
	}
	for _, a := range []*ahead{b.one, b.other} {
		if a.at == v {
			s = graver(s, a.s)
			a.step()
		}
	}
	return v, s
}
