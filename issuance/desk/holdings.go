package desk

import (
	"context"

	"github.com/tamthe/tamthe/issuance"
)

// Holding is how many blanks of a batch are somewhere, and what became of the others there.
type Holding struct {
	Batch, At                         string
	InStock, Used, Spoiled, Destroyed uint64
}

// Holdings lists where the blanks of every batch are, oldest batch first.
func (o *Office) Holdings(ctx context.Context) ([]Holding, error) {
	list, err := o.Store.List(ctx, issuance.KindStock)
	if err != nil {
		return nil, err
	}
	var all []Holding
	for _, b := range list {
		s, err := issuance.Load(ctx, o.Store, b.Stream)
		if err != nil {
			return nil, err
		}
		begin := len(all)
		for _, r := range s.Subject(b.Stream).Blanks {
			h := holdingAt(&all, begin, b.Stream.ID, r.At)
			switch r.Fate {
			case issuance.Spoil:
				h.Spoiled += r.Len()
				continue
			case issuance.Destroy:
				h.Destroyed += r.Len()
				continue
			}
			h.InStock += r.Len()
			err := o.used(ctx, b.Stream.ID, r, func(uint64, issuance.StreamID) error {
				h.InStock--
				h.Used++
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// holdingAt is the batch's holding at a place, among those from begin on.
func holdingAt(all *[]Holding, begin int, batch, at string) *Holding {
	for i := begin; i < len(*all); i++ {
		if (*all)[i].At == at {
			return &(*all)[i]
		}
	}
	*all = append(*all, Holding{Batch: batch, At: at})
	return &(*all)[len(*all)-1]
}

// InStock is how many blanks are left where the office is; received says whether any ever
// were.
func (o *Office) InStock(ctx context.Context) (left uint64, received bool, err error) {
	list, err := o.Store.List(ctx, issuance.KindStock)
	if err != nil {
		return 0, false, err
	}
	for _, b := range list {
		s, err := issuance.Load(ctx, o.Store, b.Stream)
		if err != nil {
			return 0, false, err
		}
		for _, r := range s.Subject(b.Stream).Blanks {
			if r.At != o.Place {
				continue
			}
			received = true
			if r.Fate != "" {
				continue
			}
			left += r.Len()
			err := o.used(ctx, b.Stream.ID, r, func(uint64, issuance.StreamID) error {
				left--
				return nil
			})
			if err != nil {
				return 0, false, err
			}
		}
	}
	return left, received, nil
}
