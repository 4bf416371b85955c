package status

import (
	"encoding/binary"
	"math"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
)

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
