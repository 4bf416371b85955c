package desk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// ErrNotCounted means that a day cannot be closed before the blanks were counted.
var ErrNotCounted = errors.New("the blanks were not counted today")

// GapError means that the count of a batch is not what the ledger says should be there.
type GapError struct {
	Batch, At     string
	Book, Counted uint64
}

// Error names both numbers.
func (e *GapError) Error() string {
	return fmt.Sprintf("batch %s at %s: %d blanks should be there, %d were counted", e.Batch, e.At, e.Book, e.Counted)
}

// Unwrap makes it an issuance.ErrGap.
func (e *GapError) Unwrap() error { return issuance.ErrGap }

// Sum is what became of the blanks of a place in a time: Opening and Received are what
// Used, Spoiled, Moved and Closing account for.
type Sum struct {
	Opening, Received, Used, Spoiled, Moved, Closing uint64
}

func (s Sum) fields() map[string]string {
	fields := map[string]string{}
	for name, n := range map[string]uint64{
		"opening": s.Opening, "received": s.Received, "used": s.Used, "spoiled": s.Spoiled, "moved": s.Moved, "closing": s.Closing,
	} {
		fields[name] = strconv.FormatUint(n, 10)
	}
	return fields
}

// today is the day where the desk stands.
func (o *Office) today() string { return o.Now().Format(time.DateOnly) }

// Count records how many blanks of a batch were found at the office's place today. With
// the numbers that were found it can be proven later which they were.
func (o *Office) Count(ctx context.Context, batch string, n uint64, numbers []byte) error {
	days := issuance.Days(o.Place)
	s, err := o.begin(ctx, days, issuance.Stock(batch))
	if err != nil {
		return err
	}
	if err := known(s.state.Subject(issuance.Stock(batch))); err != nil {
		return err
	}
	err = s.add(days, issuance.Count, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"batch": batch, "day": o.today(), "count": strconv.FormatUint(n, 10)}
		if numbers != nil {
			e.Fields["serials"] = digest(numbers)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// CloseDay closes today at the office's place, if every batch that has blanks there was
// counted today (ErrNotCounted) and no blank is missing or too many (*GapError). What
// happens later today counts for the next day.
func (o *Office) CloseDay(ctx context.Context) (Sum, error) {
	days := issuance.Days(o.Place)
	s, err := o.begin(ctx, days)
	if err != nil {
		return Sum{}, err
	}
	entries, err := o.Store.Stream(ctx, days)
	if err != nil {
		return Sum{}, err
	}
	sum, err := o.sumUp(ctx, entries)
	if err != nil {
		return sum, err
	}
	err = s.add(days, issuance.Close, func(e *issuance.Entry) error {
		e.Fields = sum.fields()
		e.Fields["closed"] = o.today()
		return nil
	})
	if err != nil {
		return sum, err
	}
	return sum, s.commit(ctx)
}

// sumUp is the sum since the day was last closed, by what the entries of a place's days
// and those of all batches say. The streams give totals since ever, of which what was
// closed before is taken off: so each blank is in one day, whatever the clocks say.
func (o *Office) sumUp(ctx context.Context, days []issuance.Entry) (Sum, error) {
	counted, before := o.countsToday(days), closedBefore(days)
	list, err := o.Store.List(ctx, issuance.KindStock)
	if err != nil {
		return Sum{}, err
	}
	var now Sum
	for _, b := range list {
		book, err := o.addBatch(ctx, &now, b.Stream)
		if err != nil {
			return Sum{}, err
		}
		n, ok := counted[b.Stream.ID]
		if !ok && book > 0 {
			return Sum{}, fmt.Errorf("batch %s at %s: %w", b.Stream.ID, o.Place, ErrNotCounted)
		}
		if n != book {
			return Sum{}, &GapError{b.Stream.ID, o.Place, book, n}
		}
		now.Closing += n
	}
	return Sum{
		before.Closing, now.Received - before.Received, now.Used - before.Used,
		now.Spoiled - before.Spoiled, now.Moved - before.Moved, now.Closing,
	}, nil
}

// countsToday are the last counts of today since the day before was closed.
func (o *Office) countsToday(days []issuance.Entry) map[string]uint64 {
	counted := map[string]uint64{}
	for _, e := range days {
		switch {
		case e.Act == issuance.Close:
			clear(counted)
		case e.Act == issuance.Count && e.Fields["day"] == o.today():
			counted[e.Fields["batch"]] = number(e.Fields["count"])
		}
	}
	return counted
}

// closedBefore are the totals of all days that were closed, and the last closing.
func closedBefore(days []issuance.Entry) Sum {
	var s Sum
	for _, e := range days {
		if e.Act == issuance.Close {
			s.Received += number(e.Fields["received"])
			s.Used += number(e.Fields["used"])
			s.Spoiled += number(e.Fields["spoiled"])
			s.Moved += number(e.Fields["moved"])
			s.Closing = number(e.Fields["closing"])
		}
	}
	return s
}

// number reads a field that the rules hold to be one.
func number(field string) uint64 {
	n, _ := strconv.ParseUint(field, 10, 63)
	return n
}

// addBatch adds what became of a batch at the office's place since ever, and returns how
// many of its blanks should be there.
func (o *Office) addBatch(ctx context.Context, sum *Sum, batch issuance.StreamID) (book uint64, err error) {
	entries, err := o.Store.Stream(ctx, batch)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		n, at := number(e.Fields["count"]), e.Fields["at"] == o.Place
		switch {
		case e.Act == issuance.Receive && at, e.Act == issuance.Move && e.Fields["to"] == o.Place:
			sum.Received += n
		case e.Act == issuance.Move && at:
			sum.Moved += n
		case e.Act == issuance.Spoil && at:
			sum.Spoiled += n
		}
	}
	s, err := issuance.Load(ctx, o.Store, batch)
	if err != nil {
		return 0, err
	}
	for _, r := range s.Subject(batch).Blanks {
		if r.At != o.Place || !r.InStock() {
			continue
		}
		book += r.Len()
		err := o.used(ctx, batch.ID, r, func(uint64, issuance.StreamID) error {
			sum.Used++
			book--
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return book, nil
}
