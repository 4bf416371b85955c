package desk

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/tamthe/tamthe/issuance"
)

// ErrNoStock means that no blank card is there to be used: none was received at this
// place, or all were used.
var ErrNoStock = errors.New("there is no blank card in stock here")

// Range is one or more blank cards of a batch with consecutive numbers, at a place.
type Range struct {
	Batch       string
	First, Last uint64
	At          string
}

// Len is how many they are.
func (r Range) Len() uint64 { return r.Last - r.First + 1 }

// fields are what an act says of a range.
func (r Range) fields() map[string]string {
	return map[string]string{
		"at": r.At, "first": strconv.FormatUint(r.First, 10), "last": strconv.FormatUint(r.Last, 10), "count": strconv.FormatUint(r.Len(), 10),
	}
}

// ReceiveBlanks takes blank cards into stock. transport names the key with which they came, of
// a batch that is new; empty is that of the batch. Numbers that were taken in before are
// issuance.ErrLink.
func (o *Office) ReceiveBlanks(ctx context.Context, r Range, transport string) error {
	return o.stock(ctx, r, issuance.Receive, func(fields map[string]string) {
		if transport != "" {
			fields["transport"] = transport
		}
	})
}

// MoveBlanks hands unused blanks over to another place, where they are in stock from then on.
func (o *Office) MoveBlanks(ctx context.Context, r Range, to string) error {
	if err := o.unused(ctx, r); err != nil {
		return err
	}
	return o.stock(ctx, r, issuance.Move, func(fields map[string]string) { fields["to"] = to })
}

// SpoilBlanks takes unused blanks out of stock for a reason. They are destroyed later, by
// two.
func (o *Office) SpoilBlanks(ctx context.Context, r Range, reason string) error {
	if err := o.unused(ctx, r); err != nil {
		return err
	}
	return o.stock(ctx, r, issuance.Spoil, func(fields map[string]string) { fields["reason"] = reason })
}

// DestroyBlanks says that spoiled blanks were destroyed before the eyes of two.
func (o *Office) DestroyBlanks(ctx context.Context, r Range) error {
	return o.stock(ctx, r, issuance.Destroy, func(map[string]string) {})
}

// stock is an act on a range of blanks.
func (o *Office) stock(ctx context.Context, r Range, act issuance.Act, fill func(fields map[string]string)) error {
	if r.First > r.Last || r.Last > issuance.MaxBlank {
		return fmt.Errorf("%w: blanks %d to %d", issuance.ErrEntry, r.First, r.Last)
	}
	return o.do(ctx, issuance.Stock(r.Batch), act, func(e *issuance.Entry) error {
		e.Fields = r.fields()
		fill(e.Fields)
		return nil
	})
}

// unused refuses blanks of which a card was made.
func (o *Office) unused(ctx context.Context, r Range) error {
	from, to := issuance.ClaimOfBlank(r.Batch, r.First), issuance.ClaimOfBlank(r.Batch, r.Last)
	return o.Store.Claims(ctx, issuance.ClaimBlank, from.Value, to.Value, func(value string, by issuance.StreamID) error {
		return &issuance.DuplicateError{Claim: issuance.Claim{Kind: issuance.ClaimBlank, Value: value}, Holder: by}
	})
}

// Blank is one blank card.
type Blank struct {
	Batch     string
	Number    uint64
	At        string
	Transport string // name of the key with which it came
}

// NextBlank is the next unused blank in stock at the office's place: of the batch, or of
// the oldest that has one. Blanks are used in the order of their numbers; one that was left
// out is found by giving its number to Personalise. ErrNoStock if there is none.
func (o *Office) NextBlank(ctx context.Context, batch string) (Blank, error) {
	list, err := o.Store.List(ctx, issuance.KindStock)
	if err != nil {
		return Blank{}, err
	}
	for _, b := range list {
		if batch != "" && batch != b.Stream.ID {
			continue
		}
		s, err := issuance.Load(ctx, o.Store, b.Stream)
		if err != nil {
			return Blank{}, err
		}
		next, err := o.nextOf(ctx, s.Subject(b.Stream))
		if !errors.Is(err, ErrNoStock) {
			return next, err
		}
	}
	return Blank{}, fmt.Errorf("%w (%s)", ErrNoStock, o.Place)
}

// transportOf names the transport key of a batch, if it came with one. Cards of rule book 1
// are of no batch.
func (o *Office) transportOf(ctx context.Context, batch string) (string, error) {
	if batch == "" {
		return "", nil
	}
	stock := issuance.Stock(batch)
	s, err := issuance.Load(ctx, o.Store, stock)
	if err != nil {
		return "", err
	}
	return s.Subject(stock).Fields["transport"], nil
}

// nextOf looks behind the last one used in each range of a batch, so that it does not
// walk over all that were used; then, should that be the end of it, for gaps.
func (o *Office) nextOf(ctx context.Context, batch issuance.Subject) (Blank, error) {
	id := batch.Stream.ID
	for _, search := range []func(context.Context, string, issuance.Blanks) (uint64, error){o.behindLast, o.firstGap} {
		for _, r := range batch.Blanks {
			if r.At != o.Place || !r.InStock() {
				continue
			}
			n, err := search(ctx, id, r)
			if err != nil {
				return Blank{}, err
			}
			if n <= r.Last {
				return Blank{id, n, o.Place, batch.Fields["transport"]}, nil
			}
		}
	}
	return Blank{}, ErrNoStock
}

func (o *Office) behindLast(ctx context.Context, batch string, r issuance.Blanks) (uint64, error) {
	from, to := issuance.ClaimOfBlank(batch, r.First), issuance.ClaimOfBlank(batch, r.Last)
	last, err := o.Store.LastClaim(ctx, issuance.ClaimBlank, from.Value, to.Value)
	if err != nil || last == "" {
		return r.First, err
	}
	n, err := issuance.BlankOfClaim(last)
	return n + 1, err
}

// errFound ends a walk.
var errFound = errors.New("found")

func (o *Office) firstGap(ctx context.Context, batch string, r issuance.Blanks) (uint64, error) {
	next := r.First
	err := o.used(ctx, batch, r, func(n uint64, _ issuance.StreamID) error {
		if n != next {
			return errFound
		}
		next++
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return next, err
}

// used calls f with the blanks of a range of which cards were made.
func (o *Office) used(ctx context.Context, batch string, r issuance.Blanks, f func(number uint64, card issuance.StreamID) error) error {
	from, to := issuance.ClaimOfBlank(batch, r.First), issuance.ClaimOfBlank(batch, r.Last)
	return o.Store.Claims(ctx, issuance.ClaimBlank, from.Value, to.Value, func(value string, by issuance.StreamID) error {
		n, err := issuance.BlankOfClaim(value)
		if err != nil {
			return err
		}
		return f(n, by)
	})
}
