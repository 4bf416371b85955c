package desk

import (
	"context"
	"time"
)

// Turnaround is how many working days each card took, from application to hand, that was
// handed over between two days, both counted in, and how many of them came within Term.
// These are exact counts, for the office itself: what may leave it are Indicators.
func (o *Office) Turnaround(ctx context.Context, from, to time.Time) (days []int, within int, err error) {
	l, err := o.lives(ctx, dayOf(from), dayOf(to).AddDate(0, 0, 1))
	if err != nil {
		return nil, 0, err
	}
	return l.days, l.within, nil
}
