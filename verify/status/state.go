package status

import "slices"

// State is what the issuer says about a card. The zero value says nothing.
type State uint8

// The states of a card, from the least to the gravest.
const (
	Unknown     State = iota // no list has a record of the card
	Undelivered              // made, not yet in the holder's hands
	Active
	Suspended
	Superseded // replaced by a newer card
	Revoked
)

var stateNames = [...]string{"unknown", "undelivered", "active", "suspended", "superseded", "revoked"}

// String is the stable word that JSON uses.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[Unknown]
}

// InForce says whether the state speaks for the card.
func (s State) InForce() bool { return s == Active }

// gravest is the order in which a card is looked for, should a list have it twice.
var gravest = [...]State{Revoked, Superseded, Suspended, Undelivered, Active}

// graver is that of two states under which a card counts that has both.
func graver(a, b State) State {
	for _, s := range gravest {
		if a == s || b == s {
			return s
		}
	}
	return Unknown
}

// States holds, by state, the indexes of cards or their names.
type States[T any] [Revoked + 1][]T

// Indexes are cards by the index in their list.
type Indexes = States[uint32]

// IDs are cards by name: CardID, SHA-256 of EF.DG14, SHA-256 of EF.DG15.
type IDs = States[[32]byte]

// once sorts a copy and leaves each member under its gravest state only.
func once[T comparable](from States[T], compare func(a, b T) int) States[T] {
	var to States[T]
	for i, s := range gravest {
		list := slices.Clone(from[s])
		slices.SortFunc(list, compare)
		list = slices.Compact(list)
		to[s] = slices.DeleteFunc(list, func(v T) bool {
			return slices.ContainsFunc(gravest[:i], func(graver State) bool {
				_, found := slices.BinarySearchFunc(to[graver], v, compare)
				return found
			})
		})
	}
	return to
}
