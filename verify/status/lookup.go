package status

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/lds"
)

// Card is all by which a list may know a card.
type Card struct {
	ID           [32]byte             // SHA-256 of its LDSSecurityObject
	Ref          *lds.StatusReference // list and index that the SOD signs; nil if it carries none
	Keys         [][32]byte           // SHA-256 of EF.DG14 and EF.DG15
	Country      string               // of the issuer; "" if it is not known
	DocumentType string               // document code of the MRZ; "" if it is not known
}

// Answer is what the lists say of a card.
type Answer struct {
	State      State
	AsOf       time.Time // when the list was signed
	NextUpdate time.Time
	Exact      bool   // false: the list may mean another card; an exact list has to confirm it
	Source     string // which list, for people
}

// Lookup says how the card stands. A card that carries an index is in force only by the
// list that its SOD names, one that carries none by a filter or an exact list of its
// issuer; every list of the issuer can speak against it. Without a list that covers the
// card the answer is Unknown, and an error if there are lists that were refused: Refused
// ones, joined.
func (s *Source) Lookup(c Card) (Answer, error) {
	best, covered := Answer{}, false
	for _, x := range s.series {
		if !s.speaksOf(x, c) {
			continue
		}
		a, covers := x.answer(c, func(id [32]byte) bool { return s.confirmed(x, c, id) })
		if !covers && a.State == Unknown {
			continue
		}
		if covered = covered || covers; a.graver(best) || best.AsOf.IsZero() || a.rank() == best.rank() && a.AsOf.After(best.AsOf) {
			best = a
		}
	}
	if best.AsOf.IsZero() && len(s.refused) > 0 {
		var errs []error
		for _, r := range s.refused[:min(len(s.refused), 8)] {
			errs = append(errs, r)
		}
		return Answer{}, errors.Join(errs...)
	}
	return best, nil
}

// speaksOf says whether a series is one about such cards, and its signers are pinned for
// just those: the operator may have pinned others for one code than for its first letter.
func (s *Source) speaksOf(x *series, c Card) bool {
	issuer := x.snapshot.issuer()
	if x.document != "" {
		issuer.Documents = []string{x.document}
	}
	if !issuer.Covers(c.Country, c.DocumentType) {
		return false
	}
	if s.signers == nil || c.DocumentType == "" {
		return true
	}
	pinned, _ := s.signers.Issuer(x.snapshot.Country, c.DocumentType)
	return slices.Contains(pinned.StatusKeys, x.snapshot.Key) && slices.Contains(pinned.StatusKeys, x.newest().Key)
}

// answer is what one series says; covers is false if it could only speak against the card.
func (x *series) answer(c Card, confirmed func(id [32]byte) bool) (a Answer, covers bool) {
	a = Answer{AsOf: x.newest().Signed, NextUpdate: x.newest().NextUpdate, Exact: true, Source: x.name()}
	if x.snapshot.Sort == Index {
		if c.Ref == nil || c.Ref.List != x.snapshot.URI {
			return Answer{}, false
		}
		a.State = x.byIndex(c.Ref.Index)
		return a, true
	}
	for _, id := range append([][32]byte{c.ID}, c.Keys...) {
		state, exact := x.byName(id)
		if !exact && confirmed(id) {
			continue // the exact list has the last word
		}
		if b := (Answer{State: state, Exact: exact}); b.graver(a) {
			a.State, a.Exact = state, exact
		}
	}
	covers = c.Ref == nil
	if a.State == Unknown && covers {
		a.State = Active
	}
	return a, covers
}

// rank orders answers by how much they speak against a card.
func (a Answer) rank() int {
	switch {
	case a.State == Active:
		return 0
	case a.State == Unknown:
		return 1
	case !a.Exact:
		return 2
	}
	return 3 + int(a.State)
}

// graver says whether a speaks more against a card than b.
func (a Answer) graver(b Answer) bool { return a.rank() > b.rank() }

// name says which list it is.
func (x *series) name() string {
	l := x.newest()
	text := fmt.Sprintf("list %s number %d", l.URI, l.Sequence)
	if x.note != "" {
		text += "; " + x.note
	}
	return text
}

func (x *series) byIndex(index uint32) State {
	if x.delta != nil {
		if s := x.delta.payload.(*indexes).state(index); s != Unknown {
			return s
		}
	}
	return x.snapshot.payload.(*indexes).state(index)
}

// byName looks a name up; Unknown if it speaks against nobody of this name. Exact is false
// for a hit of a filter.
func (x *series) byName(id [32]byte) (s State, exact bool) {
	if x.delta != nil {
		switch s := x.delta.payload.(*names).state(id); s {
		case Unknown:
		case Active:
			return Unknown, true
		default:
			return s, true
		}
	}
	switch p := x.snapshot.payload.(type) {
	case *names:
		return p.state(id), true
	case *filter:
		if p.has(id) {
			return Revoked, false
		}
	}
	return Unknown, true
}

// confirmed says whether an exact list about such cards that is no older than a filter
// decides about a name that the filter hits: its own answer counts then.
func (s *Source) confirmed(f *series, c Card, id [32]byte) bool {
	for _, x := range s.series {
		if x.snapshot.Sort != Exact || x.family() != f.family() || !s.speaksOf(x, c) {
			continue
		}
		if x.newest().Sequence >= f.newest().Sequence || x.snapshot.Edition == f.snapshot.Edition {
			return true
		}
		if state, _ := x.byName(id); state != Unknown {
			return true // an older exact list, which has it all the same
		}
	}
	return false
}
