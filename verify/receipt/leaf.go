package receipt

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Leaf is what a leaf v1 of a tamthe log says in clear (package issuance writes them).
type Leaf struct {
	Rules    uint16
	Origin   string // log in which the entry was made
	Kind     string // of the stream: card, application, key, …
	Stream   string
	Seq      uint64
	Act      string
	Time     time.Time
	Operator [32]byte // SHA-256 of the operator's SubjectPublicKeyInfo
	Second   [32]byte // a second operator's; zero if none
	Fields   map[string]string
}

// ParseLeaf reads a leaf v1. It is total: octets that are not one are ErrFormat. Who
// signed it is not asked: the log took it from an enrolled operator or it is no log.
func ParseLeaf(leaf []byte) (*Leaf, error) {
	r := &octets{rest: leaf}
	r.bad = len(leaf) > 65535 || r.uint(1) != 1
	l := &Leaf{Rules: uint16(r.uint(2)), Origin: r.text(1), Kind: r.text(1), Stream: r.text(1), Seq: r.uint(8)}
	r.take(32 + 16) // hash of the leaf before it, identity
	l.Act = r.text(1)
	us := r.uint(8)
	r.bad = r.bad || us >= 1<<63
	l.Time = time.UnixMicro(int64(us)).UTC()
	l.Operator = [32]byte(r.take(32))
	two := r.uint(1)
	r.bad = r.bad || two > 1
	if two == 1 {
		l.Second = [32]byte(r.take(32))
	}
	l.Fields = r.fields()
	for range r.bounded(16) {
		r.text(1)
		r.take(32)
	}
	r.take(32) // payload
	for range 1 + two {
		n := int(binary.BigEndian.Uint16(r.take(2)))
		r.bad = r.bad || n == 0
		r.take(n)
	}
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: not a leaf", ErrFormat)
	}
	return l, nil
}

// text reads a text after its length of n octets.
func (r *octets) text(n int) string { return string(r.take(int(r.uint(n)))) }

// bounded reads a count of one octet; more than most is bad and counts as none.
func (r *octets) bounded(most uint64) uint64 {
	n := r.uint(1)
	if r.bad = r.bad || n > most; r.bad {
		return 0
	}
	return n
}

func (r *octets) fields() map[string]string {
	m := map[string]string{}
	last := ""
	for range r.bounded(32) {
		name := r.text(1)
		r.bad = r.bad || name <= last
		m[name], last = r.text(2), name
	}
	return m
}
