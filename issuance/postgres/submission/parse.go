package submission

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
)

// Parse reads a body. It is total: any octets that are not what Marshal makes are
// ErrMalformed. Every entry is well formed, its payload and attachments are those that its
// leaf binds; nothing else of it is to be believed. It keeps no part of body.
func Parse(body []byte) (*Submission, error) {
	if len(body) > Max {
		return nil, fmt.Errorf("%w: %d octets", ErrMalformed, len(body))
	}
	r := &reader{rest: body}
	r.refuse(r.number(1) != version)
	s := &Submission{Head: r.head()}
	n := r.number(2)
	r.refuse(n == 0 || n > MaxEntries)
	for range n {
		if r.bad {
			break
		}
		s.Entries = append(s.Entries, r.entry())
	}
	if r.bad || len(r.rest) > 0 {
		return nil, ErrMalformed
	}
	return s, nil
}

// reader takes octets from the front; after the first that is missing it gives nothing more.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) refuse(bad bool) { r.bad = r.bad || bad }

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// number reads an integer of 1, 2 or 4 octets.
func (r *reader) number(octets int) int {
	n := 0
	for _, o := range r.take(octets) {
		n = n<<8 | int(o)
	}
	return n
}

// long reads octets behind their length, of so many octets.
func (r *reader) long(octets, most int) []byte {
	n := r.number(octets)
	r.refuse(n > most)
	return r.take(n)
}

func (r *reader) head() issuance.Head {
	n := r.number(2)
	r.refuse(n > MaxStreams)
	head := issuance.Head{}
	var last issuance.StreamID
	for range n {
		s := issuance.StreamID{Kind: issuance.Kind(r.long(1, maxShort)), ID: string(r.long(1, maxShort))}
		seq := r.take(8)
		r.refuse(!plain(string(s.Kind)) || !plain(s.ID) || compare(last, s) >= 0)
		if r.bad {
			return nil
		}
		head[s], last = binary.BigEndian.Uint64(seq), s
	}
	return head
}

func (r *reader) entry() issuance.Entry {
	leaf := r.long(2, maxLeaf)
	payload := r.long(4, maxPayload)
	if r.bad {
		return issuance.Entry{}
	}
	e, err := issuance.ParseEntry(leaf, payload)
	if r.refuse(err != nil); r.bad {
		return issuance.Entry{}
	}
	for i := range e.Attach {
		n := r.number(4)
		if n == without {
			continue
		}
		r.refuse(n > issuance.MaxSealed)
		sealed := r.take(n)
		if r.refuse(!r.bad && sha256.Sum256(sealed) != e.Attach[i].Digest); r.bad {
			return issuance.Entry{}
		}
		e.Attach[i].Sealed = append(make([]byte, 0, len(sealed)), sealed...)
	}
	return e
}
