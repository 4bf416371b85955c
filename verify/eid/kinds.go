package eid

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// The ways in which a chip proves itself, as Party.Proofs and Decision.Proof name them.
const (
	ProofActive    = "active"
	ProofAgreement = "agreement"
	ProofRelay     = "relay" // which is an agreement too
)

// ErrParty means that a party is more than its kind may be.
var ErrParty = errors.New("a party may not be what its entry says")

// Kind is what parties of one kind may agree to (Decree 69/2024 Art. 18: a written
// agreement says scope and purpose), and what holds for those whose agreement says nothing.
type Kind struct {
	Name     string
	Fields   []string // that an agreement may name
	Level    Level    // the highest that one may name
	Attended bool     // whether a counter of theirs may vouch for the holder
	Proofs   []string // that each login needs, where the agreement names none
	Rate     int      // logins a minute, where the agreement names none
	MostRate int      // and the most that it may name
}

// kinds are the three that the programme serves. What is sensitive under Law 91/2025 (the
// ethnicity) is for state bodies only; the number, and where a citizen lives and is from, for
// nobody who is an individual. The first name is that of a party that does not say.
var kinds = []Kind{
	{
		Name: "individual", Level: Possession, Rate: 6, MostRate: 60,
		Fields: []string{"age_over_14", "age_over_18", "birth", "document_expiry", "name", "nationality", "sex"},
	},
	{
		Name: "organisation", Level: Holder, Attended: true, Rate: 60, MostRate: 100_000,
		Fields: []string{"age_over_14", "age_over_18", "birth", "document_expiry", "name", "nationality", "number", "origin", "residence", "sex"},
	},
	{
		Name: "state", Level: Holder, Attended: true, Rate: 60, MostRate: 1_000_000, Proofs: []string{ProofActive, ProofAgreement},
		Fields: []string{
			"age_over_14", "age_over_18", "birth", "document_expiry", "ethnicity", "name", "nationality", "number", "origin", "residence", "sex",
		},
	},
}

// Kinds are those that there are.
func Kinds() []Kind { return slices.Clone(kinds) }

// settle holds a party to its kind and fills in what its agreement does not say.
func (p *Party) settle() error {
	p.Kind = cmp.Or(p.Kind, kinds[0].Name)
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == p.Kind })
	if i < 0 {
		return fmt.Errorf("%w: %s: there is no kind %s", ErrParty, p.ID, p.Kind)
	}
	k := kinds[i]
	p.Level, p.Rate = cmp.Or(p.Level, Possession), cmp.Or(p.Rate, k.Rate)
	if p.Proofs == nil {
		p.Proofs = k.Proofs
	}
	for _, f := range p.Fields {
		if !slices.Contains(k.Fields, f) {
			return fmt.Errorf("%w: %s: %s is not for a party that is %s", ErrParty, p.ID, f, k.Name)
		}
	}
	for _, f := range p.Proofs {
		if f != ProofActive && f != ProofAgreement && f != ProofRelay {
			return fmt.Errorf("%w: %s: there is no proof %s", ErrParty, p.ID, f)
		}
	}
	switch {
	case p.Attended && slices.Contains(p.Proofs, ProofRelay):
		return fmt.Errorf("%w: %s: who lends a card from afar attends no counter", ErrParty, p.ID)
	case p.Level != Possession && p.Level != Holder || p.Level == Holder && k.Level != Holder:
		return fmt.Errorf("%w: %s: level %s is not for a party that is %s", ErrParty, p.ID, p.Level, k.Name)
	case p.Attended && !k.Attended:
		return fmt.Errorf("%w: %s: the counter of a party that is %s vouches for nobody", ErrParty, p.ID, k.Name)
	case p.Rate < 1 || p.Rate > k.MostRate:
		return fmt.Errorf("%w: %s: %d logins a minute, where a party that is %s has 1 to %d", ErrParty, p.ID, p.Rate, k.Name, k.MostRate)
	}
	return nil
}
