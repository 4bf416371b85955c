package issuance

import (
	"encoding/binary"
	"fmt"
	"time"
)

// ParseLeaf reads a leaf and the digest that its payload must have. It is total: any
// octets that are not a canonical leaf v1 are ErrEntry. Claims, holds and attachments
// are not in the leaf, so the entry comes without them; see ParseEntry.
func ParseLeaf(leaf []byte) (Entry, [32]byte, error) {
	if len(leaf) > maxLeaf {
		return Entry{}, [32]byte{}, fmt.Errorf("%w: a leaf of %d octets", ErrEntry, len(leaf))
	}
	r := &reader{rest: leaf}
	e, payload := r.entry()
	if err := r.end("leaf"); err != nil {
		return Entry{}, [32]byte{}, err
	}
	if err := e.wellFormed(); err != nil {
		return Entry{}, [32]byte{}, err
	}
	return e, payload, nil
}

// ParseEntry reads a leaf and the payload kept beside it. A payload that is not the
// one the leaf binds is ErrEntry. Attachments come with their digest only.
func ParseEntry(leaf, payload []byte) (Entry, error) {
	e, want, err := ParseLeaf(leaf)
	if err != nil {
		return Entry{}, err
	}
	if payloadDigest(payload) != want {
		return Entry{}, fmt.Errorf("%w: the payload is not the one that the leaf binds", ErrEntry)
	}
	if err := e.parsePayload(payload); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// reader takes octets from the front; after the first that is missing it gives zeros
// and end reports it.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.rest) < n {
		r.bad = true
		return make([]byte, min(n, 32))
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) octet() int       { return int(r.take(1)[0]) }
func (r *reader) uint16() int      { return int(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) uint64() uint64   { return binary.BigEndian.Uint64(r.take(8)) }
func (r *reader) digest() [32]byte { return [32]byte(r.take(32)) }
func (r *reader) short() string    { return string(r.take(r.octet())) }
func (r *reader) long() string     { return string(r.take(r.uint16())) }
func (r *reader) refuse(bad bool)  { r.bad = r.bad || bad }
func (r *reader) signature() []byte {
	n := r.uint16()
	r.refuse(n == 0 || n > maxSignature)
	if r.bad {
		return nil
	}
	return append([]byte(nil), r.take(n)...)
}

func (r *reader) end(what string) error {
	if r.bad || len(r.rest) > 0 {
		return fmt.Errorf("%w: not a %s", ErrEntry, what)
	}
	return nil
}

func (r *reader) entry() (e Entry, payload [32]byte) {
	r.refuse(r.octet() != leafVersion)
	e.Rules = uint16(r.uint16())
	e.Origin = r.short()
	e.Stream = StreamID{Kind(r.short()), r.short()}
	e.Seq = r.uint64()
	e.Prev = r.digest()
	e.ID = [16]byte(r.take(16))
	e.Act = Act(r.short())
	us := r.uint64()
	r.refuse(us >= 1<<63)
	e.Time = time.UnixMicro(int64(us)).UTC()
	e.Operator = r.digest()
	second := r.octet()
	r.refuse(second > 1)
	if second == 1 {
		e.Second = r.digest()
		r.refuse(e.Second.IsZero())
	}
	e.Fields = readMap(r, maxFields, r.long)
	e.Commitments = readMap(r, maxCommitments, r.digest)
	payload = r.digest()
	e.Signature = r.signature()
	if second == 1 {
		e.SecondSignature = r.signature()
	}
	return e, payload
}

// readMap reads names in strictly ascending order, each with its value; nil if none.
func readMap[V any](r *reader, most int, value func() V) map[string]V {
	n := r.octet()
	r.refuse(n > most)
	var m map[string]V
	last := ""
	for range n {
		name := r.short()
		r.refuse(name <= last)
		v := value()
		if r.bad {
			return nil
		}
		if m == nil {
			m = make(map[string]V, n)
		}
		m[name], last = v, name
	}
	return m
}
