package issuance

import (
	"fmt"
	"slices"
	"strconv"
)

// personRules: a person is known by a random name, and by the keyed hash of every number
// that they ever had. A number is claimed for ever: nobody else gets it, and the person
// who had it before does not get it again. Whoever is new is registered with their
// application, which another person approves; another number for a person takes two.
var personRules = []rule{
	{
		kind: KindPerson, act: Register, to: Registered, role: []Role{Registrar},
		need: []string{"application"}, claim: []ClaimKind{ClaimNumber}, check: claimsOneNumber,
		owes: func(e *Entry) []due { return []due{{Application(e.Fields["application"]), Enrol}} },
	},
	{
		kind: KindPerson, act: Renumber, from: []Phase{Registered}, to: Registered, role: []Role{Registrar, Approver}, two: always,
		need: []string{"reason"}, only: map[string][]string{"reason": renumberReasons}, claim: []ClaimKind{ClaimNumber}, check: claimsOneNumber,
	},
}

// renumberReasons are those of Decree 70/2024 Art. 11: date of birth or sex were put
// right, or the number was given in error.
var renumberReasons = []string{"birth", "sex", "wrong-number"}

func claimsOneNumber(_ *Book, _ *Subject, e *Entry) error {
	if len(e.Claims) != 1 {
		return fmt.Errorf("%w: %s claims one number", ErrEntry, e.Act)
	}
	return nil
}

// Numbers are the claims of the numbers that a person had, the present one last.
func (s Subject) Numbers() []string {
	var list []string
	for _, c := range s.Claimed {
		if c.Kind == ClaimNumber {
			list = append(list, c.Value)
		}
	}
	return list
}

// HoldsOf are what an application of a registered person holds, or a card: the person's
// name and all their numbers, each with the document type. By the numbers it meets cards
// of rule book 1, which were held by the number alone.
func HoldsOf(person Subject, doctype string, kind ClaimKind) []Claim {
	list := []Claim{{kind, person.Stream.ID + ":" + doctype}}
	for _, n := range person.Numbers() {
		list = append(list, Claim{kind, n + ":" + doctype})
	}
	return list
}

// isTheirs: the application is of a registered person, under the number that they have
// now, and holds what keeps a second one away.
func isTheirs(b *Book, _ *Subject, e *Entry) error {
	p, err := b.subject(Person(e.Fields["subject"]))
	if err != nil {
		return err
	}
	if p.Phase != Registered {
		return fmt.Errorf("%w: person %s is not registered", ErrLink, p.Stream.ID)
	}
	if err := isOrdinal(p, e.Fields["ordinal"]); err != nil {
		return err
	}
	want := HoldsOf(*p, e.Fields["doctype"], HoldApplication)
	slices.SortFunc(want, compareClaims)
	got := slices.Clone(e.Hold)
	slices.SortFunc(got, compareClaims)
	if !slices.Equal(got, want) {
		return fmt.Errorf("%w: %s does not hold what its person is known by", ErrEntry, e.Act)
	}
	return nil
}

// hasNumber: the person still has the number under which they applied. Applications of
// book 1 know no person.
func hasNumber(b *Book, a *Subject, _ *Entry) error {
	id, ok := a.Fields["subject"]
	if !ok {
		return nil
	}
	p, err := b.subject(Person(id))
	if err != nil {
		return err
	}
	return isOrdinal(p, a.Fields["ordinal"])
}

func isOrdinal(p *Subject, ordinal string) error {
	if n := len(p.Numbers()); ordinal != strconv.Itoa(n) {
		return fmt.Errorf("%w: person %s has another number by now", ErrLink, p.Stream.ID)
	}
	return nil
}
