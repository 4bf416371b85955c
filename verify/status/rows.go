package status

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrOrder says that rows did not come in the order of their indexes, each once.
var ErrOrder = errors.New("cards do not come in the order of their indexes")

// Rows are cards in the order of their indexes, which take little more than an octet each
// where most indexes are given out: what a list of a hundred million cards is made of.
type Rows struct {
	chunks [][]byte
	next   uint64 // the least index that can come
	count  uint64
}

// rowsChunk is how many octets are allocated together.
const rowsChunk = 1 << 20

// Add puts a card behind those before it. An index that does not rise is ErrOrder; a card
// that is Unknown is none.
func (r *Rows) Add(index uint32, s State) error {
	if uint64(index) < r.next {
		return fmt.Errorf("%w: %d after %d", ErrOrder, index, r.next-1)
	}
	if s == Unknown || s > Revoked {
		return fmt.Errorf("%w: card %d is %s", ErrMalformed, index, s)
	}
	last := len(r.chunks) - 1
	if last < 0 || cap(r.chunks[last])-len(r.chunks[last]) < binary.MaxVarintLen64+1 {
		r.chunks = append(r.chunks, make([]byte, 0, rowsChunk))
		last++
	}
	gap := (uint64(index) - r.next) << 1
	if s == Active {
		r.chunks[last] = binary.AppendUvarint(r.chunks[last], gap)
	} else {
		r.chunks[last] = append(binary.AppendUvarint(r.chunks[last], gap|1), byte(s))
	}
	r.next, r.count = uint64(index)+1, r.count+1
	return nil
}

// Len is how many cards there are.
func (r *Rows) Len() uint64 { return r.count }

// With are the cards of both, each under its gravest state.
func (r *Rows) With(other *Rows) (*Rows, error) {
	if other.count == 0 {
		return r, nil
	}
	return rowsBy(&both{newAhead(r.cards()), newAhead(other.cards())})
}

// cards walks over the rows from the first.
func (r *Rows) cards() walker { return &rowWalker{rows: r} }

type rowWalker struct {
	rows  *Rows
	chunk int
	rest  []byte
	at    uint64
}

func (w *rowWalker) next() (uint64, State) {
	for len(w.rest) == 0 {
		if w.chunk == len(w.rows.chunks) {
			return none, Unknown
		}
		w.rest = w.rows.chunks[w.chunk]
		w.chunk++
	}
	token, n := uint64(w.rest[0]), 1
	if token >= 0x80 {
		token, n = binary.Uvarint(w.rest)
	}
	v, s := w.at+token>>1, Active
	if token&1 == 1 {
		s = State(w.rest[n])
		n++
	}
	w.rest, w.at = w.rest[n:], v+1
	return v, s
}
