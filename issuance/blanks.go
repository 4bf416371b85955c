package issuance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxBlank is the largest number that a blank card can have in its batch.
const MaxBlank = 999_999_999_999

// Blanks are blank cards of a batch with consecutive numbers that share a place and a
// fate.
type Blanks struct {
	First, Last uint64
	At          string // where they are, or were at last
	Fate        Act    // empty: in stock; Spoil or Destroy
}

// Len is how many they are.
func (b Blanks) Len() uint64 { return b.Last - b.First + 1 }

// InStock reports whether they may still be used.
func (b Blanks) InStock() bool { return b.Fate == "" }

// String gives the numbers.
func (b Blanks) String() string {
	if b.First == b.Last {
		return fmt.Sprint(b.First)
	}
	return fmt.Sprintf("%d-%d", b.First, b.Last)
}

// ClaimOfBlank is what the card that is made of a blank claims for ever: nobody else makes
// a card of it. Values of one batch sort as their numbers do.
func ClaimOfBlank(batch string, number uint64) Claim {
	return Claim{ClaimBlank, fmt.Sprintf("%s:%012d", batch, number)}
}

// BlankOfClaim reads the number of a blank from the value of its claim.
func BlankOfClaim(value string) (uint64, error) {
	_, number, _ := strings.Cut(value, ":")
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || n > MaxBlank || len(number) != 12 {
		return 0, fmt.Errorf("%w: %q names no blank", ErrEntry, value)
	}
	return n, nil
}

// findBlanks returns where among blanks in order the one of the number is, or would be.
func findBlanks(list []Blanks, number uint64) (int, bool) {
	return slices.BinarySearchFunc(list, number, func(b Blanks, n uint64) int {
		switch {
		case b.Last < n:
			return -1
		case b.First > n:
			return 1
		}
		return 0
	})
}

// addBlanks takes in what was never there.
func addBlanks(list []Blanks, add Blanks) ([]Blanks, error) {
	i, found := findBlanks(list, add.First)
	if found || i < len(list) && list[i].First <= add.Last {
		return nil, fmt.Errorf("%w: some of the blanks %s were taken in before", ErrLink, add)
	}
	return joinBlanks(slices.Insert(slices.Clone(list), i, add)), nil
}

// changeBlanks gives the blanks of a range another place or fate. All must be at the place
// and have one of the fates now.
func changeBlanks(list []Blanks, of Blanks, fates []Act, to func(*Blanks)) ([]Blanks, error) {
	i, found := findBlanks(list, of.First)
	after, next := slices.Clone(list[:i]), of.First
	for ; found && i < len(list) && list[i].First <= of.Last; i++ {
		b := list[i]
		if b.At != of.At || !slices.Contains(fates, b.Fate) || b.First > next {
			break
		}
		middle := Blanks{next, min(b.Last, of.Last), b.At, b.Fate}
		if b.First < middle.First {
			after = append(after, Blanks{b.First, middle.First - 1, b.At, b.Fate})
		}
		rest := Blanks{middle.Last + 1, b.Last, b.At, b.Fate}
		next = middle.Last + 1
		to(&middle)
		after = append(after, middle)
		if rest.First <= rest.Last {
			after = append(after, rest)
		}
	}
	if next <= of.Last {
		return nil, fmt.Errorf("%w: blank %d is not in stock at %s", ErrLink, next, of.At)
	}
	return joinBlanks(append(after, list[i:]...)), nil
}

// joinBlanks joins neighbours that share place and fate.
func joinBlanks(list []Blanks) []Blanks {
	var out []Blanks
	for _, b := range list {
		if n := len(out); n > 0 && out[n-1].Last+1 == b.First && out[n-1].At == b.At && out[n-1].Fate == b.Fate {
			out[n-1].Last = b.Last
			continue
		}
		out = append(out, b)
	}
	return out
}

// Blanks are those of a batch as the entries that the book has recorded leave them.
func (b *Book) Blanks(batch string) []Blanks {
	if s, ok := b.subjects[Stock(batch)]; ok {
		return slices.Clone(s.Blanks)
	}
	return nil
}
