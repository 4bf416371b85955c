package status

import (
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// indexes are cards by index.
type indexes struct {
	limit   uint64
	delta   bool
	inverse bool             // the set of issued cards holds the indexes of those that are not
	sets    [Revoked + 1]set // in place of Active the issued cards; in a delta the active ones
}

func newIndexes(from Indexes, delta bool) *indexes {
	x := &indexes{delta: delta}
	var numbers States[uint64]
	var issued []uint64
	for s, list := range from {
		for _, v := range list {
			numbers[s] = append(numbers[s], uint64(v))
		}
		issued = append(issued, numbers[s]...)
	}
	if issued = sorted(issued); len(issued) > 0 {
		x.limit = issued[len(issued)-1] + 1
	}
	if !delta {
		numbers[Active] = issued
		if x.inverse = uint64(len(issued)) > x.limit/2; x.inverse {
			numbers[Active] = without(issued, x.limit)
		}
	}
	for _, s := range written {
		x.sets[s] = newSet(numbers[s])
	}
	return x
}

// without are the numbers below the limit that a rising list does not hold.
func without(list []uint64, limit uint64) []uint64 {
	var rest []uint64
	next := uint64(0)
	for _, v := range append(slices.Clip(list), limit) {
		for ; next < v; next++ {
			rest = append(rest, next)
		}
		next = v + 1
	}
	return rest
}

func (x *indexes) marshal(b *cryptobyte.Builder) {
	b.AddUint64(x.limit)
	if x.inverse {
		b.AddUint8(1)
	} else {
		b.AddUint8(0)
	}
	for _, s := range written {
		x.sets[s].marshal(b)
	}
}

func (x *indexes) read(s *cryptobyte.String, delta bool) bool {
	var inverse uint8
	if !s.ReadUint64(&x.limit) || x.limit > 1<<32 || !s.ReadUint8(&inverse) || inverse > 1 || inverse == 1 && delta {
		return false
	}
	x.inverse, x.delta = inverse == 1, delta
	for _, state := range written {
		if !x.sets[state].read(s, x.limit) {
			return false
		}
	}
	return true
}

func (x *indexes) count() uint64 {
	switch {
	case x.inverse:
		return x.limit - x.sets[Active].count
	case !x.delta:
		return x.sets[Active].count
	}
	n := uint64(0)
	for _, s := range written {
		n += x.sets[s].count
	}
	return n
}

// state looks an index up.
func (x *indexes) state(index uint32) State {
	if uint64(index) >= x.limit {
		return Unknown
	}
	for _, s := range gravest {
		has := x.sets[s].has(uint64(index))
		if has != (s == Active && x.inverse) {
			return s
		}
	}
	return Unknown
}

// all returns every card.
func (x *indexes) all() Indexes {
	var to Indexes
	elsewhere := map[uint64]bool{} // cards that were issued and are not active
	for _, s := range gravest {
		members := x.sets[s].members()
		if s == Active && x.inverse {
			members = without(members, x.limit)
		}
		for _, v := range members {
			if s != Active {
				elsewhere[v] = true
			} else if elsewhere[v] {
				continue
			}
			to[s] = append(to[s], uint32(v))
		}
	}
	return to
}
