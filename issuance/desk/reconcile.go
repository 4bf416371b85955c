package desk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/issuance"
)

// ErrNumbers means that a list of blanks cannot be read.
var ErrNumbers = errors.New("no list of blanks")

// MaxNumbers is the largest list of blanks in octets.
const MaxNumbers = 64 << 20

// Span is one or more consecutive numbers of blanks.
type Span struct{ First, Last uint64 }

// Len is how many they are.
func (s Span) Len() uint64 { return s.Last - s.First + 1 }

// String gives N or N-M.
func (s Span) String() string { return issuance.Blanks{First: s.First, Last: s.Last}.String() }

// ParseSpan reads N or N-M.
func ParseSpan(text string) (Span, error) {
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	a, err1 := strconv.ParseUint(first, 10, 63)
	b, err2 := strconv.ParseUint(last, 10, 63)
	if err1 != nil || err2 != nil || a > b || b > issuance.MaxBlank {
		return Span{}, fmt.Errorf("%w: %q is neither N nor N-M", ErrNumbers, text)
	}
	return Span{a, b}, nil
}

// ParseNumbers reads a list of blanks, one number or range a line in any order; empty
// lines do not count. A number that stands twice is ErrNumbers. What is returned is in
// order and without neighbours.
func ParseNumbers(text []byte) ([]Span, error) {
	if len(text) > MaxNumbers {
		return nil, fmt.Errorf("%w: it has more than %d octets", ErrNumbers, MaxNumbers)
	}
	var list []Span
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		s, err := ParseSpan(line)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNumbers, err)
	}
	slices.SortFunc(list, func(a, b Span) int {
		switch {
		case a.First < b.First:
			return -1
		case a.First > b.First:
			return 1
		}
		return 0
	})
	var joined []Span
	for _, s := range list {
		n := len(joined)
		switch {
		case n > 0 && s.First <= joined[n-1].Last:
			return nil, fmt.Errorf("%w: blank %d stands twice", ErrNumbers, s.First)
		case n > 0 && s.First == joined[n-1].Last+1:
			joined[n-1].Last = s.Last
		default:
			joined = append(joined, s)
		}
	}
	return joined, nil
}

// Total is how many blanks spans hold.
func Total(list []Span) (n uint64) {
	for _, s := range list {
		n += s.Len()
	}
	return n
}

// without takes what is in the second list off the first; both are in order.
func without(list, off []Span) []Span {
	var rest []Span
	for _, s := range list {
		for len(off) > 0 && off[0].Last < s.First {
			off = off[1:]
		}
		for i := 0; s.First <= s.Last; i++ {
			if i == len(off) || off[i].First > s.Last {
				rest = append(rest, s)
				break
			}
			if off[i].First > s.First {
				rest = append(rest, Span{s.First, off[i].First - 1})
			}
			s.First = off[i].Last + 1
		}
	}
	return rest
}

// Reconciliation is what the ledger says of the blanks of a batch at a place, and what was
// found there.
type Reconciliation struct {
	Batch, At string
	Book      []Span // should be there
	Missing   []Span // of those, not found
	Surplus   []Span // found, and should not be there
	Wrong     []string
}

// OK reports whether everything agrees.
func (r *Reconciliation) OK() bool { return len(r.Missing)+len(r.Surplus)+len(r.Wrong) == 0 }

// Reconcile compares the blanks of a batch that were found at the office's place with those
// that should be there, by number: received or moved here, not spoiled, and no card was
// made of them. found is in order, as ParseNumbers gives it; nil compares nothing but what
// the ledger says with itself.
func (o *Office) Reconcile(ctx context.Context, batch string, found []Span) (*Reconciliation, error) {
	stream := issuance.Stock(batch)
	s, err := issuance.Load(ctx, o.Store, stream)
	if err != nil {
		return nil, err
	}
	if err := known(s.Subject(stream)); err != nil {
		return nil, err
	}
	r := &Reconciliation{Batch: batch, At: o.Place}
	blanks := s.Subject(stream).Blanks
	for _, b := range blanks {
		if b.At != o.Place || !b.InStock() {
			continue
		}
		next := b.First
		err := o.used(ctx, batch, b, func(n uint64, _ issuance.StreamID) error {
			if n > next {
				r.Book = append(r.Book, Span{next, n - 1})
			}
			next = n + 1
			return nil
		})
		if err != nil {
			return nil, err
		}
		if next <= b.Last {
			r.Book = append(r.Book, Span{next, b.Last})
		}
	}
	if found != nil {
		r.Missing, r.Surplus = without(r.Book, found), without(found, r.Book)
	}
	return r, o.contradictions(ctx, r, blanks)
}

// contradictions lists the cards that were made of what was no blank in stock.
func (o *Office) contradictions(ctx context.Context, r *Reconciliation, blanks []issuance.Blanks) error {
	i := 0
	return o.used(ctx, r.Batch, issuance.Blanks{Last: issuance.MaxBlank}, func(n uint64, card issuance.StreamID) error {
		for i < len(blanks) && blanks[i].Last < n {
			i++
		}
		switch {
		case i == len(blanks) || blanks[i].First > n:
			r.Wrong = append(r.Wrong, fmt.Sprintf("%s was made of blank %d, which was never received", card, n))
		case !blanks[i].InStock():
			r.Wrong = append(r.Wrong, fmt.Sprintf("%s was made of blank %d, which is out of stock: %s", card, n, blanks[i].Fate))
		}
		return nil
	})
}
