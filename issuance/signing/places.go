package signing

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// places are those of a status list that the log's cards have.
type places map[uint32]struct{}

const (
	// fewPlaces is how many places a list has to begin with: so many that logs which draw
	// without knowing of one another seldom draw the same.
	fewPlaces = 1 << 26
	// someMore is by how many it grows.
	someMore = 1 << 20
)

// openPlaces is how many places a list has that has so many cards. Of a list that has grown one in nine is free: a
// draw seldom takes long, and the list of a hundred million cards takes nine megabytes, where
// it would take thirteen and more if one in four were.
func openPlaces(cards uint64) uint64 {
	return min(max(fewPlaces, (cards+cards/8+someMore-1)/someMore*someMore), 1<<32)
}

// draw draws a free place; ok is false where there is hardly one. It says no more about the
// order of issue than how large the list was at most.
func (p places) draw() (place uint32, ok bool) { return p.drawOf(openPlaces(uint64(len(p)))) }

func (p places) drawOf(open uint64) (place uint32, ok bool) {
	for range 512 {
		var b [8]byte
		rand.Read(b[:])
		v := binary.BigEndian.Uint64(b[:]) % open // 2^64 is so much more that no place is drawn more often
		if _, taken := p[uint32(v)]; !taken {
			return uint32(v), true
		}
	}
	return 0, false
}

// place notes the places that a card's entry claims.
func (v *view) place(e *issuance.Entry) {
	for _, c := range e.Claims {
		list, place, ok := ledger.ParsePlace(c)
		if !ok {
			continue
		}
		if v.places[list] == nil {
			v.places[list] = places{}
		}
		v.places[list][place] = struct{}{}
	}
}
