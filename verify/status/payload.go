package status

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// written are the states in the order of the payload.
var written = [...]State{Undelivered, Active, Suspended, Superseded, Revoked}

// payload is what a list says of cards; lookups do not change it.
type payload interface {
	marshal(b *cryptobyte.Builder)
	read(s *cryptobyte.String, delta bool) bool
	count() uint64
}

func newPayload(s Sort) payload {
	switch s {
	case Index, IndexDelta:
		return &indexes{}
	case Filter:
		return &filter{}
	case Exact, ExactDelta:
	}
	return &names{}
}

// decode reads a payload whole.
func decode(s Sort, b []byte) (payload, error) {
	p, rest := newPayload(s), cryptobyte.String(b)
	if !p.read(&rest, s.Delta()) || !rest.Empty() {
		return nil, fmt.Errorf("%w: payload", ErrMalformed)
	}
	return p, nil
}

func encode(p payload) []byte {
	var b cryptobyte.Builder
	p.marshal(&b)
	return b.BytesOrPanic()
}

// editionOf names the statuses of a snapshot.
func editionOf(payload []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("tamthe status edition\x00"))
	h.Write(payload)
	return [32]byte(h.Sum(nil))
}

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

// filter holds the first bits of names.
type filter struct {
	width uint8
	set   set
}

// slack is how many bits of a name a filter keeps beyond those that count its members:
// one foreign name in 2^18 at most is taken for a member.
const slack = 18

func newFilter(from IDs) *filter {
	var n int
	for _, list := range from {
		n += len(list)
	}
	f := &filter{width: uint8(bits.Len(uint(n)) + slack)}
	members := make([]uint64, 0, n)
	for _, list := range from {
		for _, id := range list {
			members = append(members, f.first(id))
		}
	}
	f.set = newSet(sorted(members))
	return f
}

// first is the part of a name that the filter keeps.
func (f *filter) first(id [32]byte) uint64 { return binary.BigEndian.Uint64(id[:8]) >> (64 - f.width) }

func (f *filter) marshal(b *cryptobyte.Builder) {
	b.AddUint8(f.width)
	f.set.marshal(b)
}

func (f *filter) read(s *cryptobyte.String, _ bool) bool {
	return s.ReadUint8(&f.width) && f.width >= 8 && f.width <= 63 && f.set.read(s, 1<<f.width)
}

func (f *filter) count() uint64 { return f.set.count }

// rate is how often a name that is no member is taken for one.
func (f *filter) rate() float64 { return float64(f.set.count) / math.Pow(2, float64(f.width)) }

func (f *filter) has(id [32]byte) bool { return f.set.has(f.first(id)) }

// names are cards by their full names.
type names struct{ lists [Revoked + 1][]byte }

func newNames(from IDs) *names {
	n := &names{}
	for _, s := range written {
		for _, id := range from[s] {
			n.lists[s] = append(n.lists[s], id[:]...)
		}
	}
	return n
}

func (n *names) marshal(b *cryptobyte.Builder) {
	for _, s := range written {
		b.AddUint32(uint32(len(n.lists[s]) / 32))
		b.AddBytes(n.lists[s])
	}
}

func (n *names) read(s *cryptobyte.String, delta bool) bool {
	for _, state := range written {
		var count uint32
		if !s.ReadUint32(&count) || uint64(count)*32 > uint64(len(*s)) || !s.ReadBytes(&n.lists[state], int(count)*32) {
			return false
		}
		if state == Active && !delta && count > 0 {
			return false
		}
		list := n.lists[state]
		for i := 32; i < len(list); i += 32 {
			if bytes.Compare(list[i-32:i], list[i:i+32]) >= 0 {
				return false
			}
		}
	}
	return true
}

func (n *names) count() uint64 {
	c := 0
	for _, list := range n.lists {
		c += len(list) / 32
	}
	return uint64(c)
}

// state looks a name up.
func (n *names) state(id [32]byte) State {
	for _, s := range gravest {
		if has(n.lists[s], id) {
			return s
		}
	}
	return Unknown
}

func has(list []byte, id [32]byte) bool {
	lo, hi := 0, len(list)/32
	for lo < hi {
		mid := (lo + hi) / 2
		switch bytes.Compare(list[mid*32:mid*32+32], id[:]) {
		case 0:
			return true
		case -1:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return false
}

// all returns every card.
func (n *names) all() IDs {
	var to IDs
	for _, s := range written {
		for i := 0; i < len(n.lists[s]); i += 32 {
			to[s] = append(to[s], [32]byte(n.lists[s][i:]))
		}
	}
	return to
}
