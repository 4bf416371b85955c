package ledger

import (
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/status"
)

// Place is what a store's table of card status says: the card that has this index in a list
// stands so since an entry.
type Place struct {
	List  string
	Index uint32
	State status.State
	Since int64
}

// Standing is how an act leaves a card, as lists of card status tell it; ok is false for acts
// that do not touch that. A card that is taken back or destroyed is what it was before.
func Standing(act issuance.Act) (s status.State, ok bool) {
	switch act {
	case issuance.Prepare:
		return status.Undelivered, true
	case issuance.Deliver, issuance.Resume:
		return status.Active, true
	case issuance.Suspend:
		return status.Suspended, true
	case issuance.Supersede:
		return status.Superseded, true
	case issuance.Revoke, issuance.Recall, issuance.Fail, issuance.Spoil:
		return status.Revoked, true
	}
	return status.Unknown, false
}

// ParsePlace reads the list and the index of a card's claim; ok is false if it is no place in
// a list: then no list can tell of the card.
func ParsePlace(c issuance.Claim) (list string, index uint32, ok bool) {
	at := strings.LastIndexByte(c.Value, ':')
	if c.Kind != issuance.ClaimStatus || at < 1 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(c.Value[at+1:], 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != c.Value[at+1:] {
		return "", 0, false
	}
	return c.Value[:at], uint32(n), true
}

// Places are the rows that an entry at an index changes in a store's table of card status.
// The book has the entry's stream as the entry leaves it.
func Places(b *issuance.Book, e *issuance.Entry, index int64) []Place {
	if e.Stream.Kind != issuance.KindCard {
		return nil
	}
	state, ok := Standing(e.Act)
	if !ok {
		return nil
	}
	var rows []Place
	for _, c := range b.Claimed(e.Stream, issuance.ClaimStatus) {
		if list, place, ok := ParsePlace(c); ok {
			rows = append(rows, Place{list, place, state, index})
		}
	}
	return rows
}
