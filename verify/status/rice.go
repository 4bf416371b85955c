package status

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"

	"golang.org/x/crypto/cryptobyte"
)

const maxRice = 56 // so that a remainder and seven bits before it fit into eight octets

// bucket is how many members lie between two marks: a power of two, so few that looking through
// all sets is little beside a signature, and whose code has at most some two hundred octets.
func bucket(k uint) uint64 { return min(64, uint64(1)<<(bits.Len(2048/(k+2))-1)) }

// set is a Rice-coded set of numbers. It stays as it was sent, with an index over it.
type set struct {
	count uint64
	k     uint
	code  []byte
	bits  uint64 // of the code, without those that fill its last octet
	marks []mark // of members 0, bucket, 2·bucket …
}

// mark is a member, and where the code goes on after it.
type mark struct{ value, pos uint64 }

// newSet codes numbers that rise.
func newSet(members []uint64) set {
	s := set{count: uint64(len(members))}
	if len(members) == 0 {
		return s
	}
	s.k = parameter(members)
	w := bitWriter{}
	next := uint64(0) // the least number that can come
	for i, v := range members {
		w.ones((v - next) >> s.k)
		w.bits(v-next, s.k)
		if s.k > 0 && uint64(i)%bucket(s.k) == 0 {
			s.marks = append(s.marks, mark{v, w.n})
		}
		next = v + 1
	}
	s.code, s.bits = w.b, w.n
	return s
}

// parameter finds the k that codes the numbers shortest.
func parameter(members []uint64) uint {
	from, to := candidates(uint64(len(members)), members[len(members)-1])
	best, length := uint(0), uint64(1<<63)
	for k := from; k <= to; k++ {
		if n := codeLength(members, k); n < length {
			best, length = k, n
		}
	}
	return best
}

// candidates are the parameters among which the best is for so many numbers up to the last.
func candidates(n, last uint64) (from, to uint) {
	mean := (last + 1 - n) / n
	guess := min(max(bits.Len64(mean), 2)-2, maxRice-2)
	return uint(max(guess-1, 0)), uint(guess) + 2
}

func codeLength(members []uint64, k uint) uint64 {
	n, next := uint64(0), uint64(0)
	for _, v := range members {
		n += (v-next)>>k + 1 + uint64(k)
		next = v + 1
	}
	return n
}

// has says whether v is a member. It decodes no more than one bucket.
func (s *set) has(v uint64) bool {
	if s.k == 0 { // each number up to the last member has one bit: the code is a bitmap
		return v < s.bits && s.code[v/8]&(0x80>>(v%8)) == 0
	}
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].value > v }) - 1
	if i < 0 {
		return false
	}
	at, r := s.marks[i].value, bitReader{s.code, s.marks[i].pos}
	left := min(s.count-uint64(i)*bucket(s.k), bucket(s.k)) - 1
	for ; at < v && left > 0; left-- {
		gap, ok := r.gap(s.k)
		if !ok {
			return false
		}
		at += gap + 1
	}
	return at == v
}

// members are all numbers of a set that was read or made.
func (s *set) members() []uint64 {
	list := make([]uint64, 0, s.count)
	r, next := bitReader{s.code, 0}, uint64(0)
	for range s.count {
		gap, _ := r.gap(s.k)
		list = append(list, next+gap)
		next += gap + 1
	}
	return list
}

func (s *set) marshal(b *cryptobyte.Builder) {
	b.AddUint64(s.count)
	b.AddUint8(uint8(s.k))
	b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.code) })
}

// read takes a set of numbers below the limit, decodes it once and makes its index. The
// set keeps the octets.
func (s *set) read(from *cryptobyte.String, limit uint64) bool {
	var k uint8
	var code cryptobyte.String
	if !from.ReadUint64(&s.count) || !from.ReadUint8(&k) || !readLong(from, &code) || k > maxRice {
		return false
	}
	s.k, s.code = uint(k), code
	if s.count > uint64(len(code))*8/(uint64(k)+1) { // each member has k + 1 bits at least
		return false
	}
	each := bucket(s.k)
	if s.k > 0 {
		s.marks = make([]mark, 0, (s.count+each-1)/each)
	}
	r, next := bitReader{s.code, 0}, uint64(0)
	for i := range s.count {
		gap, ok := r.gap(s.k)
		if !ok || next >= limit || gap >= limit-next {
			return false
		}
		if s.k > 0 && i%each == 0 {
			s.marks = append(s.marks, mark{next + gap, r.pos})
		}
		next += gap + 1
	}
	s.bits = r.pos
	return r.padded()
}

// readLong reads octets that their number stands before in four octets.
func readLong(from, into *cryptobyte.String) bool {
	var n uint32
	var b []byte
	if !from.ReadUint32(&n) || uint64(n) > uint64(len(*from)) || !from.ReadBytes(&b, int(n)) {
		return false
	}
	*into = b
	return true
}

// bitWriter writes the most significant bit of each octet first.
type bitWriter struct {
	b []byte
	n uint64 // bits written
}

func (w *bitWriter) ones(q uint64) {
	for ; q >= 32; q -= 32 {
		w.bits(1<<32-1, 32)
	}
	w.bits(1<<(q+1)-2, uint(q)+1)
}

// bits writes the last k bits of v.
func (w *bitWriter) bits(v uint64, k uint) {
	for k > 0 {
		free := uint(-w.n & 7) // of the last octet
		if free == 0 {
			w.b, free = append(w.b, 0), 8
		}
		n := min(free, k)
		part := byte(v>>(k-n)) & (1<<n - 1)
		w.b[len(w.b)-1] |= part << (free - n)
		w.n, k = w.n+uint64(n), k-n
	}
}

// bitReader reads what bitWriter wrote, and stops at the end.
type bitReader struct {
	b   []byte
	pos uint64
}

// window is the next bits, at least 57 of them, the next one first; zeros after the end.
func (r *bitReader) window() uint64 {
	at := r.pos / 8
	if at+8 <= uint64(len(r.b)) {
		return binary.BigEndian.Uint64(r.b[at:]) << (r.pos % 8)
	}
	var tail [8]byte
	if at < uint64(len(r.b)) {
		copy(tail[:], r.b[at:])
	}
	return binary.BigEndian.Uint64(tail[:]) << (r.pos % 8)
}

// gap reads one distance.
func (r *bitReader) gap(k uint) (uint64, bool) {
	w := r.window()
	if n := uint64(bits.LeadingZeros64(^w)); n+1+uint64(k) <= 57 { // nearly always
		r.pos += n + 1 + uint64(k)
		return n<<k | w<<(n+1)>>1>>(63-k), r.pos <= uint64(len(r.b))*8
	}
	return r.longGap(k)
}

// longGap reads a distance that takes more than one window.
func (r *bitReader) longGap(k uint) (uint64, bool) {
	end := uint64(len(r.b)) * 8
	q := uint64(0)
	for {
		n := uint64(bits.LeadingZeros64(^r.window()))
		if n < 57 {
			q += n
			r.pos += n + 1
			break
		}
		q += 56
		r.pos += 56
		if r.pos >= end {
			return 0, false
		}
	}
	v := r.window() >> 1 >> (63 - k)
	r.pos += uint64(k)
	return q<<k | v, r.pos <= end && q>>(63-k) == 0
}

// padded says whether nothing is left but zero bits of the last octet.
func (r *bitReader) padded() bool {
	end := uint64(len(r.b)) * 8
	return end-r.pos < 8 && r.window() == 0
}

// sorted returns the numbers without repetition, rising.
func sorted(members []uint64) []uint64 {
	slices.Sort(members)
	return slices.Compact(members)
}
