package desk

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// Spoilage is how much one operator gave up on one day for one reason.
type Spoilage struct {
	Operator, Reason string
	Blanks           uint64 // taken out of stock, at the office's place
	Cards            uint64 // given up while they were made
}

// Spoilage lists what was spoiled on a day, by operator and reason. Of blanks it sees those
// of the office's place, of cards all.
func (o *Office) Spoilage(ctx context.Context, day string) ([]Spoilage, error) {
	sums := map[Spoilage]*Spoilage{}
	add := func(s issuance.State, e issuance.Entry, blanks, cards uint64) {
		if e.Act != issuance.Spoil || e.Time.In(o.Now().Location()).Format(time.DateOnly) != day {
			return
		}
		op, _ := s.Operator(e.Operator)
		key := Spoilage{Operator: op.Name, Reason: e.Fields["reason"]}
		if sums[key] == nil {
			sums[key] = &Spoilage{Operator: key.Operator, Reason: key.Reason}
		}
		sums[key].Blanks += blanks
		sums[key].Cards += cards
	}
	err := o.eachEntry(ctx, issuance.KindStock, nil, func(s issuance.State, e issuance.Entry) {
		if e.Fields["at"] == o.Place {
			add(s, e, number(e.Fields["count"]), 0)
		}
	})
	if err != nil {
		return nil, err
	}
	gone := []issuance.Phase{issuance.Spoiled, issuance.Destroyed}
	err = o.eachEntry(ctx, issuance.KindCard, gone, func(s issuance.State, e issuance.Entry) { add(s, e, 0, 1) })
	if err != nil {
		return nil, err
	}
	var list []Spoilage
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b Spoilage) int {
		return slices.Compare([]string{a.Operator, a.Reason}, []string{b.Operator, b.Reason})
	}) {
		list = append(list, *sums[key])
	}
	return list, nil
}

// eachEntry calls f with every entry of the streams of a kind that stand in one of the
// phases, and with the operators behind them.
func (o *Office) eachEntry(ctx context.Context, kind issuance.Kind, phases []issuance.Phase, f func(issuance.State, issuance.Entry)) error {
	list, err := o.Store.List(ctx, kind, phases...)
	if err != nil {
		return err
	}
	for _, b := range list {
		s, err := issuance.Load(ctx, o.Store, b.Stream)
		if err != nil {
			return err
		}
		entries, err := o.Store.Stream(ctx, b.Stream)
		if err != nil {
			return err
		}
		for _, e := range entries {
			f(s, e)
		}
	}
	return nil
}
